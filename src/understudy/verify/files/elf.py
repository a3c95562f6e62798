"""ELF as a dynamic loader reads it: from the program headers, never from section headers.

Pure. Stripped and packed libraries have no section headers, and glibc looks at none (System V gABI, chapter
5); so neither do we. Refuses to raise: whatever a file holds, the answer is its facts, with `Elf.damaged` in
glibc's words where the file cannot be loaded. Reads a handful of ranges, so that a library of any size costs
the same. Why not pyelftools: docs/decisions, "verify reads ELF itself".
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from understudy.verify.model import Elf

MAGIC = b"\x7fELF"
Read = Callable[[int, int], bytes]
"""Returns up to this many bytes (second) from this offset (first); fewer at the end."""

TOO_SHORT = "file too short"
CUT = "it ends before its segments do"
"""What glibc does not look at: it maps what is not there, and the first access ends the process."""

_MACHINES = {62: "x86_64", 183: "arm64"}
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_ET_EXEC, _ET_DYN = 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 14, 15, 29
_DT_VERDEF, _DT_VERNEED = 0x6FFFFFFC, 0x6FFFFFFE
_VER_FLG_BASE, _VER_FLG_WEAK = 1, 2
_HEADERS_LIMIT = 512
_DYNAMIC_LIMIT_BYTES = 1 << 16
_RECORDS_LIMIT = 4096
_TEXT_LIMIT_BYTES = 4096
_LINKER_SCRIPTS = (b"/*", b"INPUT", b"GROUP", b"OUTPUT_FORMAT")
_TEXT_CHUNK_BYTES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """One program header."""

    kind: int
    offset: int
    address: int
    file_bytes: int
    align: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What the ELF header says; `order` is the prefix that `struct` wants for the byte order."""

    bits: int
    order: str
    kind: int
    machine: int
    segments: tuple[_Segment, ...]
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dynamic:
    """PT_DYNAMIC: its tags, and where the tables that they point to are in the file."""

    read: Read
    header: _Header
    tags: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def first(self, tag: int) -> int:
        """The value of `tag`, 0 when it is not there."""
        return self.tags.get(tag, (0,))[0]

    def table(self, tag: int) -> int | None:
        """The offset in the file of the table that `tag` points to."""
        return _offset(self.header, self.first(tag)) if tag in self.tags else None

    def text(self, index: int) -> str:
        """The text at `index` of the string table; empty when it lies outside of it."""
        start = self.table(_DT_STRTAB)
        return "" if start is None else _text(self.read, start + index)

    def texts(self, tag: int) -> tuple[str, ...]:
        """The texts that every `tag` names."""
        return tuple(text for value in self.tags.get(tag, ()) if (text := self.text(value)))

    def numbers(self, layout: str, offset: int) -> tuple[int, ...]:
        """The numbers in `layout` at `offset`; empty when the file ends before."""
        size = struct.calcsize(self.header.order + layout)
        data = self.read(offset, size)
        return struct.unpack(self.header.order + layout, data) if len(data) == size else ()


def parse(data: bytes, *, shared_object: bool = False) -> Elf | None:
    """Returns the facts of the file with content `data`; `None` when it is no ELF file.

    Args:
        data: the whole content.
        shared_object: whether its name claims to be a shared object: then anything but one is `damaged`.
    """
    return parse_from(lambda offset, size: data[offset : offset + size], len(data), shared_object)


def parse_from(read: Read, size_bytes: int, shared_object: bool = False) -> Elf | None:
    """Returns what `parse` returns, for a file of `size_bytes` that `read` gives in pieces."""
    start = read(0, 64)
    if not start.startswith(MAGIC):
        return _impostor(start, size_bytes) if shared_object else None
    header = _header(start, read)
    if header is None:
        return Elf(machine="", damaged=TOO_SHORT if size_bytes < 64 else "invalid ELF header")
    dynamic = _dynamic(read, header)
    return Elf(
        machine=_MACHINES.get(header.machine, str(header.machine)),
        bits=header.bits,
        interpreter=_interpreter(read, header),
        soname=dynamic.text(dynamic.first(_DT_SONAME)) if _DT_SONAME in dynamic.tags else "",
        needed=dynamic.texts(_DT_NEEDED),
        rpath=_search_path(dynamic, _DT_RPATH),
        runpath=_search_path(dynamic, _DT_RUNPATH),
        requires=_requires(dynamic),
        defines=_defines(dynamic),
        misaligned=any(_is_misaligned(segment) for segment in header.segments),
        damaged=header.problem or _fault(header, size_bytes, shared_object=shared_object),
    )


def _impostor(start: bytes, size_bytes: int) -> Elf | None:
    """A file that is named like a shared object and is none; a linker script is one for the linker."""
    if size_bytes < 64 and not start.lstrip().startswith(_LINKER_SCRIPTS):
        return Elf(machine="", damaged=TOO_SHORT)
    if start.lstrip().startswith(_LINKER_SCRIPTS):
        return None
    return Elf(machine="", damaged="invalid ELF header")


