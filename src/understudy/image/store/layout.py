"""A content-addressed store of images: OCI image layout on disk, shared by processes.

Readable by any OCI tool (``skopeo inspect oci:STORE:TAG``). Every visible change is one ``rename``, so
kill -9 at any point leaves the old state or the new one. Refuses to hold blobs in memory, and to delete one
that a tag, a pin, a running session or the last hour (`grace_s`) may need.

::

    oci-layout  index.json          OCI image layout; index.json holds the tags
    blobs/sha256/HEX                content
    uploads/ID                      unfinished content, locked while written
    pins/HEX.json                   roots that an owner keeps besides tags
    layers/HEX                      extracted layers (`rootfs`)
    gc.lock  index.lock             shared by writers, exclusive for collection; one tag writer at a time
"""

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Self

from understudy.errors import UnderstudyError
from understudy.image import atomic, digests, fields, locks, model, render
from understudy.image.model import Descriptor, Image, ImageManifest
from understudy.image.store import collect
from understudy.image.store.blobs import BlobMissingError, BlobWriter, DigestMismatchError
from understudy.image.store.collect import GcReport

_REF_NAME = "org.opencontainers.image.ref.name"
_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.=-]{0,127}")
_HOUR_S = 3600.0


class TagUnknownError(UnderstudyError):
    """A name is neither a tag nor a digest of the store."""


class UploadIdInvalidError(UnderstudyError):
    """An upload id is no plain file name."""


