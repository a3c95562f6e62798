import pytest

from understudy.engine.executeapi.http import HttpResponse
from understudy.engine.httpapi.events import MalformedResponseError
from understudy.engine.urls import prelude
from understudy.sandbox.response_stream import ResponseStream


class Transport:
    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def head(content_type: str, *chunks: bytes) -> HttpResponse:
    stream = ResponseStream()
    stream.begin(content_type, Transport())
    for chunk in chunks:
        stream.feed(chunk)
    stream.end()
    return await prelude.read(stream)


async def test_a_plain_stream_is_the_body_of_a_200() -> None:
    found = await head("text/csv", b"a,b")
    assert (found.status, found.headers, found.body) == (200, [(b"content-type", b"text/csv")], b"")


async def test_the_prelude_may_come_in_pieces_and_with_the_first_of_the_body() -> None:
    text = b'{"statusCode": 201, "headers": {"X-A": "b"}, "cookies": ["c=d"]}' + b"\0" * 8 + b"body"
    found = await head(prelude.CONTENT_TYPE, text[:20], text[20:70], text[70:])
    assert (found.status, found.body) == (201, b"body")
    assert found.headers == [
        (b"x-a", b"b"),
        (b"set-cookie", b"c=d"),
        (b"content-type", b"application/octet-stream"),
    ]


async def test_without_a_status_it_is_a_200() -> None:
    found = await head(prelude.CONTENT_TYPE, b'{"headers": {"content-type": "text/html"}}' + b"\0" * 8)
    assert (found.status, found.headers) == (200, [(b"content-type", b"text/html")])


@pytest.mark.parametrize(
    "chunks",
    [[b"{}"], [b"no json" + b"\0" * 8], [b"[]" + b"\0" * 8], [b" " * 300_000], []],
    ids=["no end", "no JSON", "no object", "too long", "nothing"],
)
async def test_a_stream_without_its_prelude_is_malformed(chunks: list[bytes]) -> None:
    with pytest.raises(MalformedResponseError):
        await head(prelude.CONTENT_TYPE, *chunks)
