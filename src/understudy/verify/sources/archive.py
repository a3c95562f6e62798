"""Images in one tar file: an OCI layout, or what ``docker save`` and its kin write.

The archive is read where it is: its members are found in one pass that skips content. A compressed archive is
unpacked once into a file without a name, which ends with the process. Docker's older form has no image
manifest; one is made up from ``manifest.json`` and the source says so (`ImageSource.exported`).
"""

import contextlib
import hashlib
import os
import posixpath
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image import digests, fields, model
from understudy.image import reference as references
from understudy.image.fields import Fields
from understudy.image.layers import tarformat
from understudy.image.layers.tarformat import Kind
from understudy.image.model import Image
from understudy.verify.sources import documents, layout, ranges
from understudy.verify.sources.model import ImageNotFoundError, ImageSource, ImageUnreadableError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_CHUNK_BYTES: Final = 1 << 20
_MEMBERS_MAX: Final = 100_000
_LINKS_MAX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """A file of the archive, or a link to one."""

    start: int
    size_bytes: int
    link: str = ""


class Archive:
    """The members of an open tar file; a blob is looked for by digest, then by the name it was given.

    Attributes:
        where: names the archive in errors.
    """

    def __init__(self, fd: int, where: str) -> None:
        self.where = where
        self._fd = fd
        self._members: dict[str, _Member] = {}
        self._names: dict[str, str] = {}

    def index(self) -> None:
        """Finds the members.

        Raises:
            LayerInvalidError: the archive is damaged.
        """
        source = _Skipping(self._fd)
        for member in tarformat.members(source):
            name = _clean(member.path.decode("utf-8", "replace"))
            if member.kind in {Kind.FILE, Kind.SYMLINK, Kind.HARDLINK}:
                link = member.link.decode("utf-8", "replace")
                if member.kind is Kind.SYMLINK:
                    link = posixpath.join(posixpath.dirname(name), link)
                self._members[name] = _Member(
                    start=source.offset,
                    size_bytes=member.size_bytes,
                    link="" if member.kind is Kind.FILE else _clean(link),
                )
            source.offset += member.size_bytes + len(tarformat.padding(member.size_bytes))
            if len(self._members) > _MEMBERS_MAX:
                raise tarformat.invalid(f"an archive of an image has more than {_MEMBERS_MAX} members")

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return self._find(name) is not None

    def size(self, name: str) -> int:
        """The length of the file `name`, 0 when there is none."""
        member = self._find(name)
        return 0 if member is None else member.size_bytes

    def name(self, digest: str, member: str) -> None:
        """Lets `digest` mean the file `member`."""
        self._names[digest] = member

    def open_file(self, name: str) -> BinaryIO:
        """Returns a file of the archive open for reading.

        Raises:
            ImageUnreadableError: there is none of this name.
        """
        member = self._find(name)
        if member is None:
            raise layout.missing(name, self.where)
        return ranges.opened(self._fd, member.start, member.size_bytes)

    def open_blob(self, digest: str) -> BinaryIO:
        """Returns a blob open for reading.

        Raises:
            ImageUnreadableError: the archive does not hold it.
        """
        return self.open_file(self._names.get(digest) or f"blobs/sha256/{digests.hex_of(digest)}")

    def _find(self, name: str) -> _Member | None:
        member = self._members.get(_clean(name))
        for _ in range(_LINKS_MAX):
            if member is None or not member.link:
                return member
            member = self._members.get(member.link)
        return None


class _Skipping:
    """A file read at `offset`, which the caller may move."""

    def __init__(self, fd: int) -> None:
        self.offset = 0
        self._fd = fd

    def read_exact(self, size_bytes: int) -> bytes:
        """Returns `size_bytes` bytes, fewer at the end of the file."""
        data = os.pread(self._fd, size_bytes, self.offset)
        self.offset += len(data)
        return data


@contextlib.contextmanager
def open_file(reference: str, path: Path, name: str, platform: str, spool_dir: Path) -> Iterator[ImageSource]:
    """Opens the image `name` in the archive at `path`; any name will do when it holds one image.

    Raises:
        UnderstudyError: there is no archive, no such image in it, or it is damaged.
    """
    try:
        file = path.open("rb")
    except OSError as exc:
        raise ImageUnreadableError(
            "archive-unreadable",
            f"archive {path} cannot be read: {exc.strerror}",
            hint=f"docker save NAME:TAG -o {path}",
            where=str(path),
        ) from exc
    with file, _plain(file, spool_dir, str(path)) as plain:
        yield open_archive(reference, plain, name, platform, where=str(path))


def open_archive(reference: str, file: BinaryIO, name: str, platform: str, *, where: str) -> ImageSource:
    """Returns the image `name` in the open, uncompressed archive `file`.

    Raises:
        UnderstudyError: it holds no such image, or is damaged.
    """
    archive = Archive(file.fileno(), where)
    try:
        archive.index()
    except tarformat.LayerInvalidError as exc:
        raise ImageUnreadableError(
            "archive-invalid",
            f"{reference} is no sound tar archive: {exc.message.removeprefix('layer is invalid: ')}",
            hint="docker save NAME:TAG -o FILE",
            where=where,
        ) from exc
    if archive.has("index.json"):
        raw = layout.document(lambda: archive.open_file("index.json"), "index.json")
        return _marked(layout.open_index(reference, raw, name, archive, platform), archive)
    if archive.has("manifest.json"):
        return _saved(reference, archive, name)
    raise ImageUnreadableError(
        "archive-foreign",
        f"{reference} holds neither index.json (OCI layout) nor manifest.json (docker save)",
        hint="docker save NAME:TAG -o FILE; docker export writes no image",
        where=where,
    )


