"""ELF files made to measure, with program headers only: what a loader reads and nothing else."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PAGE = 0x1000
_BASE = 0x400000


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFile:
    """One file; `data` is its content.

    Attributes:
        weak: versions in `requires` whose absence is no error.
        skew: added to the address of the second segment, so that it no longer fits its offset.
        padding: bytes between the tables and PT_DYNAMIC; makes a file large.
        dynamic: whether there is a PT_DYNAMIC at all.
    """

    bits: int = 64
    order: str = "<"
    machine: int = 62
    kind: int = 3
    interpreter: str = ""
    soname: str = ""
    needed: Sequence[str] = ()
    rpath: str = ""
    runpath: str = ""
    requires: Mapping[str, Sequence[str]] = field(default_factory=dict)
    weak: frozenset[str] = frozenset()
    defines: Sequence[str] = ()
    skew: int = 0
    padding: int = 0
    dynamic: bool = True

    @property
    def data(self) -> bytes:
        """The file's content."""
        head = 64 if self.bits == 64 else 52
        entry = 56 if self.bits == 64 else 32
        count = 2 + self.dynamic + bool(self.interpreter)
        at = head + entry * count
        texts, index = self._texts()
        interp = self.interpreter.encode() + b"\0" if self.interpreter else b""
        strings_at = at + len(interp)
        need_at = _aligned(strings_at + len(texts))
        need = self._verneed(index)
        def_at = need_at + len(need)
        definitions = self._verdef(index)
        dynamic_at = _aligned(def_at + len(definitions) + self.padding)
        tags = self._tags(index, strings_at, need_at if need else 0, def_at if definitions else 0)
        body = b"".join(self._pair(tag, value) for tag, value in tags) if self.dynamic else b""
        size = dynamic_at + len(body)
        second = (1, dynamic_at, _BASE + PAGE + dynamic_at + self.skew, len(body), PAGE)
        segments = [(1, 0, _BASE, dynamic_at, PAGE), second]
        if self.dynamic:
            segments.append((2, dynamic_at, _BASE + PAGE + dynamic_at, len(body), 8))
        if interp:
            segments.append((3, at, _BASE + at, len(interp), 1))
        parts = self._header(head, entry, len(segments)), *(self._segment(*row) for row in segments)
        front = b"".join(parts) + interp + texts
        front = front.ljust(need_at, b"\0") + need + definitions
        return (front.ljust(dynamic_at, b"\0") + body).ljust(size, b"\0")

    def _texts(self) -> tuple[bytes, dict[str, int]]:
        table, index = bytearray(b"\0"), {"": 0}
        for text in (
            *self.needed,
            self.soname,
            self.rpath,
            self.runpath,
            *self.defines,
            *(text for name, versions in self.requires.items() for text in (name, *versions)),
        ):
            if text not in index:
                index[text] = len(table)
                table += text.encode() + b"\0"
        return bytes(table), index

    def _tags(self, index: Mapping[str, int], strings: int, need: int, define: int) -> list[tuple[int, int]]:
        tags = [(1, index[name]) for name in self.needed]
        tags += [(5, _BASE + strings)]
        for tag, text in ((14, self.soname), (15, self.rpath), (29, self.runpath)):
            tags += [(tag, index[text])] if text else []
        if need:
            tags += [(0x6FFFFFFE, _BASE + need), (0x6FFFFFFF, len(self.requires))]
        if define:
            tags += [(0x6FFFFFFC, _BASE + define), (0x6FFFFFFD, len(self.defines) + 1)]
        return [*tags, (0, 0)]

    def _verneed(self, index: Mapping[str, int]) -> bytes:
        out = b""
        for position, (name, versions) in enumerate(self.requires.items()):
            last = position == len(self.requires) - 1
            following = 0 if last else 16 + 16 * len(versions)
            out += struct.pack(self.order + "HHIII", 1, len(versions), index[name], 16, following)
            for number, version in enumerate(versions):
                step = 0 if number == len(versions) - 1 else 16
                out += struct.pack(
                    self.order + "IHHII",
                    0,
                    2 if version in self.weak else 0,
                    number + 2,
                    index[version],
                    step,
                )
        return out

    def _verdef(self, index: Mapping[str, int]) -> bytes:
        if not self.defines:
            return b""
        names = [(1, self.soname), *((0, version) for version in self.defines)]
        out = b""
        for position, (flags, name) in enumerate(names):
            following = 0 if position == len(names) - 1 else 28
            out += struct.pack(self.order + "HHHHIII", 1, flags, position + 1, 1, 0, 20, following)
            out += struct.pack(self.order + "II", index[name], 0)
        return out

    def _pair(self, tag: int, value: int) -> bytes:
        return struct.pack(self.order + ("qQ" if self.bits == 64 else "iI"), tag, value)

    def _header(self, head: int, entry: int, count: int) -> bytes:
        ident = b"\x7fELF" + bytes((2 if self.bits == 64 else 1, 1 if self.order == "<" else 2, 1)) + bytes(9)
        layout = self.order + ("HHIQQQIHHHHHH" if self.bits == 64 else "HHIIIIIHHHHHH")
        return ident + struct.pack(
            layout, self.kind, self.machine, 1, 0, head, 0, 0, head, entry, count, 0, 0, 0
        )

    def _segment(self, kind: int, offset: int, address: int, size: int, align: int) -> bytes:
        if self.bits == 64:
            row = (kind, 5, offset, address, address, size, size, align)
            return struct.pack(self.order + "IIQQQQQQ", *row)
        return struct.pack(self.order + "IIIIIIII", kind, offset, address, address, size, size, 5, align)


def _aligned(offset: int) -> int:
    return (offset + 7) // 8 * 8
