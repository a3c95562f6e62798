import io
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.elf_file import ElfFile
from tests.unit.verify.samples import digest, file, folder, packed, symlink, whiteout
from understudy.verify.files import cache, scan
from understudy.verify.files.facts import LayerFacts
from understudy.verify.files.stream import Checkpoints

FACTS = scan.layer(
    io.BytesIO(
        packed(
            [
                folder("d"),
                file("d/a.pyc", bytes(range(256))),
                file("caf\udce9/RECORD", b"\xff\x00"),
                file("x-1.dist-info/METADATA", bytes(range(256))),
                file("lib.so", ElfFile(soname="s", requires={"libc.so.6": ("V",)}, defines=("D",)).data),
                symlink("l", "d"),
                whiteout("gone"),
            ]
        )
    ),
    Checkpoints(),
)


def test_gives_back_what_it_was_given(tmp_path: Path) -> None:
    cache.save(tmp_path, FACTS)
    assert cache.load(tmp_path, FACTS.digest) == FACTS


def test_knows_nothing_else(tmp_path: Path) -> None:
    assert cache.load(tmp_path, digest(b"other")) is None
    assert cache.load(tmp_path / "missing", FACTS.digest) is None


def test_a_layer_with_a_problem_is_not_kept(tmp_path: Path) -> None:
    cache.save(tmp_path, replace(FACTS, problem="cut"))
    assert cache.load(tmp_path, FACTS.digest) is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda data: data[:-5], id="cut"),
        pytest.param(lambda data: data[:100] + bytes(10) + data[110:], id="changed"),
        pytest.param(lambda data: data.replace(b"facts ", b"facts 9"), id="another version"),
    ],
)
def test_a_damaged_file_counts_as_absent_and_is_written_again(tmp_path: Path, damage: object) -> None:
    cache.save(tmp_path, FACTS)
    path = next(path for path in tmp_path.rglob("*") if path.is_file())
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert cache.load(tmp_path, FACTS.digest) is None
    cache.save(tmp_path, FACTS)
    assert cache.load(tmp_path, FACTS.digest) == FACTS


def test_a_file_under_another_layers_name_counts_as_absent(tmp_path: Path) -> None:
    cache.save(tmp_path, FACTS)
    path = next(path for path in tmp_path.rglob("*") if path.is_file())
    other = digest(b"other")
    path.rename(path.with_name(other.removeprefix("sha256:")))
    assert cache.load(tmp_path, other) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    cache.save(blocked, FACTS)
    assert cache.load(blocked, FACTS.digest) is None


def test_leaves_no_unfinished_file(tmp_path: Path) -> None:
    cache.save(tmp_path, FACTS)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [FACTS.digest[7:]]


def test_forgets_what_was_not_used_for_longest(tmp_path: Path) -> None:
    small = LayerFacts(
        digest="", size_bytes=1, diff_id=digest(b""), uncompressed_bytes=0, plain=True, entries=()
    )
    for number in range(205):
        facts = replace(small, digest=digest(b"%d" % number))
        cache.save(tmp_path, facts)
        path = next(tmp_path.rglob(facts.digest[7:]))
        os.utime(path, (number, number))
    kept = [number for number in range(205) if next(tmp_path.rglob(digest(b"%d" % number)[7:]), None)]
    assert kept == list(range(5, 205))
