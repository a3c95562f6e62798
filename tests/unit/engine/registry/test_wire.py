"""ASGI requests and answers: parsed, bounded, streamed."""

import io
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.engine.ecr.fixtures import receiving, scope_of
from understudy.engine.registry import wire
from understudy.engine.registry.model import RegistryError
from understudy.engine.registry.wire import ClientGoneError, Response


async def reply(response: Response, *, head: bool = False) -> list[Mapping[str, Any]]:
    sent: list[Mapping[str, Any]] = []

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await wire.reply(response, send, head=head)
    return sent


def test_reads_query_and_repeated_headers() -> None:
    scope = scope_of("GET", "/v2/x?n=1&last=a%2Fb&empty=", {"accept": "a/b"})
    scope["headers"].append((b"Accept", b"c/d"))
    request = wire.request_of(scope, receiving(b""))
    assert dict(request.query) == {"n": "1", "last": "a/b", "empty": ""}
    assert request.headers["accept"] == "a/b, c/d"
    assert request.url("/v2/y") == "http://localhost:4566/v2/y"


async def test_body_is_bounded() -> None:
    request = wire.request_of(scope_of("PUT", "/v2/", {}), receiving(b"12345"))
    with pytest.raises(RegistryError) as caught:
        await request.read(4)
    assert caught.value.status == 413


async def test_a_broken_body_is_told_from_a_short_one() -> None:
    request = wire.request_of(scope_of("PUT", "/v2/", {}), receiving([b"12", b"3"]))
    with pytest.raises(ClientGoneError):
        await request.read(100)


async def test_a_file_is_sent_in_pieces_and_closed() -> None:
    file = io.BytesIO(b"x" * 3_000_000)
    sent = await reply(Response(status=206, headers={}, file=file, start=1_000_000, length=1_500_000))
    assert [len(each.get("body", b"")) for each in sent[1:]] == [1 << 20, 1_500_000 - (1 << 20), 0]
    assert file.closed


async def test_head_sends_headers_alone_and_closes_the_file() -> None:
    file = io.BytesIO(b"data")
    sent = await reply(Response(status=200, headers={"Content-Length": "4"}, file=file, length=4), head=True)
    assert (b"content-length", b"4") in sent[0]["headers"]
    assert (sent[1]["body"], file.closed) == (b"", True)
