"""The judgement of one invocation and of one init phase."""

import json

import pytest

from understudy.sandbox.environment import InitReport
from understudy.sandbox.explain import ImportChain, ImportFrame
from understudy.sandbox.model import Fault, InvokeResult
from understudy.verify.boot import events, outcomes
from understudy.verify.boot.model import Outcome


def outcome(
    payload: object, error_type: str | None = None, *, names: tuple[str, ...] = (), log: str = ""
) -> Outcome:
    result = InvokeResult(payload=json.dumps(payload).encode(), error_type=error_type, duration_ms=1.5)
    return outcomes.outcome(events.get("/"), result, names=names, log=log)


@pytest.mark.parametrize(
    ("payload", "error_type", "verdict"),
    [
        ({"statusCode": 200}, None, "answered"),
        ("text", None, "answered"),
        ({"statusCode": 500}, None, "app-error"),
        ({"errorMessage": "boom"}, "ValueError", "function-error"),
        ({"errorMessage": "The adapter was unable to infer a handler to use"}, "RuntimeError", "refused"),
        ({"errorMessage": "x"}, "Runtime.ExitError", "exit"),
        ({"errorMessage": "x"}, "Sandbox.Timedout", "timeout"),
        ({"errorMessage": "x"}, "Runtime.OutOfMemory", "out-of-memory"),
        ({"errorMessage": "x"}, "Function.ResponseSizeTooLarge", "too-large"),
        ({"errorMessage": "x"}, "Runtime.MarshalError", "unreadable"),
    ],
)
def test_verdict_follows_from_the_answer(payload: object, error_type: str | None, verdict: str) -> None:
    assert outcome(payload, error_type).verdict == verdict


def test_failure_with_a_lookup_or_a_network_error_is_for_want_of_the_network() -> None:
    boom = {"errorMessage": "boom"}
    assert outcome(boom, "ValueError", names=("db.test",)).network
    assert outcome({"errorMessage": "[Errno 101] Network is unreachable"}, "OSError").network
    log = 'botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: "https://x"\n'
    assert outcome({"statusCode": 503}, log=log).network
    assert not outcome(boom, "ValueError").network
    assert not outcome({"statusCode": 200}, names=("db.test",)).network


def test_server_error_is_told_by_the_last_error_of_the_log() -> None:
    log = "Traceback (most recent call last):\r  File \"a.py\", line 1\rKeyError: 'a'\nEND RequestId: x\n"
    assert outcome({"statusCode": 500}, log=log).message == "KeyError: 'a'"
    assert outcomes.last_error("nothing\n") == ""


def test_error_document_that_is_none_leaves_the_message_empty() -> None:
    result = InvokeResult(payload=b"", error_type="Runtime.ExitError")
    found = outcomes.outcome(events.plain(), result, names=(), log="")
    assert (found.message, found.stack) == ("", ())


def test_init_phase_that_succeeded_has_no_error() -> None:
    found = outcomes.attempt(InitReport(phase="init", duration_ms=2.0))
    assert (found.error_type, found.message, found.chain) == ("", "", None)


def test_init_error_has_the_clients_text_and_the_chain_without_the_client() -> None:
    body = {"errorMessage": "no", "errorType": "Runtime.ImportModuleError", "stackTrace": ["a\n", "b"]}
    frames = (
        ImportFrame(path="/var/runtime/bootstrap.py", line=1, source="import app"),
        ImportFrame(path="/var/task/app.py", line=2, source="import gone"),
    )
    report = InitReport(
        phase="init",
        duration_ms=2.0,
        fault=Fault(error_type="Runtime.ImportModuleError", body=json.dumps(body).encode()),
        import_chain=ImportChain(frames=frames, error="E", file="/x.so"),
    )
    found = outcomes.attempt(report)
    assert (found.message, found.stack) == ("no", ("a", "b"))
    assert found.chain is not None
    assert [str(step) for step in found.chain.steps] == ["/var/task/app.py:2 (import gone)"]
    assert found.chain.file == "/x.so"
