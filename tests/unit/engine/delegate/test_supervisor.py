"""Without a delegate, what is not ours is refused by name."""

from tests.fakes.asgi import ask, scope
from understudy.engine.delegate.supervisor import NoDelegate


async def test_no_delegate_refuses_by_name() -> None:
    delegate = NoDelegate()
    await delegate.start()
    answer = await ask(delegate.handle, scope("GET", "/bucket"))
    assert answer.status == 501
    assert "without a delegate" in answer.document["message"]
    assert delegate.status().state == "stopped"
    await delegate.stop()
