"""Layers and images of every outer form, made in memory or in a folder of the test."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.image.layers import tarformat
from understudy.image.layers.tarformat import Kind, Member

MTIME_S = 1_700_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One member of a layer, as a test writes it."""

    path: str
    data: bytes = b""
    kind: Kind = Kind.FILE
    mode: int = 0o644
    link: str = ""
    uid: int = 0
    gid: int = 0
    mtime_s: int = MTIME_S


def file(path: str, data: bytes | str = b"", **facts: Any) -> Item:
    return Item(path=path, data=data.encode() if isinstance(data, str) else data, **facts)


def folder(path: str, mode: int = 0o755, **facts: Any) -> Item:
    return Item(path=path, kind=Kind.DIR, mode=mode, **facts)


def symlink(path: str, target: str) -> Item:
    return Item(path=path, kind=Kind.SYMLINK, link=target, mode=0o777)


def hardlink(path: str, target: str) -> Item:
    return Item(path=path, kind=Kind.HARDLINK, link=target)


def whiteout(path: str) -> Item:
    parent, _, name = path.rpartition("/")
    return file(f"{parent}/.wh.{name}" if parent else f".wh.{name}")


def opaque(path: str) -> Item:
    return file(f"{path}/.wh..wh..opq")


def tar(items: Iterable[Item]) -> bytes:
    """A layer, not compressed."""
    parts = []
    for item in items:
        data = item.data if item.kind is Kind.FILE else b""
        member = Member(
            path=item.path.encode("utf-8", "surrogateescape"),
            kind=item.kind,
            mode=item.mode,
            uid=item.uid,
            gid=item.gid,
            size_bytes=len(data),
            mtime_ns=item.mtime_s * 1_000_000_000,
            link=item.link.encode(),
        )
        parts += [tarformat.header(member), data, tarformat.padding(len(data))]
    return b"".join(parts) + bytes(1024)


def packed(items: Iterable[Item]) -> bytes:
    """A layer as registries have it."""
    return gzip.compress(tar(items), mtime=0)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def config(layers: Sequence[bytes], *, architecture: str = "amd64", **run: Any) -> bytes:
    """An image config over uncompressed `layers`."""
    document = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["app.handler"], "Entrypoint": ["/entry"], "WorkingDir": "/var/task", **run},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        "history": [{"created_by": f"COPY {number} /"} for number in range(len(layers))],
    }
    return json.dumps(document).encode()


class Layout:
    """An OCI image layout in a folder, or in a tar file of the same content."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
        self._entries: list[dict[str, Any]] = []

    def blob(self, data: bytes, media_type: str) -> dict[str, Any]:
        """Adds a blob and returns its descriptor."""
        self.files[f"blobs/sha256/{digest(data)[7:]}"] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    def image(
        self, *layers: Sequence[Item], architecture: str = "amd64", compressed: bool = True
    ) -> dict[str, Any]:
        """Adds an image and returns its descriptor, with the platform."""
        plain = [tar(items) for items in layers]
        kind = "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if compressed else "")
        document: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.blob(
                config(plain, architecture=architecture), "application/vnd.oci.image.config.v1+json"
            ),
            "layers": [
                self.blob(gzip.compress(layer, mtime=0) if compressed else layer, kind) for layer in plain
            ],
        }
        found = self.blob(json.dumps(document).encode(), document["mediaType"])
        return {**found, "platform": {"os": "linux", "architecture": architecture}}

    def index(self, *entries: dict[str, Any]) -> dict[str, Any]:
        """Adds an image index and returns its descriptor."""
        kind = "application/vnd.oci.image.index.v1+json"
        document = {"schemaVersion": 2, "mediaType": kind, "manifests": list(entries)}
        return self.blob(json.dumps(document).encode(), kind)

    def add(self, entry: dict[str, Any], name: str = "") -> "Layout":
        """Lists an image or index in ``index.json``."""
        named = {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
        self._entries.append({**entry, **named})
        document = {"schemaVersion": 2, "manifests": self._entries}
        self.files["index.json"] = json.dumps(document).encode()
        return self

    def write(self, root: Path) -> Path:
        """Writes the layout as a folder."""
        for name, data in self.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        return root

    def archive(self, path: Path) -> Path:
        """Writes the layout as a tar file."""
        return write_tar(path, self.files)


def docker_save(
    *layers: Sequence[Item], names: Sequence[str] = ("app:1",), compressed: bool = False
) -> dict[str, bytes]:
    """The files that Docker before 25, podman and skopeo save an image as."""
    plain = [tar(items) for items in layers]
    described = config(plain)
    stored = [gzip.compress(layer, mtime=0) if compressed else layer for layer in plain]
    members = [f"{digest(layer)[7:]}/layer.tar" for layer in plain]
    name = f"{digest(described)[7:]}.json"
    listed = [{"Config": name, "RepoTags": list(names), "Layers": members}]
    return {
        name: described,
        **dict(zip(members, stored, strict=True)),
        "manifest.json": json.dumps(listed).encode(),
    }


def write_tar(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    """Writes a tar file with the standard library's hand, not ours."""
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return path
