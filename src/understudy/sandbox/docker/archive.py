"""The archive that a Docker engine loads: an image's layers as they are, and one of ours on top.

The form is ``docker save``'s (https://github.com/moby/docker-image-spec). The layer on top holds what the
sandbox lays over any image: process 1, Lambda's user, the files of the request. Nothing of the image changes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import platform
import stat
import tarfile
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from understudy.sandbox import namespaces, plans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from understudy.image.rootfs import PackedLayer
    from understudy.sandbox.model import SandboxSpec

HOLDER = "/.understudy"
REPOSITORY = "understudy-sandbox"
LABEL = "understudy.sandbox"
# The engine's words for what `uname -m` says.
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_READ_BYTES = 1 << 20
_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxImage:
    """An image for one kind of sandbox; the same layers and files make the same one.

    Attributes:
        packed: the image's own layers, bottom first.
        top: uncompressed layer of ours.
        architecture: the Docker engine's, whatever the image's: a program for another one fails to start
            inside, as it does on Lambda.
    """

    packed: tuple[PackedLayer, ...]
    top: bytes
    architecture: str

    @property
    def diff_ids(self) -> list[str]:
        """Digests of all layers, bottom first."""
        return [*(layer.diff_id for layer in self.packed), f"sha256:{hashlib.sha256(self.top).hexdigest()}"]

    @property
    def name(self) -> str:
        """Repository and tag in the Docker engine."""
        key = hashlib.sha256("\n".join(self.diff_ids).encode()).hexdigest()
        return f"{REPOSITORY}:{key[:_KEY_LENGTH]}"

    def stream(self, known: int) -> Iterator[bytes]:
        """The archive, without the first `known` layers, which the engine has.

        Raises:
            FileNotFoundError: a layer was removed from the store meanwhile.
        """
        names = [f"{number}.tar" for number in range(len(self.packed) + 1)]
        manifest = [{"Config": "config.json", "RepoTags": [self.name], "Layers": names}]
        yield from _member("manifest.json", json.dumps(manifest).encode())
        yield from _member("config.json", json.dumps(self._config()).encode())
        for name, layer in list(zip(names, self.packed, strict=False))[known:]:
            yield _header(name, layer.path.stat().st_size)
            with layer.path.open("rb") as file:
                while data := file.read(_READ_BYTES):
                    yield data
            yield _padding(layer.path.stat().st_size)
        yield from _member(names[-1], self.top)
        yield bytes(2 * tarfile.BLOCKSIZE)

    def _config(self) -> dict[str, object]:
        return {
            "architecture": self.architecture,
            "os": "linux",
            # The oldest are removed first.
            "created": dt.datetime.now(dt.UTC).isoformat(),
            "config": {"Labels": {LABEL: "image"}},
            "rootfs": {"type": "layers", "diff_ids": self.diff_ids},
        }


def of_spec(spec: SandboxSpec, architecture: str) -> SandboxImage:
    """Returns the image for `spec`.

    Args:
        spec: its root, and the files to lay over it.
        architecture: the Docker engine's, as it names it.
    """
    if len(spec.rootfs.packed) != len(spec.rootfs.layers):
        raise ValueError("a root for a Docker engine needs its layers packed, too")
    passwd = plans.add_sandbox_user(namespaces.image_file(spec, "etc/passwd"))
    files = {"/etc/passwd": passwd, "/etc/group": "", **spec.files}
    top = _layer(
        spec.rootfs.layers, {path: text.encode() for path, text in files.items()}, holder(architecture)
    )
    return SandboxImage(packed=spec.rootfs.packed, top=top, architecture=architecture)


def holder(architecture: str) -> bytes:
    """The program of process 1 for the Docker engine's architecture."""
    machine = _MACHINES.get(architecture, platform.machine())
    return (resources.files("understudy.sandbox.docker") / "holder" / f"holder-{machine}").read_bytes()


def _layer(layers: tuple[Path, ...], files: Mapping[str, bytes], program: bytes) -> bytes:
    """A layer with `files` and process 1; folders on the way keep the mode that they have below."""
    output = io.BytesIO()
    folders: set[str] = set()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in {**files, HOLDER: program}.items():
            parts = path.strip("/").split("/")
            for count in range(1, len(parts)):
                folder = "/".join(parts[:count])
                if folder not in folders:
                    folders.add(folder)
                    archive.addfile(_info(folder, _mode(layers, folder), kind=tarfile.DIRTYPE))
            info = _info("/".join(parts), 0o755 if path == HOLDER else 0o644, size=len(content))
            archive.addfile(info, io.BytesIO(content))
    return output.getvalue()


def _mode(layers: tuple[Path, ...], folder: str) -> int:
    for layer in reversed(layers):
        try:
            found = (layer / folder).lstat().st_mode
        except OSError:
            continue
        return stat.S_IMODE(found) if stat.S_ISDIR(found) else 0o755
    return 0o755


def _info(name: str, mode: int, *, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.size, info.type = mode, size, kind
    return info


def _member(name: str, content: bytes) -> Iterator[bytes]:
    yield _header(name, len(content))
    yield content
    yield _padding(len(content))


def _header(name: str, size: int) -> bytes:
    return _info(name, 0o644, size=size).tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
