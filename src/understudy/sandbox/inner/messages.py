"""What travels over the sockets between the engine, the fork server, process 1 and what waits for its start.

One message is one packet; what is long travels as a file in memory, by descriptor.
"""

import json
import socket
from typing import Any

_FDS_AT_MOST = 16
_MESSAGE_AT_MOST = 65536


def receive(source: socket.socket) -> tuple[bytes, list[int]]:
    """One message with the descriptors that came along, closed on exec; empty when the other end closed."""
    size = socket.CMSG_SPACE(_FDS_AT_MOST * 4)
    message, ancillary, _, _ = source.recvmsg(_MESSAGE_AT_MOST, size, socket.MSG_CMSG_CLOEXEC)
    descriptors: list[int] = []
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            whole = len(data) - len(data) % 4
            descriptors.extend(int.from_bytes(data[at : at + 4], "little") for at in range(0, whole, 4))
    return message, descriptors


def read(descriptor: int) -> dict[str, Any]:
    """The JSON document in the file `descriptor`, which stays open."""
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        document: dict[str, Any] = json.loads(file.read())
    return document
