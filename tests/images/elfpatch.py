"""Damages a real extension module, inside the image, by the image's own Python.

``python3 elfpatch.py FILE glibc|needed|misaligned|truncated``: the file asks for a C library of the future,
for a library that nobody has, has a segment off its page, or ends in the middle.
"""

import struct
import sys
from pathlib import Path

_PT_LOAD = 1
_FUTURE = b"GLIBC_9.99"


def sysv_hash(name: bytes) -> int:
    """The hash that a version requirement carries beside its name."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high
    return value & 0xFFFFFFFF


def glibc(data: bytearray) -> None:
    """Asks for GLIBC_9.99 where it asked for a version that there is."""
    for known in (b"GLIBC_2.17", b"GLIBC_2.14", b"GLIBC_2.12"):
        name, asked = data.find(known + b"\0"), struct.pack("<I", sysv_hash(known))
        if name >= 0 and asked in data:
            data[name : name + len(known)] = _FUTURE
            place = data.find(asked)
            data[place : place + 4] = struct.pack("<I", sysv_hash(_FUTURE))
            return
    raise SystemExit("it asks for none of the versions that this looks for")


def needed(data: bytearray) -> None:
    """Needs libcairo.so.2 where it needed libgcc_s.so.1."""
    place = data.index(b"libgcc_s.so.1\0")
    data[place : place + 13] = b"libcairo.so.2"


def misaligned(data: bytearray) -> None:
    """Moves the second segment's content off its page, as old versions of strip did."""
    start, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    loads = [start + 56 * each for each in range(count)]
    loads = [each for each in loads if struct.unpack_from("<I", data, each)[0] == _PT_LOAD]
    (offset,) = struct.unpack_from("<Q", data, loads[1] + 8)
    struct.pack_into("<Q", data, loads[1] + 8, offset + 16)


def truncated(data: bytearray) -> None:
    """Leaves the first half."""
    del data[len(data) // 2 :]


if __name__ == "__main__":
    file = Path(sys.argv[1])
    content = bytearray(file.read_bytes())
    {"glibc": glibc, "needed": needed, "misaligned": misaligned, "truncated": truncated}[sys.argv[2]](content)
    file.write_bytes(content)
