"""One streaming pass over a layer: digests, entries, ELF facts, and the small files that rules live on.

Nothing is written and nothing is held that grows with the layer's content. Names and whiteouts mean what they
mean to `image.layers.extract`. Refuses to raise for anything that a layer may hold: a damaged layer has a
`problem` and the entries before the damage.
"""

import contextlib
import re
from dataclasses import replace
from typing import BinaryIO

from understudy.errors import UnderstudyError
from understudy.image.layers import tarformat
from understudy.image.layers import tree as names
from understudy.image.layers.tarformat import Kind, Member
from understudy.verify.files import elf
from understudy.verify.files.facts import Entry, EntryKind, LayerFacts
from understudy.verify.files.random_access import LayerReader
from understudy.verify.files.stream import Checkpoints, LayerStream

HEAD_BYTES = 512
LIMIT_BYTES = 64 << 30
"""Far above the 10 GB of Lambda: an image that is too large is a finding, not a layer that cannot be read."""

_NS = 1_000_000_000
_PYC_HEAD_BYTES = 16
_ELF_WHOLE_BYTES = 8 << 20
_KEPT_FILE_BYTES = 4 << 20
_KEPT_SCRIPT_BYTES = 16 << 10
_KEPT_LAYER_BYTES = 32 << 20
_ENTRIES_MAX = 4_000_000
_WHITEOUT = ".wh."
_WHITEOUT_META = ".wh..wh."
_OPAQUE = ".wh..wh..opq"
_SHARED_OBJECT = re.compile(r"\.so(?:\.[0-9]+)*\Z")
_KEPT = re.compile(
    r"""
      \.dist-info/(?:METADATA|WHEEL|RECORD|entry_points\.txt|top_level\.txt|direct_url\.json|namespace_packages\.txt)\Z
    | \.egg-info(?:/[^/]+)?\Z
    | \.pth\Z | \.egg-link\Z
    | /pyvenv\.cfg\Z
    | \A/etc/(?:passwd|group|os-release|ld\.so\.conf(?:\.d/[^/]+)?)\Z
    | \A/usr/lib/os-release\Z
    """,
    re.VERBOSE,
)
_KINDS: dict[Kind, EntryKind] = {
    Kind.HARDLINK: "hardlink",
    Kind.SYMLINK: "symlink",
    Kind.DIR: "dir",
}


def layer(blob: BinaryIO, checkpoints: Checkpoints) -> LayerFacts:
    """Returns the facts of the layer in `blob` and leaves in `checkpoints` where it can be entered again.

    Args:
        blob: at its start, gzip or plain; can seek.
        checkpoints: empty.
    """
    scanner = _Scanner(blob, checkpoints)
    problem = ""
    try:
        scanner.run()
    except UnderstudyError as exc:
        problem = exc.message.removeprefix("layer is invalid: ")
        if exc.where:
            problem = f"{problem}: {exc.where}"
    except OSError as exc:
        problem = f"it cannot be read ({exc.strerror or exc})"
    return scanner.facts(problem)


