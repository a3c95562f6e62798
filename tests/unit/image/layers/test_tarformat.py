import io
import tarfile

import pytest

from understudy.image.layers import tarformat
from understudy.image.layers.gzipstream import LayerReader
from understudy.image.layers.tarformat import Kind, LayerInvalidError, Member

MEMBERS = {
    "file": Member(path=b"a/b", kind=Kind.FILE, mode=0o4755, uid=5, gid=6, size_bytes=3, mtime_ns=7 * 10**9),
    "directory": Member(path=b"dir", kind=Kind.DIR, mode=0o1777),
    "symlink": Member(path=b"link", kind=Kind.SYMLINK, mode=0o777, link=b"../target"),
    "hardlink": Member(path=b"hard", kind=Kind.HARDLINK, link=b"a/b"),
    "device": Member(path=b"dev", kind=Kind.CHAR, device=(10, 200)),
    "long names": Member(path=b"p" * 300, kind=Kind.SYMLINK, link=b"t" * 300),
    "bytes that are no text": Member(path=b"\xff\xfe", kind=Kind.DIR),
    "large ids": Member(path=b"ids", kind=Kind.DIR, uid=2**31, gid=2**31 + 1),
    "old": Member(path=b"old", kind=Kind.DIR, mtime_ns=-5 * 10**9),
    "attributes": Member(
        path=b"cap", kind=Kind.DIR, xattrs={"security.capability": b"\x01\0\n=\xff", "user.a": b""}
    ),
}


def read(raw: bytes) -> list[Member]:
    source = LayerReader(io.BytesIO(raw), limit_bytes=1 << 40)
    found = []
    for member in tarformat.members(source):
        source.read_exact(member.size_bytes + len(tarformat.padding(member.size_bytes)))
        found.append(member)
    return found


@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS.keys())
def test_header_is_read_back(member: Member) -> None:
    (found,) = read(
        tarformat.header(member) + bytes(member.size_bytes) + tarformat.padding(member.size_bytes)
    )
    expected_path = member.path + b"/" if member.kind is Kind.DIR else member.path
    assert found == Member(
        **{name: getattr(member, name) for name in Member.__slots__} | {"path": expected_path}
    )
    assert tarformat.header(member) == tarformat.header(member)


def test_python_reads_what_we_write() -> None:
    raw = b"".join(
        tarformat.header(member) + bytes(512 if member.size_bytes else 0) for member in MEMBERS.values()
    )
    with tarfile.open(fileobj=io.BytesIO(raw + bytes(1024))) as archive:
        names = [info.name.encode(errors="surrogateescape") for info in archive]
        assert names == [member.path for member in MEMBERS.values()]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_we_read_what_python_writes(form: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        info = tarfile.TarInfo("folder/" * 20 + "name")
        info.size, info.mtime = 3, 1_700_000_000
        archive.addfile(info, io.BytesIO(b"abc"))
        if form != tarfile.USTAR_FORMAT:
            link = tarfile.TarInfo("l" * 200)
            link.type, link.linkname, link.uid = tarfile.SYMTYPE, "t" * 200, 3_000_000
            archive.addfile(link)
    first, *rest = read(buffer.getvalue())
    assert (first.path, first.size_bytes, first.mtime_ns) == (
        b"folder/" * 20 + b"name",
        3,
        1_700_000_000 * 10**9,
    )
    assert [(member.link, member.uid) for member in rest] in ([], [(b"t" * 200, 3_000_000)])


def test_fractions_of_seconds_are_kept() -> None:
    records = b"".join(tarformat._record(b"mtime", value) for value in (b"1.5",))
    block = tarformat._block(b"x", b"x", {"mode": 0, "size": len(records)})
    raw = (
        block + records + tarformat.padding(len(records)) + tarformat.header(Member(path=b"a", kind=Kind.DIR))
    )
    assert read(raw)[0].mtime_ns == 1_500_000_000


def pax(*records: bytes) -> bytes:
    body = b"".join(records)
    block = tarformat._block(b"x", b"x", {"mode": 0, "size": len(body)})
    return block + body + tarformat.padding(len(body)) + tarformat.header(Member(path=b"a", kind=Kind.FILE))


GOOD = tarformat.header(Member(path=b"a", kind=Kind.FILE))
BROKEN = {
    "noise": b"noise" * 200,
    "cut header": GOOD[:100],
    "wrong checksum": b"b" + GOOD[1:],
    "goes on after an end mark": bytes(512) + GOOD,
    "unknown type": tarformat._block(b"a", b"Z", {"mode": 0, "size": 0}),
    "text for a number": tarformat._block(b"a", b"0", {"mode": 0, "size": 0})[:124]
    + b"twelve chars"
    + bytes(376),
    "sparse": tarformat._block(b"a", b"S", {"mode": 0, "size": 0}),
    "sparse in pax": pax(tarformat._record(b"GNU.sparse.major", b"1")),
    "record without length": pax(b"xx path=a\n"),
    "record too long": pax(b"99 path=a\n"),
    "record without end": pax(b"9 path=ab"),
    "record without value": pax(b"7 path\n"),
    "size of letters": pax(tarformat._record(b"size", b"ten")),
    "size below zero": pax(tarformat._record(b"size", b"-1")),
    "owner beyond 32 bits": pax(tarformat._record(b"uid", b"4294967295")),
    "long extended header": tarformat._block(b"x", b"x", {"mode": 0, "size": 2 << 20}),
    "cut extended header": tarformat._block(b"x", b"x", {"mode": 0, "size": 600}) + b"6 a=b\n",
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_damage_is_an_error_and_never_a_silent_end(raw: bytes) -> None:
    with pytest.raises(LayerInvalidError):
        read(raw)


def test_binary_numbers_of_gnu_are_read() -> None:
    block = bytearray(tarformat._block(b"a", b"5", {"mode": 0, "size": 0}))
    block[108:116] = b"\x80" + (3_000_000).to_bytes(7, "big")
    block[136:148] = b"\xff" + (2**88 - 9).to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    (member,) = read(bytes(block))
    assert (member.uid, member.mtime_ns) == (3_000_000, -9 * 10**9)
