"""Before a closed door a request waits, and is then told where to look."""

from tests.fakes.asgi import ask, scope
from understudy.engine.delegate.door import Door


async def test_a_request_that_waits_in_vain_is_told_where_to_look() -> None:
    answer = await ask(Door(where="the emulator at http://x", wait_s=0).handle, scope("GET", "/bucket"))
    assert answer.status == 503
    assert answer.document["__type"] == "ServiceUnavailableException"
    assert "http://x" in answer.document["message"]
