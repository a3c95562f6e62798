"""Verdicts in AWS's words, billing, CPU share and the environment of an image function."""

import json

import pytest

from understudy.image.rootfs import Rootfs
from understudy.sandbox import model
from understudy.sandbox.model import ExitStatus, FunctionEnvironment, LaunchFailure, SandboxSpec


def spec(**changes: object) -> SandboxSpec:
    values = {
        "rootfs": Rootfs(layers=()),
        "entrypoint": ("/lambda-entrypoint.sh",),
        "command": ("app.handler",),
        "working_dir": "/var/task",
        "environment": {},
    }
    return SandboxSpec(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "error_type", "reason"),
    [
        (ExitStatus(code=1), "Runtime.ExitError", "Runtime exited with error: exit status 1"),
        (ExitStatus(code=127), "Runtime.ExitError", "Runtime exited with error: exit status 127"),
        (ExitStatus(code=0), "Runtime.ExitError", "Runtime exited without providing a reason"),
        (ExitStatus(code=-9), "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        (ExitStatus(code=-11), "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
        (ExitStatus(code=-4), "Runtime.ExitError", "Runtime exited with error: signal: illegal instruction"),
        (ExitStatus(code=-40), "Runtime.ExitError", "Runtime exited with error: signal: signal 40"),
        (
            ExitStatus(code=-9, oom_killed=True),
            "Runtime.OutOfMemory",
            "Runtime exited with error: signal: killed",
        ),
    ],
    ids=["one", "wrapper", "zero", "killed", "segfault", "illegal", "realtime", "oom"],
)
def test_exit_becomes_awss_verdict(status: ExitStatus, error_type: str, reason: str) -> None:
    fault = model.exit_fault(status, spec())
    assert (fault.error_type, fault.reason) == (error_type, reason)


@pytest.mark.parametrize(
    ("failure", "entrypoint", "error_type", "reason"),
    [
        (("exec", 8, "x"), "/e.sh", "Runtime.InvalidEntrypoint", "fork/exec /e.sh: exec format error"),
        (
            ("exec", 2, "x"),
            "/e.sh",
            "Runtime.InvalidEntrypoint",
            "fork/exec /e.sh: no such file or directory",
        ),
        (("exec", 13, "x"), "/e.sh", "Runtime.InvalidEntrypoint", "fork/exec /e.sh: permission denied"),
        (("exec", 40, "loop"), "/e.sh", "Runtime.InvalidEntrypoint", "fork/exec /e.sh: loop"),
        (
            ("exec", 2, "not found on PATH"),
            "uvicorn",
            "Runtime.InvalidEntrypoint",
            "Couldn't find valid bootstrap(s): [uvicorn]",
        ),
        (("cwd", 2, "x"), "/e.sh", "Runtime.InvalidWorkingDir", "chdir /var/task: no such file or directory"),
        (("user", 0, "odd"), "/e.sh", "Runtime.Unknown", "sandbox user: odd"),
    ],
    ids=["format", "absent", "denied", "other", "path", "cwd", "ours"],
)
def test_launch_failure_becomes_awss_verdict(
    failure: tuple[str, int, str], entrypoint: str, error_type: str, reason: str
) -> None:
    stage, number, text = failure
    status = ExitStatus(code=127, failed=LaunchFailure(stage=stage, errno=number, text=text))
    fault = model.exit_fault(status, spec(entrypoint=(entrypoint,)))
    assert (fault.error_type, fault.reason) == (error_type, reason)


def test_fault_payload_names_the_request() -> None:
    assert json.loads(model.timeout_fault(3).payload("abc")) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: abc Error: Task timed out after 3.00 seconds",
    }


def test_posted_document_is_passed_on_byte_for_byte() -> None:
    body = b'{ "errorType":"X" }'
    assert model.Fault(error_type="X", body=body).payload("abc") == body


@pytest.mark.parametrize(
    ("duration", "init", "billed"),
    [(1248.31, 293.05, 1542), (1049.63, 1293.83, 2344), (15.74, None, 16), (1.0, None, 1), (0.2, None, 1)],
    ids=["java", "image", "warm", "whole", "tiny"],
)
def test_billed_duration_is_rounded_up_over_both_phases(
    duration: float, init: float | None, billed: int
) -> None:
    assert model.billed_ms(duration, init) == billed


@pytest.mark.parametrize(
    ("cpu", "memory", "initialising", "limit"),
    [
        ("lambda", 1769, False, 1.0),
        ("lambda", 1769, True, 2.0),
        ("lambda", 10240, True, 10240 / 1769),
        ("lambda-throttled-init", 1769, True, 1.0),
        ("host", 128, False, None),
    ],
    ids=["invoke", "init", "large", "pessimistic", "host"],
)
def test_cpu_limit_follows_memory_and_phase(
    cpu: str, memory: int, initialising: bool, limit: float | None
) -> None:
    assert model.cpu_limit(spec(cpu=cpu, memory_mb=memory), initialising=initialising) == limit


@pytest.mark.parametrize(("memory", "count"), [(128, 2), (3008, 2), (3009, 3), (7077, 5), (10240, 6)])
def test_visible_vcpus_follow_memory(memory: int, count: int) -> None:
    assert model.visible_vcpus(memory) == count


def test_environment_keeps_the_images_and_sets_lambdas() -> None:
    environment = model.lambda_environment(
        FunctionEnvironment(
            function_name="f",
            image=(("PATH", "/var/lang/bin"), ("TZ", ":/etc/localtime"), ("A", "image")),
            function={"A": "function", "B": "2"},
            memory_mb=512,
            log_stream="stream",
            working_dir="/var/task",
        )
    )
    assert environment["PATH"] == "/var/lang/bin"
    assert environment["TZ"] == ":/etc/localtime"
    assert (environment["A"], environment["B"]) == ("function", "2")
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_Image"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert environment["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/f"
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert environment["PWD"] == "/var/task"
    assert "HOME" not in environment
    assert "AWS_LAMBDA_RUNTIME_API" not in environment


def test_reserved_names_win_over_the_functions() -> None:
    config = FunctionEnvironment(function_name="f", function={"AWS_REGION": "moon", "_HANDLER": "x"})
    assert model.lambda_environment(config)["AWS_REGION"] == "us-east-1"


def test_home_is_what_the_function_or_the_image_says() -> None:
    of_function = FunctionEnvironment(function_name="f", function={"HOME": "/tmp"})
    of_image = FunctionEnvironment(function_name="f", image=(("HOME", "/tmp"),))
    assert model.lambda_environment(of_function)["HOME"] == "/tmp"
    assert model.lambda_environment(of_image)["HOME"] == "/tmp"
