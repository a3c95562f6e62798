"""The runner inside the delegate's environment: a token at the door, a save after each change."""

from types import ModuleType
from typing import Any

import pytest

from tests.fakes.asgi import Named, ask, scope
from understudy.engine.delegate.child import Autosave


@pytest.fixture
def child() -> Autosave:
    ministack = ModuleType("ministack.app")
    ministack.app = Named("ministack").handle  # type: ignore[attr-defined]
    return Autosave(ministack, b"secret")


def _request(method: str = "GET", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return scope(method, "/", {"x-understudy-delegate": "secret", **named})


async def test_refuses_whoever_lacks_the_token(child: Autosave) -> None:
    assert (await ask(child, scope("GET", "/"))).status == 403
    assert (await ask(child, _request())).body == b"ministack"


@pytest.mark.parametrize(
    ("request_scope", "changes"),
    [
        (_request("GET"), False),
        (_request("HEAD"), False),
        (_request("PUT"), True),
        (_request("POST", x_amz_target="DynamoDB_20120810.GetItem"), False),
        (_request("POST", x_amz_target="DynamoDB_20120810.PutItem"), True),
        (_request("POST", x_amz_target="AmazonSQS.ReceiveMessage"), True),
        (_request("POST"), True),
    ],
)
async def test_knows_what_may_have_changed_something(
    child: Autosave, request_scope: Any, changes: bool
) -> None:
    await ask(child, request_scope)
    assert child._dirty.is_set() is changes