class _Scanner:
    """The pass; its fields are what it has learnt so far."""

    def __init__(self, blob: BinaryIO, checkpoints: Checkpoints) -> None:
        self._blob = blob
        self._checkpoints = checkpoints
        self._stream = LayerStream(blob, checkpoints, limit_bytes=LIMIT_BYTES, hashed=True)
        self._entries: list[Entry] = []
        self._large: list[int] = []
        self._kept_bytes = 0
        self._whole = False

    def run(self) -> None:
        """Reads the layer to its end.

        Raises:
            UnderstudyError: it is damaged; what came before the damage is kept.
        """
        try:
            for member in tarformat.members(self._stream):
                if len(self._entries) >= _ENTRIES_MAX:
                    raise tarformat.invalid(f"it has more than {_ENTRIES_MAX} entries")
                self._member(member)
        finally:
            # Digests are of the whole blob, also where the archive in it is damaged.
            with contextlib.suppress(UnderstudyError, OSError):
                self._stream.drain()
                self._whole = True
        if not self._whole:
            self._stream.drain()
        self._read_large()

    def facts(self, problem: str) -> LayerFacts:
        """What is known, with the `problem` that ended the pass."""
        return LayerFacts(
            digest=self._stream.digest if self._whole else "",
            size_bytes=self._stream.packed_bytes,
            diff_id=self._stream.diff_id if self._whole else "",
            uncompressed_bytes=self._stream.offset,
            plain=self._checkpoints.plain,
            entries=tuple(self._entries),
            problem=problem,
        )

    def _member(self, member: Member) -> None:
        path = _path(member.path)
        name = path.rpartition("/")[2]
        if name.startswith(_WHITEOUT) or path.startswith(f"/{_WHITEOUT_META}"):
            self._skip(member.size_bytes)
            self._whiteout(path, name)
        elif member.kind is Kind.FILE:
            self._file(path, member)
        else:
            self._skip(member.size_bytes)
            self._entries.append(_entry(path, member))

    def _whiteout(self, path: str, name: str) -> None:
        folder = path.removesuffix(f"/{name}") or "/"
        if name == _OPAQUE:
            self._entries.append(Entry(path=folder, kind="opaque"))
        elif name.startswith(_WHITEOUT) and not name.startswith(_WHITEOUT_META):
            victim = name.removeprefix(_WHITEOUT)
            if victim in {"", ".", ".."}:
                raise tarformat.invalid("a whiteout names no file", path=path.encode("utf-8", "replace"))
            self._entries.append(Entry(path=f"{folder.rstrip('/')}/{victim}", kind="whiteout"))

    def _file(self, path: str, member: Member) -> None:
        start = self._stream.offset
        first = self._stream.read_exact(min(member.size_bytes, HEAD_BYTES))
        rest = member.size_bytes - len(first)
        is_elf = first.startswith(elf.MAGIC)
        keep = self._is_kept(path, member.size_bytes, first)
        data = first
        if rest and (keep or (is_elf and member.size_bytes <= _ELF_WHOLE_BYTES)):
            data = self._stream.read_exact(rest, first)
            rest -= len(data) - len(first)
        self._skip(rest, padding=-member.size_bytes % tarformat.BLOCK_BYTES)
        facts = None
        claims = _SHARED_OBJECT.search(path) is not None
        if is_elf and len(data) < member.size_bytes:
            self._large.append(len(self._entries))
        elif is_elf or claims:
            facts = elf.parse_from(lambda at, size: data[at : at + size], member.size_bytes, claims)
        if keep:
            self._kept_bytes += len(data)
        self._entries.append(
            Entry(
                path=path,
                kind="file",
                mode=member.mode,
                uid=member.uid,
                gid=member.gid,
                size_bytes=member.size_bytes,
                mtime_s=member.mtime_ns // _NS,
                offset=start,
                head=head_of(path, member.mode, first),
                content=data if keep else None,
                elf=facts,
            )
        )

    def _is_kept(self, path: str, size_bytes: int, first: bytes) -> bool:
        if size_bytes > _KEPT_FILE_BYTES or self._kept_bytes + size_bytes > _KEPT_LAYER_BYTES:
            return False
        is_script = first.startswith(b"#!") and size_bytes <= _KEPT_SCRIPT_BYTES
        return is_script or _KEPT.search(path) is not None

    def _skip(self, size_bytes: int, *, padding: int | None = None) -> None:
        if padding is None:
            padding = -size_bytes % tarformat.BLOCK_BYTES
        # Padding that is missing at the very end harms nobody.
        if self._stream.skip(size_bytes + padding) < size_bytes:
            raise tarformat.invalid("it ends inside a file")

    def _read_large(self) -> None:
        """Reads the few ranges that matter of ELF files too large to be held."""
        if not self._large:
            return
        reader = LayerReader(self._blob, self._checkpoints, limit_bytes=LIMIT_BYTES)
        for position in self._large:
            entry = self._entries[position]
            claims = _SHARED_OBJECT.search(entry.path) is not None
            found = elf.parse_from(reader.window(entry.offset, entry.size_bytes), entry.size_bytes, claims)
            self._entries[position] = replace(entry, elf=found)


def head_of(path: str, mode: int, first: bytes) -> bytes | None:
    """Returns as much of a file's first 512 bytes as rules want of every such file; `None` for the rest.

    16 bytes of bytecode, everything of scripts, of executables and of ELF files.
    """
    if path.endswith(".pyc"):
        return first[:_PYC_HEAD_BYTES]
    if mode & 0o111 or first.startswith((b"#!", elf.MAGIC)):
        return first
    return None


def _entry(path: str, member: Member) -> Entry:
    """The entry of anything but a file."""
    return Entry(
        path=path,
        kind=_KINDS.get(member.kind, "other"),
        mode=member.mode,
        uid=member.uid,
        gid=member.gid,
        mtime_s=member.mtime_ns // _NS,
        link=_path(member.link) if member.kind is Kind.HARDLINK else _text(member.link),
    )


def _path(name: bytes) -> str:
    return _text(b"/" + b"/".join(names.split(name)))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
