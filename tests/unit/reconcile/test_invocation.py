import io
import json

import pytest

from tests.fakes import invoked
from tests.fakes.aws import Refusal, ScriptedAws
from understudy.reconcile import invocation
from understudy.reconcile.errors import AwsError
from understudy.reconcile.invocation import Invocation


def test_answers_with_payload_version_and_the_tail_of_the_log() -> None:
    fake = ScriptedAws({"Invoke": invoked.answer(b'{"a": 1}')})

    found = invocation.invoke(fake.aws, "f:live", b"{}")

    assert found == Invocation(
        payload=b'{"a": 1}', function_error="", version="3", log_tail=invoked.TAIL.decode()
    )
    assert fake.params("Invoke") == {"FunctionName": "f:live", "Payload": b"{}", "LogType": "Tail"}


def test_a_function_that_failed_is_an_answer() -> None:
    fake = ScriptedAws({"Invoke": invoked.answer(b"{}", error="Unhandled")})
    assert invocation.invoke(fake.aws, "f", b"").function_error == "Unhandled"


def test_what_aws_leaves_out_is_empty() -> None:
    fake = ScriptedAws({"Invoke": lambda _: {"Payload": io.BytesIO(b"")}})
    found = invocation.invoke(fake.aws, "f", b"")
    assert (found.version, found.log_tail, found.function_error) == ("", "", "")


def test_an_unknown_function_is_aws_s_refusal() -> None:
    fake = ScriptedAws({"Invoke": Refusal(code="ResourceNotFoundException", message="none", status=404)})
    with pytest.raises(AwsError) as caught:
        invocation.invoke(fake.aws, "f", b"")
    assert caught.value.aws_code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("path", "raw", "query"),
    [("/health", "/health", ""), ("/a?b=c&d=e", "/a", "b=c&d=e"), ("/a?b?c", "/a", "b?c")],
)
def test_an_http_event_is_a_get_with_its_query_apart(path: str, raw: str, query: str) -> None:
    event = json.loads(invocation.http_event(path))
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", raw, query)
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["http"]["path"] == raw


def test_a_rest_event_is_a_get_of_a_path_of_the_stage() -> None:
    event = json.loads(invocation.rest_event("/health", "v1"))
    assert "version" not in event
    assert (event["httpMethod"], event["path"], event["pathParameters"]) == (
        "GET",
        "/health",
        {"proxy": "health"},
    )
    context = event["requestContext"]
    assert (context["path"], context["stage"], context["requestId"]) == (
        "/v1/health",
        "v1",
        "understudy-invoke",
    )