class Store:
    """Blobs, tags and pins under one directory; `open` creates what is missing."""

    def __init__(self, root: Path, *, grace_s: float = _HOUR_S) -> None:
        self.root = root
        self.grace_s = grace_s

    @property
    def gc_lock(self) -> Path:
        """Held shared by whatever must not lose blobs, exclusive by collection."""
        return self.root / "gc.lock"

    def open(self) -> Self:
        """Creates the layout where it is missing and returns the store."""
        for name in ("blobs/sha256", "uploads", "pins", "layers"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        if not (self.root / "oci-layout").exists():
            atomic.write(self.root / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        with locks.exclusive(self.root / "index.lock"):
            if not (self.root / "index.json").exists():
                self._write_entries({})
        return self

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Keeps collection away while it lasts; a build runs inside one."""
        with locks.shared(self.gc_lock):
            yield

    def path(self, digest: str) -> Path:
        """Returns where the blob lies, present or not."""
        return self.root / "blobs" / "sha256" / digests.hex_of(digest)

    def has(self, digest: str) -> bool:
        """Whether the blob is complete in the store."""
        return self.path(digest).exists()

    def size(self, digest: str) -> int:
        """Returns the blob's length in bytes.

        Raises:
            BlobMissingError: it is not in the store.
        """
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError as exc:
            raise self._missing(digest) from exc

    def open_blob(self, digest: str) -> BinaryIO:
        """Returns the blob open for reading; it stays readable even when collected meanwhile.

        Raises:
            BlobMissingError: it is not in the store.
        """
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError as exc:
            raise self._missing(digest) from exc

    def read(self, digest: str) -> bytes:
        """Returns a small blob whole: a document, not a layer.

        Raises:
            BlobMissingError: it is not in the store.
        """
        with self.open_blob(digest) as blob:
            return blob.read()

    def check(self, digest: str) -> None:
        """Reads the blob and compares it with its name.

        Raises:
            BlobMissingError: it is not in the store.
            DigestMismatchError: the disk changed it.
        """
        self.size(digest)
        with self.path(digest).open("rb") as blob:
            actual = f"sha256:{hashlib.file_digest(blob, 'sha256').hexdigest()}"
        if actual != digest:
            raise DigestMismatchError(
                "digest-mismatch",
                f"stored blob {digest} has content {actual}",
                hint=f"rm {self.path(digest)}, then pull or build the image again",
                where=str(self.path(digest)),
            )

    def writer(self, upload_id: str | None = None) -> BlobWriter:
        """Returns an open writer for a new blob.

        Args:
            upload_id: names an upload that survives the process and goes on where it stopped.

        Raises:
            UploadIdInvalidError: `upload_id` is no plain name.
            UploadBusyError: another process writes it.
        """
        if upload_id is not None and _UPLOAD_ID.fullmatch(upload_id) is None:
            raise UploadIdInvalidError(
                "upload-id-invalid",
                f"upload id {upload_id[:130]!r} is not 1 to 128 letters, digits, '_', '.', '=' or '-'",
                hint="start a new upload and use the id it returns",
            )
        name = upload_id if upload_id is not None else f"tmp.{secrets.token_hex(16)}"
        with self.session():
            return BlobWriter(self.root, name, resumable=upload_id is not None).open()

    def upload_size(self, upload_id: str) -> int | None:
        """Returns how much of an unfinished upload is on disk, None when there is no such upload."""
        if _UPLOAD_ID.fullmatch(upload_id) is None:
            return None
        try:
            return (self.root / "uploads" / upload_id).stat().st_size
        except FileNotFoundError:
            return None

    def put(self, data: bytes) -> str:
        """Stores `data` and returns its digest."""
        with self.writer() as writer:
            writer.write(data)
            return writer.commit()

    def put_image(self, manifest: ImageManifest) -> str:
        """Stores a manifest whose config and layers are present, and returns its digest.

        Raises:
            BlobMissingError: one of them is not.
            DigestMismatchError: one has another length than the manifest says.
        """
        with self.session():
            for descriptor in (manifest.config, *manifest.layers):
                actual = self.size(descriptor.digest)
                if actual != descriptor.size_bytes:
                    raise DigestMismatchError(
                        "size-mismatch",
                        f"blob {descriptor.digest} has {actual} bytes, expected {descriptor.size_bytes}",
                        hint="build and push the image again",
                    )
                os.utime(self.path(descriptor.digest))
            return self.put(manifest.raw)

    def image(self, digest_or_tag: str) -> Image:
        """Returns the image with this digest or tag.

        Raises:
            TagUnknownError: no such tag.
            BlobMissingError: no such digest.
            MediaTypeUnsupportedError: it is an index.
        """
        manifest = model.parse_manifest(self.read(self.resolve(digest_or_tag)))
        return Image(manifest=manifest, config=model.parse_config(self.read(manifest.config.digest)))

    def tag(self, name: str, digest: str) -> None:
        """Lets `name` mean the stored document `digest`, whatever it meant before.

        Raises:
            BlobMissingError: `digest` is not in the store.
        """
        with self.session(), locks.exclusive(self.root / "index.lock"):
            entries = self._entries()
            if name in entries and entries[name].digest == digest:
                return
            entry = Descriptor(
                media_type=model.media_type_of(self.read(digest)),
                digest=digest,
                size_bytes=self.size(digest),
                annotations={_REF_NAME: name},
            )
            self._write_entries(entries | {name: entry})

    def untag(self, name: str) -> None:
        """Forgets `name`; without effect when it is unknown."""
        with locks.exclusive(self.root / "index.lock"):
            entries = self._entries()
            if entries.pop(name, None) is not None:
                self._write_entries(entries)

    def tags(self) -> Mapping[str, str]:
        """Returns every tag with its digest."""
        return {name: entry.digest for name, entry in self._entries().items()}

    def resolve(self, name: str) -> str:
        """Returns the digest that a tag, or a digest, names.

        Raises:
            TagUnknownError: `name` is neither.
        """
        if digests.is_digest(name):
            return name
        digest = self.tags().get(name)
        if digest is None:
            raise TagUnknownError(
                "tag-unknown",
                f"image {name[:300]!r} is not in the store",
                hint="build it with `understudy build`, or pull it first",
                where=str(self.root),
            )
        return digest

    def pin(self, owner: str, wanted: Iterable[str]) -> None:
        """Keeps the documents and blobs `wanted` for `owner`, in place of what it kept before.

        Raises:
            DigestInvalidError: an item is no digest.
        """
        kept = sorted({digests.parse(digest) for digest in wanted})
        path = self.root / "pins" / f"{digests.hex_of(digests.of(owner.encode()))}.json"
        with self.session():
            if kept:
                atomic.write(path, render.document({"owner": owner, "digests": kept}))
            else:
                path.unlink(missing_ok=True)

    def pins(self) -> Mapping[str, tuple[str, ...]]:
        """Returns what each owner keeps."""
        found = {}
        for path in (self.root / "pins").glob("*.json"):
            with contextlib.suppress(FileNotFoundError):
                reader = fields.Fields(fields.document(path.read_bytes(), "pin"), "pin")
                found[reader.text("owner")] = reader.texts("digests")
        return found

    def reachable(self, extra_roots: Iterable[str] = ()) -> set[str]:
        """Returns the digests that tags, pins and `extra_roots` need, themselves included."""
        pinned = (digest for kept in self.pins().values() for digest in kept)
        return collect.reachable({*self.tags().values(), *pinned, *extra_roots}, self._document)

    def images(self) -> Iterator[Image]:
        """Yields every complete image that a tag or a pin keeps."""
        for digest in sorted(self.reachable()):
            raw = self._document(digest)
            if raw is not None and raw[:1] == b"{":
                with contextlib.suppress(UnderstudyError):
                    yield self.image(digest)

    def gc(self, extra_roots: Iterable[str] = (), *, wait_s: float = 0) -> GcReport:
        """Removes what nothing needs.

        Args:
            extra_roots: documents or blobs to keep besides tags and pins.
            wait_s: how long to wait for running sessions to end.
        """
        with locks.exclusive_within(self.gc_lock, wait_s) as alone:
            if not alone:
                return GcReport(removed=0, bytes_freed=0, busy=True)
            keep = self.reachable(extra_roots)
            return collect.sweep(self.root, keep, before_s=time.time() - self.grace_s)

    def _document(self, digest: str) -> bytes | None:
        try:
            return self.read(digest) if self.size(digest) <= fields.DOCUMENT_LIMIT_BYTES else None
        except BlobMissingError:
            return None

    def _entries(self) -> dict[str, Descriptor]:
        try:
            raw = (self.root / "index.json").read_bytes()
        except FileNotFoundError:
            return {}
        found = {}
        for entry in model.parse_index(raw, model.OCI_INDEX).manifests:
            name = entry.descriptor.annotations.get(_REF_NAME)
            if name:
                found[name] = entry.descriptor
        return found

    def _write_entries(self, entries: Mapping[str, Descriptor]) -> None:
        manifests = [render.descriptor_fields(entry) for _, entry in sorted(entries.items())]
        document = {"schemaVersion": 2, "mediaType": model.OCI_INDEX, "manifests": manifests}
        atomic.write(self.root / "index.json", render.document(document))

    def _missing(self, digest: str) -> BlobMissingError:
        return BlobMissingError(
            "blob-missing",
            f"blob {digest} is not in the store",
            hint="pull or build the image again",
            where=str(self.root),
        )
