import gzip
import io
import tracemalloc
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.elf_file import ElfFile
from tests.unit.verify.samples import (
    MTIME_S,
    Item,
    digest,
    file,
    folder,
    hardlink,
    opaque,
    packed,
    symlink,
    tar,
    whiteout,
)
from understudy.image.layers import tarformat
from understudy.image.layers.tarformat import Kind, Member
from understudy.verify.files import scan
from understudy.verify.files.facts import Entry, LayerFacts
from understudy.verify.files.stream import Checkpoints


def scanned(blob: bytes) -> LayerFacts:
    return scan.layer(io.BytesIO(blob), Checkpoints())


def entry(*items: Item) -> Entry:
    return scanned(packed(items)).entries[-1]


def test_tells_digests_and_sizes_of_gzip_and_plain() -> None:
    items = [file("a", b"one"), folder("d")]
    for blob in (packed(items), tar(items)):
        facts = scanned(blob)
        assert (facts.digest, facts.diff_id) == (digest(blob), digest(tar(items)))
        assert (facts.size_bytes, facts.uncompressed_bytes) == (len(blob), len(tar(items)))
        assert facts.plain == (blob == tar(items))
        assert facts.problem == ""


def test_tells_every_kind_of_entry() -> None:
    items = [
        folder("var/task", mode=0o750, uid=993, gid=990),
        file("./var/task/app.py", b"x = 1\n", mode=0o600),
        symlink("var/task/link", "../x"),
        hardlink("var/task/hard", "./var/task/app.py"),
        Item(path="dev/null", kind=Kind.CHAR),
        whiteout("old/gone"),
        opaque("cache"),
        file(".wh..wh.plnk/1"),
    ]
    found = [(item.path, item.kind, item.link) for item in scanned(packed(items)).entries]
    assert found == [
        ("/var/task", "dir", ""),
        ("/var/task/app.py", "file", ""),
        ("/var/task/link", "symlink", "../x"),
        ("/var/task/hard", "hardlink", "/var/task/app.py"),
        ("/dev/null", "other", ""),
        ("/old/gone", "whiteout", ""),
        ("/cache", "opaque", ""),
    ]
    first, second, *_ = scanned(packed(items)).entries
    assert (first.mode, first.uid, first.gid) == (0o750, 993, 990)
    assert (second.mode, second.size_bytes, second.mtime_s) == (0o600, 6, MTIME_S)


@pytest.mark.parametrize(
    "path",
    [
        "var/task/x-1.0.dist-info/METADATA",
        "var/task/x-1.0.dist-info/RECORD",
        "var/task/x-1.0.dist-info/WHEEL",
        "var/task/x.egg-info/requires.txt",
        "var/task/x.egg-info",
        "opt/site.pth",
        "opt/venv/pyvenv.cfg",
        "etc/passwd",
        "etc/os-release",
        "etc/ld.so.conf",
        "etc/ld.so.conf.d/x.conf",
    ],
)
def test_keeps_the_content_of_metadata(path: str) -> None:
    assert entry(file(path, b"content")).content == b"content"


def test_keeps_no_other_content() -> None:
    assert entry(file("var/task/app.py", b"x = 1\n")).content is None
    assert entry(file("var/task/x-1.0.dist-info/RECORD", bytes(5 << 20))).content is None


def test_keeps_heads_where_rules_want_them() -> None:
    script = b"#!/bin/sh\nexit\n"
    assert entry(file("entry", script)).head == script
    assert entry(file("entry", script)).content == script
    assert entry(file("big-script", b"#!/bin/sh\n" + bytes(20_000))).content is None
    assert entry(file("m.pyc", bytes(range(200)))).head == bytes(range(16))
    assert entry(file("tool", bytes(1000), mode=0o755)).head == bytes(512)
    assert entry(file("plain.txt", bytes(1000))).head is None


