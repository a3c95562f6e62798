"""The way to a delegate that is not there yet, or no longer: requests wait, and are told when it fails.

Shared by the emulator that the engine starts and by the one that somebody else runs.
"""

import asyncio
import json

from understudy.engine.delegate.proxy import HttpProxy, UpstreamGoneError
from understudy.engine.protocol import Message, Receive, Scope, Send


class Door:
    """Closed until `open` says where the delegate answers; closed again by `close`.

    Args:
        where: what a refused caller is told to look at.
        wait_s: how long a request waits before a closed door.

    Attributes:
        reason: why it is closed.
    """

    def __init__(self, *, where: str, wait_s: float) -> None:
        self.reason = "the delegate does not answer"
        self._where = where
        self._wait_s = wait_s
        self._opened = asyncio.Event()
        self._proxy: HttpProxy | None = None

    def open(self, proxy: HttpProxy) -> None:
        """Lets requests pass, those that wait first."""
        self._proxy = proxy
        self._opened.set()

    def close(self) -> None:
        """Lets requests wait from now on, and drops the connections that are idle."""
        self._opened.clear()
        if self._proxy is not None:
            self._proxy.close()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forwards a request; one that waits in vain, or whose delegate goes away, is refused with 503.

        Raises:
            UpstreamGoneError: the delegate went away in the middle of an answer.
            OSError: likewise.
        """
        if not self._opened.is_set():
            try:
                async with asyncio.timeout(self._wait_s):
                    await self._opened.wait()
            except TimeoutError:
                await refuse(send, 503, f"{self.reason}, see {self._where}")
                return
        if self._proxy is None:
            raise RuntimeError("open without a proxy")
        began = False

        async def _observed(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._proxy.forward(scope, receive, _observed)
        except (UpstreamGoneError, OSError) as exc:
            if began:
                raise
            await refuse(send, 503, f"the delegate went away ({exc}), see {self._where}; try again")


async def answers(proxy: HttpProxy, path: str) -> bool:
    """Whether an emulator answers its health path below 500."""
    status, _ = await ask(proxy, path)
    return 0 < status < 500


async def ask(proxy: HttpProxy, path: str) -> tuple[int, bytes]:
    """Returns status and body of a GET; status 0 when nobody answers."""
    status, body = 0, bytearray()

    async def _receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        body.extend(message.get("body", b""))

    scope: Scope = {
        "method": "GET",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    try:
        await proxy.forward(scope, _receive, _send)
    except (UpstreamGoneError, OSError):
        return 0, b""
    return status, bytes(body)


async def refuse(send: Send, status: int, message: str) -> None:
    """Answers in the delegate's place, with an error that SDKs retry."""
    body = json.dumps({"__type": "ServiceUnavailableException", "message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
