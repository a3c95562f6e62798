"""The head of a streamed HTTP answer, which the function sends as the first bytes of its stream.

With the content type `application/vnd.awslambda.http-integration-response` a stream starts with a JSON
document (status, headers, cookies) and eight NUL bytes; what follows is the body. Without it, the stream is
the body of a 200 in the runtime's own content type. As `awslambda.HttpResponseStream` of AWS's Node.js
runtime and the Lambda Web Adapter write it.
"""

import json
from collections.abc import AsyncIterator

from understudy.engine.executeapi.http import HttpResponse
from understudy.engine.httpapi import events
from understudy.engine.httpapi.events import MalformedResponseError
from understudy.sandbox.response_stream import ResponseStream

CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
_END = b"\0" * 8
_MOST_BYTES = 256 * 1024


async def read(stream: ResponseStream) -> HttpResponse:
    """The head of a stream that has started; its body is what has come behind the head so far.

    Raises:
        MalformedResponseError: the stream announced a prelude and has none.
    """
    content_type = stream.content_type or ""
    if content_type.partition(";")[0].strip().lower() != CONTENT_TYPE:
        return HttpResponse(status=200, headers=[(b"content-type", content_type.encode("latin-1"))])
    begun = await _until_end(stream)
    text, _, rest = begun.partition(_END)
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise MalformedResponseError("the prelude of the stream is no JSON") from exc
    if not isinstance(document, dict):
        raise MalformedResponseError("the prelude of the stream is no object")
    head = {"statusCode": 200, **document, "body": ""}
    parsed = events.parse_response(json.dumps(head).encode(), "2.0", b"application/octet-stream")
    return HttpResponse(status=parsed.status, headers=parsed.headers, body=rest)


async def _until_end(chunks: AsyncIterator[bytes]) -> bytes:
    begun = b""
    async for chunk in chunks:
        begun += chunk
        if _END in begun:
            return begun
        if len(begun) > _MOST_BYTES:
            break
    raise MalformedResponseError("the stream has no prelude")