def test_reads_elf_facts_of_small_and_of_large_files() -> None:
    small = ElfFile(soname="libsmall.so").data
    large = ElfFile(soname="liblarge.so", needed=("libc.so.6",), padding=9 << 20).data
    for build in (tar, packed):
        facts = scanned(build([file("lib/a.so", small), file("lib/b.so.1.2", large), file("last", b"1")]))
        found = [item.elf for item in facts.entries]
        assert found[0] is not None
        assert found[1] is not None
        assert found[2] is None
        assert (found[0].soname, found[1].soname, found[1].needed) == (
            "libsmall.so",
            "liblarge.so",
            ("libc.so.6",),
        )


def test_a_file_that_only_claims_to_be_a_shared_object_is_damaged() -> None:
    found = entry(file("x/_core.cpython-313-x86_64-linux-gnu.so", b"")).elf
    assert found is not None
    assert (found.machine, found.damaged) == ("", "file too short")
    assert entry(file("x/notes.txt", b"")).elf is None


SOUND = tar([file("a", b"one"), file("b", b"two")])


@pytest.mark.parametrize(
    ("blob", "problem", "entries"),
    [
        pytest.param(gzip.compress(SOUND)[:-10], "its gzip stream ends too early", 2, id="cut gzip"),
        pytest.param(SOUND[:1024], "", 1, id="no end mark"),
        pytest.param(SOUND[:1026], "it ends inside a header", 1, id="cut header"),
        pytest.param(SOUND[:514], "it ends inside a file", 0, id="cut file"),
        pytest.param(SOUND[:1024] + b"7" * 512, "a header has a wrong checksum", 1, id="no header"),
        pytest.param(tar([file("../a")]), "a path climbs out with '..': ../a", 0, id="climbs"),
        pytest.param(tar([file("x/.wh.")]), "a whiteout names no file: /x/.wh.", 0, id="empty whiteout"),
        pytest.param(b"\x28\xb5\x2f\xfd" + bytes(90), "layer is compressed with zstd", 0, id="zstd"),
    ],
)
def test_a_damaged_layer_has_a_problem_and_what_came_before(blob: bytes, problem: str, entries: int) -> None:
    facts = scanned(blob)
    assert facts.problem.startswith(problem)
    assert bool(facts.problem) == bool(problem)
    assert len(facts.entries) == entries


def test_digests_are_of_the_whole_blob_even_where_the_archive_is_damaged() -> None:
    blob = gzip.compress(SOUND[:1024] + b"x" * 512 + SOUND)
    facts = scanned(blob)
    assert facts.problem
    assert facts.digest == digest(blob)
    assert scanned(blob[:-9]).diff_id == ""


def test_a_disk_that_fails_is_a_problem() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    facts = scan.layer(Broken(b"x"), Checkpoints())
    assert facts.problem == "it cannot be read (Input/output error)"


@given(st.binary(max_size=3000), st.sampled_from(["tar", "gzip", "raw"]))
def test_anything_has_facts(content: bytes, form: str) -> None:
    blob = {"tar": SOUND[:512] + content, "gzip": gzip.compress(SOUND[:1024] + content), "raw": content}[form]
    scanned(blob)


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_changed_layer_has_facts(changes: list[tuple[int, int]]) -> None:
    blob = bytearray(SOUND)
    for position, value in changes:
        blob[position] = value
    scanned(bytes(blob))


class Endless(io.RawIOBase):
    """A plain layer of one file of zeros, made while it is read."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        member = Member(path=b"big", kind=Kind.FILE, size_bytes=size_bytes)
        self._front = tarformat.header(member)
        self._rest = size_bytes + len(tarformat.padding(size_bytes)) + 1024

    def read(self, size: int = -1, /) -> bytes:
        front, self._front = self._front[:size], self._front[size:]
        wanted = min(size - len(front), self._rest)
        self._rest -= wanted
        return front + bytes(wanted)


def peak_bytes(blob: BinaryIO) -> int:
    tracemalloc.start()
    try:
        facts = scan.layer(blob, Checkpoints())
        assert facts.problem == ""
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_follow_the_size_of_a_layer() -> None:
    small, large = (peak_bytes(Endless(size << 20)) for size in (8, 256))  # type: ignore[arg-type]
    assert large < small + (1 << 20)
