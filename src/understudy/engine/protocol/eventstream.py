"""Messages of `application/vnd.amazon.eventstream`, the framing of answers that come event by event.

botocore reads this format and does not write it. Layout: total length, headers length, CRC of these two;
headers; payload; CRC of everything before
(https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html describes the same format).
"""

import struct
import zlib

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
_FRAME_BYTES = 16


def event(kind: str, payload: bytes, content_type: str) -> bytes:
    """The message of one event.

    Args:
        kind: the member of the event stream's shape, such as ``PayloadChunk``.
        payload: the event's body.
        content_type: what the body is.
    """
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (":event-type", kind),
            (":content-type", content_type),
            (":message-type", "event"),
        )
    )
    lengths = struct.pack(">II", _FRAME_BYTES + len(headers) + len(payload), len(headers))
    start = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers
    return start + payload + struct.pack(">I", zlib.crc32(payload, zlib.crc32(start)))


def _header(name: str, value: str) -> bytes:
    return (
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", _STRING, len(value))
        + value.encode()
    )