def _header(start: bytes, read: Read) -> _Header | None:
    bits = {1: 32, 2: 64}.get(start[4] if len(start) > 4 else 0)
    order = {1: "<", 2: ">"}.get(start[5] if len(start) > 5 else 0)
    if bits is None or order is None or len(start) < (64 if bits == 64 else 52):
        return None
    layout, at = ("HHIQQQIHHH", 16) if bits == 64 else ("HHIIIIIHHH", 16)
    kind, machine, _, _, table, _, _, _, entry_bytes, count = struct.unpack_from(order + layout, start, at)
    layout = order + ("IIQQQQQQ" if bits == 64 else "IIIIIIII")
    wanted = min(count, _HEADERS_LIMIT) * entry_bytes
    data = read(table, wanted) if entry_bytes >= struct.calcsize(layout) else b""
    problem = "cannot read file data" if len(data) < wanted or (count and not data) else ""
    rows = range(0, len(data) - struct.calcsize(layout) + 1, entry_bytes or 1)
    segments = tuple(_segment(struct.unpack_from(layout, data, row), bits) for row in rows)
    return _Header(bits=bits, order=order, kind=kind, machine=machine, segments=segments, problem=problem)


def _segment(row: tuple[int, ...], bits: int) -> _Segment:
    # The 32-bit form has its flags elsewhere (gABI, figure 5-1).
    if bits == 64:
        kind, _, offset, address, _, file_bytes, _, align = row
    else:
        kind, offset, address, _, file_bytes, _, _, align = row
    return _Segment(kind=kind, offset=offset, address=address, file_bytes=file_bytes, align=align)


def _is_misaligned(segment: _Segment) -> bool:
    return (
        segment.kind == _PT_LOAD
        and segment.align > 1
        and segment.address % segment.align != segment.offset % segment.align
    )


def _fault(header: _Header, size_bytes: int, *, shared_object: bool) -> str:
    """Why glibc would not load the file, in its words (elf/dl-load.c); empty when it would."""
    if header.kind not in {_ET_EXEC, _ET_DYN}:
        return "only ET_DYN and ET_EXEC can be loaded" if shared_object else ""
    loads = [segment for segment in header.segments if segment.kind == _PT_LOAD]
    if not loads:
        return "object file has no loadable segments"
    if any(segment.offset + segment.file_bytes > size_bytes for segment in loads):
        return CUT
    if shared_object and not any(segment.kind == _PT_DYNAMIC for segment in header.segments):
        return "object file has no dynamic section"
    return ""


def _offset(header: _Header, address: int) -> int | None:
    for segment in header.segments:
        if segment.kind == _PT_LOAD and 0 <= address - segment.address < segment.file_bytes:
            return address - segment.address + segment.offset
    return None


def _interpreter(read: Read, header: _Header) -> str:
    for segment in header.segments:
        if segment.kind == _PT_INTERP:
            data = read(segment.offset, min(segment.file_bytes, _TEXT_LIMIT_BYTES))
            return data.split(b"\0", 1)[0].decode("utf-8", "replace")
    return ""


def _dynamic(read: Read, header: _Header) -> _Dynamic:
    tags: dict[int, list[int]] = {}
    layout = struct.Struct(header.order + ("qQ" if header.bits == 64 else "iI"))
    for segment in header.segments:
        if segment.kind != _PT_DYNAMIC:
            continue
        data = read(segment.offset, min(segment.file_bytes, _DYNAMIC_LIMIT_BYTES))
        whole = len(data) - len(data) % layout.size
        for tag, value in layout.iter_unpack(data[:whole]):
            if tag == 0:
                break
            tags.setdefault(tag, []).append(value)
        break
    return _Dynamic(read=read, header=header, tags={tag: tuple(found) for tag, found in tags.items()})


def _search_path(dynamic: _Dynamic, tag: int) -> tuple[str, ...]:
    return tuple(part for text in dynamic.texts(tag) for part in text.split(":") if part)


def _requires(dynamic: _Dynamic) -> dict[str, frozenset[str]]:
    """DT_VERNEED (LSB core, "Version Requirements"): Verneed, each followed by a chain of Vernaux.

    Weak ones are left out: their absence is no error (glibc, elf/dl-version.c).
    """
    found: dict[str, frozenset[str]] = {}
    budget = iter(range(_RECORDS_LIMIT))
    for at, row in _chain(dynamic, dynamic.table(_DT_VERNEED), "HHIII", budget):
        _, _, library, first, _ = row
        aux = _chain(dynamic, at + first if first else None, "IHHII", budget)
        versions = frozenset(
            text for _, item in aux if not item[1] & _VER_FLG_WEAK and (text := dynamic.text(item[3]))
        )
        name = dynamic.text(library)
        if name:
            found[name] = found.get(name, frozenset()) | versions
    return found


def _defines(dynamic: _Dynamic) -> frozenset[str]:
    """DT_VERDEF (LSB core, "Version Definitions"); the base entry is the file's own name and is left out."""
    found = set()
    for at, row in _chain(dynamic, dynamic.table(_DT_VERDEF), "HHHHIII", iter(range(_RECORDS_LIMIT))):
        flags, first = row[1], row[5]
        name = dynamic.numbers("II", at + first) if first and not flags & _VER_FLG_BASE else ()
        if name and (text := dynamic.text(name[0])):
            found.add(text)
    return frozenset(found)


def _chain(
    dynamic: _Dynamic, at: int | None, layout: str, budget: Iterator[int]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Records that name their successor in their last number; `budget` ends chains made to last for ever."""
    for _ in budget:
        row = dynamic.numbers(layout, at) if at is not None else ()
        if at is None or not row:
            return
        yield at, row
        at = at + row[-1] if row[-1] else None


def _text(read: Read, at: int) -> str:
    data = b""
    while len(data) < _TEXT_LIMIT_BYTES:
        chunk = read(at + len(data), _TEXT_CHUNK_BYTES)
        text, end, _ = chunk.partition(b"\0")
        data += text
        if end or len(chunk) < _TEXT_CHUNK_BYTES:
            break
    return data.decode("utf-8", "replace")