@contextlib.contextmanager
def spool(folder: Path) -> Iterator[BinaryIO]:
    """Yields a file without a name in `folder`: it is gone with the process, however that ends.

    Raises:
        EnvironmentProblemError: `folder` cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - errors of opening are told apart
    except OSError as exc:
        raise unwritable(exc, folder) from exc
    with file:
        yield file


def unwritable(exc: OSError, folder: Path) -> EnvironmentProblemError:
    """Returns the error for a folder that takes no temporary file."""
    return EnvironmentProblemError(
        "spool-unwritable",
        f"an image cannot be written to {folder}: {exc.strerror or exc}",
        hint=f"df -h {folder}",
        where=str(folder),
    )


@contextlib.contextmanager
def _plain(file: BinaryIO, spool_dir: Path, where: str) -> Iterator[BinaryIO]:
    """Yields the archive uncompressed: itself, or a copy when it is gzip."""
    start = file.read(len(_GZIP_MAGIC))
    file.seek(0)
    if start != _GZIP_MAGIC:
        yield file
        return
    with spool(spool_dir) as target:
        try:
            _unpack(file, target)
        except zlib.error as exc:
            raise ImageUnreadableError(
                "archive-invalid",
                f"archive {where} is a damaged gzip file ({exc})",
                hint="docker save NAME:TAG | gzip > FILE",
                where=where,
            ) from exc
        except OSError as exc:
            raise unwritable(exc, spool_dir) from exc
        yield target


def _unpack(file: BinaryIO, target: BinaryIO) -> None:
    inflater = zlib.decompressobj(31)
    data = b""
    while data or (data := file.read(_CHUNK_BYTES)):
        target.write(inflater.decompress(data, _CHUNK_BYTES))
        data = inflater.unconsumed_tail
        if inflater.eof:
            data = inflater.unused_data
            inflater = zlib.decompressobj(31)
    target.write(inflater.flush())
    target.flush()


def _marked(source: ImageSource, archive: Archive) -> ImageSource:
    """Says whether the manifest of an OCI layout was made up by ``docker save``.

    Docker's classic store keeps no compressed layers and no manifest: it writes tar layers, and a manifest
    for them that no registry has. The containerd store writes what it pulled or built.
    """
    layers = source.image.manifest.layers
    made_up = archive.has("manifest.json") and all(item.media_type == model.OCI_LAYER for item in layers)
    return ImageSource(
        reference=source.reference,
        image=source.image,
        index=source.index,
        blobs=source.blobs,
        exported=made_up and bool(layers),
    )


def _saved(reference: str, archive: Archive, name: str) -> ImageSource:
    row = _row(reference, _rows(archive), name)
    config_raw = layout.document(lambda: archive.open_file(row.text("Config", required=True)), "image config")
    config = model.parse_config(config_raw)
    names = row.texts("Layers")
    diff_ids = config.diff_ids if len(config.diff_ids) == len(names) else ("",) * len(names)
    layers = [_layer(archive, member, diff_id) for member, diff_id in zip(names, diff_ids, strict=True)]
    manifest = model.parse_manifest(documents.manifest_bytes(config_raw, layers))
    return ImageSource(
        reference=reference,
        image=Image(manifest=manifest, config=config),
        index=None,
        blobs=archive,
        exported=True,
    )


def _layer(archive: Archive, member: str, diff_id: str) -> tuple[str, str, int]:
    """The descriptor of a layer file: of a tar, its diff_id is its digest, and the scan checks the claim."""
    with archive.open_file(member) as file:
        packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        file.seek(0)
        digest = diff_id if diff_id and not packed else _digest(file)
    archive.name(digest, member)
    return model.OCI_LAYER_GZIP if packed else model.OCI_LAYER, digest, archive.size(member)


def _digest(file: BinaryIO) -> str:
    found = hashlib.sha256()
    while data := file.read(_CHUNK_BYTES):
        found.update(data)
    return f"sha256:{found.hexdigest()}"


def _rows(archive: Archive) -> Sequence[Mapping[str, Any]]:
    raw = layout.document(lambda: archive.open_file("manifest.json"), "manifest.json")
    # The file is a list; a document is an object.
    wrapped = fields.document(b'{"images":' + raw + b"}", "manifest.json")
    return Fields(wrapped, "manifest.json").mappings("images")


def _row(reference: str, rows: Sequence[Mapping[str, Any]], name: str) -> Fields:
    found = [Fields(row, "manifest.json") for row in rows]
    chosen = found
    if name:
        chosen = [row for row in found if _normal(name) in map(_normal, row.texts("RepoTags"))]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(tag for row in found for tag in row.texts("RepoTags"))[:300]
    raise ImageNotFoundError(
        "image-ambiguous" if not name else "image-unknown",
        f"{reference} holds {len(found)} images: {names or 'without a name'}",
        hint="save one image only, or write its name after the path, as in docker-archive:FILE:NAME:TAG",
    )


def _normal(name: str) -> str:
    """An image's name in full: Docker writes ``app:1``, skopeo ``docker.io/library/app:1``."""
    try:
        ref = references.parse(name)
    except UnderstudyError:
        return name
    return f"{ref.name}:{ref.selector}"


def _clean(name: str) -> str:
    return posixpath.normpath(f"/{name}").lstrip("/")
