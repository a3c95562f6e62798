"""What is written here is what botocore reads."""

from botocore.eventstream import EventStreamBuffer

from understudy.engine.protocol import eventstream


def test_botocore_reads_the_messages_as_they_were_meant() -> None:
    buffer = EventStreamBuffer()
    wire = eventstream.event("PayloadChunk", b"\x00\xffdata", "application/octet-stream")
    wire += eventstream.event("InvokeComplete", b"{}", "application/json")
    for at in range(0, len(wire), 7):
        buffer.add_data(wire[at : at + 7])
    first, last = list(buffer)
    assert first.payload == b"\x00\xffdata"
    assert first.headers == {
        ":event-type": "PayloadChunk",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
    assert (last.headers[":event-type"], last.payload) == ("InvokeComplete", b"{}")
