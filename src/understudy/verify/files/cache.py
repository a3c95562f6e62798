"""Facts of layers kept between runs, under the digest of the blob that they were read from.

The digest, not the diff_id: an image's config only claims a diff_id, and whether the claim is true is one of
the facts. A file that is damaged, or of another version of this module, counts as absent and is written
again. Plain JSON, so that no content of a file can make this program do anything.
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from understudy.image import digests
from understudy.verify.files.facts import Entry, LayerFacts
from understudy.verify.model import Elf

_VERSION = 3
"""Goes up whenever `scan`, `elf` or the form changes what a layer's facts are."""

_MAGIC = b"understudy layer facts %d\n" % _VERSION
_FILES_MAX = 200
_UNFINISHED = ".tmp."
_UNPACKED_MAX_BYTES = 1 << 30
_TOUCH_AGE_S = 3600.0


def load(folder: Path, digest: str) -> LayerFacts | None:
    """Returns the facts of the layer with this digest; `None` when they are not there or are damaged."""
    path = _path(folder, digest)
    try:
        data = path.read_bytes()
        facts = _parse(data)
        if time.time() - path.stat().st_mtime > _TOUCH_AGE_S:
            path.touch()
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, zlib.error, RecursionError):
        return None
    return facts if facts is not None and facts.digest == digest else None


def save(folder: Path, facts: LayerFacts) -> None:
    """Keeps the facts of a sound layer; a folder that cannot be written only costs time in the next run."""
    if facts.problem or not facts.digest:
        return
    with contextlib.suppress(OSError):
        path = _path(folder, facts.digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, _render(facts))
        _prune(path.parent)


def _path(folder: Path, digest: str) -> Path:
    return folder / f"v{_VERSION}" / digests.hex_of(digest)


def _write(path: Path, data: bytes) -> None:
    # Not durable, unlike image.atomic: a power cut may leave a damaged file, which the checksum tells.
    fd, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _prune(folder: Path) -> None:
    files = list(folder.iterdir())
    if len(files) > _FILES_MAX:
        files.sort(key=lambda path: path.stat().st_mtime)
        for path in files[: len(files) - _FILES_MAX]:
            path.unlink(missing_ok=True)


def _render(facts: LayerFacts) -> bytes:
    document = {
        "digest": facts.digest,
        "size": facts.size_bytes,
        "diff_id": facts.diff_id,
        "uncompressed": facts.uncompressed_bytes,
        "plain": facts.plain,
        "entries": [_row(entry) for entry in facts.entries],
    }
    body = zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"), 1)
    return _MAGIC + hashlib.sha256(body).digest() + body


def _parse(data: bytes) -> LayerFacts | None:
    start = len(_MAGIC) + 32
    body = data[start:]
    if not data.startswith(_MAGIC) or hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        return None
    document = json.loads(zlib.decompressobj().decompress(body, _UNPACKED_MAX_BYTES))
    return LayerFacts(
        digest=document["digest"],
        size_bytes=document["size"],
        diff_id=document["diff_id"],
        uncompressed_bytes=document["uncompressed"],
        plain=document["plain"],
        entries=tuple(_entry(row) for row in document["entries"]),
    )


def _row(entry: Entry) -> list[Any]:
    return [
        entry.path,
        entry.kind,
        entry.mode,
        entry.uid,
        entry.gid,
        entry.size_bytes,
        entry.mtime_s,
        entry.link,
        entry.offset,
        None if entry.head is None else entry.head.decode("latin-1"),
        None if entry.content is None else entry.content.decode("latin-1"),
        None if entry.elf is None else _elf_row(entry.elf),
    ]


def _entry(row: list[Any]) -> Entry:
    path, kind, mode, uid, gid, size_bytes, mtime_s, link, offset, head, content, elf = row
    return Entry(
        path=path,
        kind=kind,
        mode=mode,
        uid=uid,
        gid=gid,
        size_bytes=size_bytes,
        mtime_s=mtime_s,
        link=link,
        offset=offset,
        head=None if head is None else head.encode("latin-1"),
        content=None if content is None else content.encode("latin-1"),
        elf=None if elf is None else _elf(elf),
    )


def _elf_row(elf: Elf) -> dict[str, Any]:
    return {
        "machine": elf.machine,
        "bits": elf.bits,
        "interpreter": elf.interpreter,
        "soname": elf.soname,
        "needed": elf.needed,
        "rpath": elf.rpath,
        "runpath": elf.runpath,
        "requires": {name: sorted(versions) for name, versions in elf.requires.items()},
        "defines": sorted(elf.defines),
        "misaligned": elf.misaligned,
        "damaged": elf.damaged,
    }


def _elf(row: dict[str, Any]) -> Elf:
    return Elf(
        machine=row["machine"],
        bits=row["bits"],
        interpreter=row["interpreter"],
        soname=row["soname"],
        needed=tuple(row["needed"]),
        rpath=tuple(row["rpath"]),
        runpath=tuple(row["runpath"]),
        requires={name: frozenset(versions) for name, versions in row["requires"].items()},
        defines=frozenset(row["defines"]),
        misaligned=row["misaligned"],
        damaged=row["damaged"],
    )
