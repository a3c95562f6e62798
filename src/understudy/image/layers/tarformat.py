"""Tar as layers use it: POSIX ustar with pax records to write, plus GNU long names to read.

The standard library's `tarfile` was ruled out for both directions: it stops silently at a damaged header, it
cannot write binary pax values (``security.capability``), and it costs several times more per entry. Refuses
what no builder writes into a layer: sparse members and unknown types. Reading follows Go's ``archive/tar``,
which Docker and containerd use, so that one layer means the same thing here and there.
"""

import functools
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from understudy.errors import UnderstudyError

BLOCK_BYTES = 512
_EXTENSION_LIMIT_BYTES = 1 << 20
_XATTR = b"SCHILY.xattr."
_OCTAL_8 = 0o7777777
_OCTAL_12 = 0o77777777777
_NS = 1_000_000_000


class LayerInvalidError(UnderstudyError):
    """A layer is no sound tar archive, or asks for something that extraction refuses."""


class Kind(Enum):
    """What an entry becomes; values are tar's type flags."""

    FILE = b"0"
    HARDLINK = b"1"
    SYMLINK = b"2"
    CHAR = b"3"
    BLOCK = b"4"
    DIR = b"5"
    FIFO = b"6"


_KINDS = {kind.value: kind for kind in Kind}
_DEVICES = frozenset({Kind.CHAR, Kind.BLOCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One tar header; names are bytes, as the kernel has them."""

    path: bytes
    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size_bytes: int = 0
    mtime_ns: int = 0
    link: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


class Source(Protocol):
    """A byte stream that returns exactly what is asked, less only at its end."""

    def read_exact(self, size_bytes: int) -> bytes:
        """Returns `size_bytes` bytes, fewer at the end of the stream."""


def header(member: Member) -> bytes:
    """Returns the blocks that announce `member`; equal members give equal bytes."""
    path = member.path + (b"/" if member.kind is Kind.DIR else b"")
    records = _records(member, path)
    blocks = b""
    if records:
        body = b"".join(_record(key, records[key]) for key in sorted(records))
        blocks = _block(b"././@PaxHeader", b"x", {"mode": 0o644, "size": len(body)})
        blocks += body + padding(len(body))
    numbers = {
        "mode": member.mode,
        "uid": _bounded(member.uid, _OCTAL_8),
        "gid": _bounded(member.gid, _OCTAL_8),
        "size": _bounded(member.size_bytes, _OCTAL_12),
        "mtime": _bounded(member.mtime_ns // _NS, _OCTAL_12),
    }
    return blocks + _block(path, member.kind.value, numbers, link=member.link, device=member.device)


def padding(size_bytes: int) -> bytes:
    """Returns the zeros that fill the last block of `size_bytes` bytes."""
    return bytes(-size_bytes % BLOCK_BYTES)


def members(source: Source) -> Iterator[Member]:
    """Yields the headers of an archive; the caller consumes content and padding of each before the next.

    Raises:
        LayerInvalidError: a header is damaged, cut short, or of a type that no layer has.
    """
    extended: dict[bytes, bytes] = {}
    while True:
        block = source.read_exact(BLOCK_BYTES)
        if not block.strip(b"\0"):
            if any(source.read_exact(BLOCK_BYTES if block else 0)):
                raise invalid("it goes on after an end mark")
            return
        if len(block) < BLOCK_BYTES:
            raise invalid("it ends inside a header")
        _check_sum(block)
        flag, size = block[156:157], _number(block[124:136])
        if flag in {b"x", b"g", b"L", b"K"}:
            body = _extension(source, size)
            if flag == b"x":
                extended |= _parse_records(body)
            elif flag != b"g":
                extended[b"path" if flag == b"L" else b"linkpath"] = body.rstrip(b"\0")
            continue
        yield _member(block, flag, size, extended)
        extended = {}


def invalid(reason: str, *, path: bytes | None = None) -> LayerInvalidError:
    """Returns the error for a layer that cannot be used because of `reason`."""
    return LayerInvalidError(
        "layer-invalid",
        f"layer is invalid: {reason}",
        hint="rebuild the image with `understudy build` or docker build, and push it again",
        where=None if path is None else path[:300].decode("utf-8", "replace"),
    )


def _records(member: Member, path: bytes) -> dict[bytes, bytes]:
    texts = ((b"path", path), (b"linkpath", member.link))
    records = {key: text for key, text in texts if len(text) > 100 or not text.isascii()}
    if member.size_bytes > _OCTAL_12:
        records[b"size"] = b"%d" % member.size_bytes
    if not 0 <= member.mtime_ns // _NS <= _OCTAL_12:
        records[b"mtime"] = b"%d" % (member.mtime_ns // _NS)
    owners = ((b"uid", member.uid), (b"gid", member.gid))
    records |= {key: b"%d" % number for key, number in owners if number > _OCTAL_8}
    return records | {_XATTR + name.encode(): value for name, value in member.xattrs.items()}


def _record(key: bytes, value: bytes) -> bytes:
    rest = b" " + key + b"=" + value + b"\n"
    size = len(rest) + len(str(len(rest)))
    if len(str(size)) + len(rest) != size:
        size += 1
    return b"%d" % size + rest


def _bounded(number: int, limit: int) -> int:
    return number if 0 <= number <= limit else 0


def _block(
    path: bytes,
    flag: bytes,
    numbers: Mapping[str, int],
    *,
    link: bytes = b"",
    device: tuple[int, int] = (0, 0),
) -> bytes:
    block = bytearray(
        struct.pack(
            "100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x",
            path[:100],
            b"%07o\0" % (numbers["mode"] & 0o7777),
            b"%07o\0" % numbers.get("uid", 0),
            b"%07o\0" % numbers.get("gid", 0),
            b"%011o\0" % numbers["size"],
            b"%011o\0" % numbers.get("mtime", 0),
            b" " * 8,
            flag,
            link[:100],
            b"ustar\0",
            b"00",
            b"",
            b"",
            b"%07o\0" % device[0],
            b"%07o\0" % device[1],
            b"",
        )
    )
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _check_sum(block: bytes) -> None:
    stored = _number(block[148:156])
    if stored == 256 + sum(block) - sum(block[148:156]):
        return
    # Some old writers summed signed bytes (POSIX pax, "chksum", rationale).
    signed = struct.unpack("512b", block)
    if stored != 256 + sum(signed) - sum(signed[148:156]):
        raise invalid("a header has a wrong checksum")


@functools.lru_cache(maxsize=4096)
def _number(field_bytes: bytes) -> int:
    # Modes, owners and times repeat from member to member, so nearly all of them are remembered.
    if field_bytes[0] & 0x80:
        value = int.from_bytes(bytes([field_bytes[0] & 0x7F]) + field_bytes[1:], "big")
        return value - (1 << (8 * len(field_bytes) - 1)) if field_bytes[0] & 0x40 else value
    digits = field_bytes.split(b"\0", 1)[0].strip()
    if not digits:
        return 0
    if digits.strip(b"01234567"):
        raise invalid(f"a header has {field_bytes!r} where a number belongs")
    return int(digits, 8)


def _extension(source: Source, size: int) -> bytes:
    if not 0 <= size <= _EXTENSION_LIMIT_BYTES:
        raise invalid(f"an extended header has {size} bytes, more than {_EXTENSION_LIMIT_BYTES}")
    padded = size + len(padding(size))
    body = source.read_exact(padded)
    if len(body) < padded:
        raise invalid("it ends inside an extended header")
    return body[:size]


def _parse_records(body: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while body:
        digits, space, _ = body.partition(b" ")
        if not space or not digits.isdigit() or len(digits) > 7:
            raise invalid("an extended header has no record length")
        size = int(digits)
        key, equals, value = body[len(digits) + 1 : size - 1].partition(b"=")
        if size > len(body) or body[size - 1 : size] != b"\n" or not equals:
            raise invalid("an extended header has a broken record")
        found[key] = value
        body = body[size:]
    return found


def _member(block: bytes, flag: bytes, size: int, extended: Mapping[bytes, bytes]) -> Member:
    path = extended.get(b"path") or _ustar_path(block)
    if flag == b"S" or (extended and any(key.startswith(b"GNU.sparse.") for key in extended)):
        raise invalid("sparse members are not part of any image builder's output", path=path)
    if flag in {b"\0", b"7"}:
        flag = b"5" if path.endswith(b"/") and flag == b"\0" else b"0"
    kind = _KINDS.get(flag)
    if kind is None:
        raise invalid(f"member type {flag!r} is unknown", path=path)
    if b"size" in extended:
        size = _decimal(extended[b"size"])
    if size < 0:
        raise invalid(f"a member has {size} bytes", path=path)
    return Member(
        path=path,
        kind=kind,
        mode=_number(block[100:108]) & 0o7777,
        uid=_owner(extended.get(b"uid"), block[108:116]),
        gid=_owner(extended.get(b"gid"), block[116:124]),
        size_bytes=size if kind is Kind.FILE else 0,
        mtime_ns=_mtime_ns(extended.get(b"mtime"), block[136:148]),
        link=extended.get(b"linkpath") or block[157:257].split(b"\0", 1)[0],
        device=_device(block) if kind in _DEVICES else (0, 0),
        xattrs=_xattrs(extended) if extended else {},
    )


def _device(block: bytes) -> tuple[int, int]:
    return _number(block[329:337]), _number(block[337:345])


def _xattrs(extended: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {
        key.removeprefix(_XATTR).decode("utf-8", "replace"): value
        for key, value in extended.items()
        if key.startswith(_XATTR)
    }


def _ustar_path(block: bytes) -> bytes:
    name = block[:100].split(b"\0", 1)[0]
    prefix = block[345:500].split(b"\0", 1)[0]
    # GNU's own magic ("ustar  ") uses the prefix field for other things.
    return prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 19:
        raise invalid(f"an extended header has {text[:40]!r} where a number belongs")
    return int(text)


def _owner(text: bytes | None, octal: bytes) -> int:
    number = _number(octal) if text is None else _decimal(text)
    if not 0 <= number < 0xFFFFFFFF:
        raise invalid(f"owner {number} is no user or group id")
    return number


def _mtime_ns(text: bytes | None, octal: bytes) -> int:
    if text is None:
        seconds, fraction = _number(octal), b""
    else:
        whole, _, fraction = text.partition(b".")
        negative = whole.startswith(b"-")
        seconds = _decimal(whole.removeprefix(b"-")) * (-1 if negative else 1)
    nanoseconds = _decimal(fraction[:9].ljust(9, b"0")) if fraction else 0
    # utimensat takes 64-bit seconds; file systems hold fewer. A lie here must not stop a sound layer.
    return min(max(seconds, -(1 << 31)), 1 << 33) * _NS + nanoseconds
