"""What figures of a boot say about limits."""

from typing import Any

import pytest

from understudy.verify.model import Launch, Severity
from understudy.verify.rules import configuration_measured
from understudy.verify.rules.configuration_measured import Figures

FAILS, MAY_FAIL, SLOW, INFO = Severity.FAILS, Severity.MAY_FAIL, Severity.SLOW, Severity.INFO


def launch(**limits: Any) -> Launch:
    return Launch(**{"entrypoint": ("/x",), "command": (), "function_name": "f", "memory_mb": 256, **limits})


def figures(**measured: Any) -> Figures:
    return Figures(**{"peak_mb": 100, "init_ms": 500, "first_request_ms": 50, **measured})


def check(limits: Launch, measured: Figures) -> list[tuple[str, Severity]]:
    return [(item.rule, item.severity) for item in configuration_measured.check_measured(limits, measured)]


@pytest.mark.parametrize(
    ("limits", "measured", "expected"),
    [
        pytest.param({}, {}, [], id="good"),
        pytest.param(
            {}, {"peak_mb": None, "init_ms": None, "first_request_ms": None}, [], id="nothing-measured"
        ),
        pytest.param({}, {"peak_mb": 230}, [], id="memory-at-90-percent"),
        pytest.param({}, {"peak_mb": 240}, [("memory-tight", MAY_FAIL)], id="memory-tight"),
        pytest.param({}, {"peak_mb": 300}, [("memory-below-peak", FAILS)], id="memory-below-peak"),
        pytest.param({}, {"peak_mb": 200, "oom_killed": True}, [("memory-below-peak", FAILS)], id="killed"),
        pytest.param({}, {"first_request_ms": 2500}, [("timeout-below-first-request", MAY_FAIL)], id="close"),
        pytest.param({}, {"first_request_ms": 3500}, [("timeout-below-first-request", FAILS)], id="timeout"),
        pytest.param({"timeout_s": 30}, {"first_request_ms": 3500}, [], id="longer-timeout"),
        pytest.param({}, {"init_ms": 5000}, [], id="init-5-s"),
        pytest.param({}, {"init_ms": 6000}, [("init-near-limit", SLOW)], id="init-6-s"),
        pytest.param({"timeout_s": 30}, {"init_ms": 12_000}, [("init-timeout", MAY_FAIL)], id="init-12-s"),
        pytest.param({}, {"init_ms": 12_000}, [("init-timeout", FAILS)], id="init-12-s-and-short-timeout"),
    ],
)
def test_known_function(
    limits: dict[str, Any], measured: dict[str, Any], expected: list[tuple[str, Severity]]
) -> None:
    assert check(launch(**limits), figures(**measured)) == expected


def test_limits_that_nobody_chose_are_information() -> None:
    default = Launch(entrypoint=("/x",), command=())
    slow = figures(peak_mb=300, first_request_ms=3500, init_ms=12_000)
    assert {severity for _, severity in check(default, slow)} == {INFO}


def test_texts_have_the_functions_figures() -> None:
    limits = launch(memory_mb=128, timeout_s=3.0)
    memory, timeout = configuration_measured.check_measured(
        limits, figures(peak_mb=150, first_request_ms=4000)
    )
    assert "Memory Size: 128 MB Max Memory Used: 128 MB Status: error Error Type: Runtime.OutOfMemory" in (
        memory.aws_text
    )
    assert memory.fix == "set memorySize to 256"
    assert timeout.aws_text == "Sandbox.Timedout: RequestId: ID Error: Task timed out after 3.00 seconds"
    assert timeout.fix == "set timeout to 12"
