"""A response on its way: the runtime posts it piece by piece, a client takes it as it comes.

What the client has not taken yet is bounded: the runtime's connection is not read while too much waits, and
the kernel then holds the function's writes back. A client that is gone takes everything at once, because AWS
does not interrupt a function whose caller hung up
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html). Knows no Runtime API and
no HTTP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

_MOST_WAITING_BYTES = 64 * 1024


class Source(Protocol):
    """Where the pieces come from: the transport of the runtime's connection."""

    def pause_reading(self) -> None:
        """Stops the pieces."""
        ...

    def resume_reading(self) -> None:
        """Lets them come again."""
        ...


class ResponseStream:
    """One streamed response, written by the Runtime API and read by one client with ``async for``.

    Attributes:
        content_type: as the runtime said it; `None` until it starts to stream, and for good when it answers
            in one piece or fails before.
    """

    def __init__(self) -> None:
        self.content_type: str | None = None
        self._source: Source | None = None
        self._chunks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._paused = self._ended = self._abandoned = False
        self._changed = asyncio.Event()

    def begin(self, content_type: str, source: Source) -> None:
        """The runtime starts to stream."""
        self.content_type = content_type
        self._source = source
        self._changed.set()

    def feed(self, chunk: bytes) -> None:
        """Takes a piece from the runtime."""
        if self._abandoned:
            return
        self._chunks.append(chunk)
        self._waiting_bytes += len(chunk)
        self._changed.set()
        if self._source is not None and not self._paused and self._waiting_bytes > _MOST_WAITING_BYTES:
            self._paused = True
            self._source.pause_reading()

    def end(self) -> None:
        """Nothing more will come: the invocation is over, however it ended."""
        self._ended = True
        self._changed.set()

    def abandon(self) -> None:
        """The client takes no more; what the runtime still sends is dropped."""
        self._abandoned = True
        self._chunks.clear()
        self._resume()

    async def started(self) -> bool:
        """Waits until the runtime streams, or the invocation is over without it; says which."""
        while self.content_type is None and not self._ended:
            await self._wait()
        return self.content_type is not None

    def __aiter__(self) -> ResponseStream:
        """The stream itself: it can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece, as it was posted."""
        while not self._chunks:
            if self._ended:
                raise StopAsyncIteration
            await self._wait()
        chunk = self._chunks.popleft()
        self._waiting_bytes -= len(chunk)
        if self._waiting_bytes <= _MOST_WAITING_BYTES:
            self._resume()
        return chunk

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _resume(self) -> None:
        if self._paused and self._source is not None:
            self._paused = False
            self._source.resume_reading()
