"""What moto server lacks of AWS, added in front of it."""

import re
from dataclasses import replace

from tests.doubles.server import Forward
from tests.doubles.wire import Call, Message

_TAGS = re.compile(rb"<Tags>(.*)</Tags>", re.DOTALL)


async def bucket_tags(call: Call, forward: Forward) -> Message:
    """A bucket has its tags from the start, as AWS gives them; moto forgets those of CreateBucket."""
    answer = await forward(call)
    tags = _TAGS.search(call.request.body) if call.operation == "CreateBucket" else None
    if tags and answer.status == 200:
        body = b"<Tagging><TagSet>" + tags.group(1) + b"</TagSet></Tagging>"
        start = f"PUT {call.request.target}?tagging HTTP/1.1"
        await forward(replace(call, request=replace(call.request, start=start, body=body)))
    return answer
