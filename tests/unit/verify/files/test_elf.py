import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.elf_file import ElfFile
from understudy.verify.files import elf

FULL = ElfFile(
    interpreter="/lib64/ld-linux-x86-64.so.2",
    soname="libthing.so.1",
    needed=("libpq.so.5", "libc.so.6"),
    rpath="$ORIGIN/../lib:/opt/lib",
    runpath="$ORIGIN",
    requires={"libc.so.6": ("GLIBC_2.34", "GLIBC_2.38"), "libpq.so.5": ("RHPG_9.6",)},
    defines=("THING_1.0", "THING_1.1"),
)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_reads_what_a_loader_reads_in_every_class_and_byte_order(bits: int, order: str) -> None:
    made = ElfFile(
        bits=bits,
        order=order,
        machine=183,
        interpreter=FULL.interpreter,
        soname=FULL.soname,
        needed=FULL.needed,
        rpath=FULL.rpath,
        runpath=FULL.runpath,
        requires=FULL.requires,
        defines=FULL.defines,
    )
    found = elf.parse(made.data, shared_object=True)
    assert found is not None
    assert (found.machine, found.bits, found.damaged, found.misaligned) == ("arm64", bits, "", False)
    assert (found.interpreter, found.soname) == (FULL.interpreter, FULL.soname)
    assert found.needed == ("libpq.so.5", "libc.so.6")
    assert (found.rpath, found.runpath) == (("$ORIGIN/../lib", "/opt/lib"), ("$ORIGIN",))
    assert found.requires == {
        "libc.so.6": frozenset({"GLIBC_2.34", "GLIBC_2.38"}),
        "libpq.so.5": frozenset({"RHPG_9.6"}),
    }
    assert found.defines == frozenset({"THING_1.0", "THING_1.1"})


def test_leaves_out_versions_that_are_wanted_weakly() -> None:
    found = elf.parse(ElfFile(requires={"a": ("V1", "V2")}, weak=frozenset({"V2"})).data)
    assert found is not None
    assert found.requires == {"a": frozenset({"V1"})}


def test_names_machines_in_lambdas_words_and_others_by_number() -> None:
    found = [elf.parse(ElfFile(machine=number).data) for number in (62, 183, 40)]
    assert [item.machine for item in found if item] == ["x86_64", "arm64", "40"]


def test_a_file_that_is_no_elf_has_no_facts() -> None:
    assert elf.parse(b"#!/bin/sh\n") is None
    assert elf.parse(b"") is None


@pytest.mark.parametrize(
    ("content", "damaged"),
    [
        pytest.param(b"", "file too short", id="empty"),
        pytest.param(b"\x7fELF\x02\x01\x01", "file too short", id="cut in the header"),
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\n",
            "invalid ELF header",
            id="git lfs pointer",
        ),
        pytest.param(b"\x7fELF\x09" + bytes(60), "invalid ELF header", id="no known class"),
        pytest.param(FULL.data[:400], elf.CUT, id="cut in a segment"),
        pytest.param(FULL.data[:100], "cannot read file data", id="cut in the program headers"),
        pytest.param(ElfFile(dynamic=False).data, "object file has no dynamic section", id="not dynamic"),
        pytest.param(ElfFile(kind=1).data, "only ET_DYN and ET_EXEC can be loaded", id="an object file"),
        pytest.param(FULL.data, "", id="sound"),
    ],
)
def test_says_in_glibcs_words_why_a_shared_object_does_not_load(content: bytes, damaged: str) -> None:
    found = elf.parse(content, shared_object=True)
    assert found is not None
    assert found.damaged == damaged


def test_a_linker_script_is_no_damaged_library() -> None:
    script = b"/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( /lib64/libc.so.6 )\n"
    assert elf.parse(script, shared_object=True) is None
    assert elf.parse(b"INPUT(libncursesw.so.6)\n", shared_object=True) is None


def test_sees_a_segment_whose_address_does_not_fit_its_offset() -> None:
    found = elf.parse(ElfFile(skew=0x10).data)
    assert found is not None
    assert found.misaligned


def test_reads_a_few_ranges_of_a_large_file() -> None:
    data = ElfFile(soname="libbig.so", needed=("libc.so.6",), padding=32 << 20).data
    read_bytes = 0

    def read(offset: int, size: int) -> bytes:
        nonlocal read_bytes
        read_bytes += size
        return data[offset : offset + size]

    found = elf.parse_from(read, len(data), True)
    assert found is not None
    assert (found.soname, found.needed, found.damaged) == ("libbig.so", ("libc.so.6",), "")
    assert read_bytes < 4096


@given(st.binary(max_size=200), st.booleans())
def test_anything_has_facts_or_none(content: bytes, claims: bool) -> None:
    elf.parse(content, shared_object=claims)
    elf.parse(elf.MAGIC + content, shared_object=claims)


@given(st.data())
def test_a_changed_file_never_raises(data: st.DataObject) -> None:
    made = ElfFile(
        bits=data.draw(st.sampled_from([32, 64])),
        order=data.draw(st.sampled_from("<>")),
        needed=("a",),
        requires={"a": ("V1", "V2")},
        defines=("D",),
        soname="s",
    ).data
    content = bytearray(made)
    for position, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(made) - 1), st.integers(0, 255)), max_size=12)
    ):
        content[position] = value
    cut = data.draw(st.integers(0, len(made)))
    elf.parse(bytes(content[:cut]), shared_object=True)


def test_a_chain_of_versions_that_runs_into_itself_ends() -> None:
    # Verneed records 1 byte apart, over a region of ones: each names its successor right behind it.
    data = bytearray(ElfFile(requires={"a": ("V",)}, padding=1 << 20, soname="s").data)
    start = data.index(b"s\0") + 16
    data[start : start + (1 << 19)] = b"\x01\x00" * (1 << 18)
    assert elf.parse(bytes(data)) is not None


def test_agrees_with_pyelftools_on_the_libraries_of_this_machine() -> None:
    from tests.unit.verify.files import by_pyelftools

    libraries = sorted(Path("/usr/lib").glob("*-linux-gnu*/lib[cmsz]*.so*"))[:40]
    for path in [Path(sys.executable), *libraries, *map(Path, filter(None, [shutil.which("ls")]))]:
        data = path.read_bytes()
        found = elf.parse(data)
        if found is not None:
            facts = (
                found.needed,
                found.soname,
                dict(found.requires),
                found.defines,
                found.interpreter,
                found.rpath,
                found.runpath,
            )
            assert facts == by_pyelftools.facts(data), path
