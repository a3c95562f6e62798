"""The directories that an image's root is mounted from: each layer unpacked once, shared by every image.

A layer lives in ``layers/HEX`` under its diff_id and appears there by one ``rename``, so it is complete or
absent. It is a cache: removing the folder costs the next start a second. Refuses to mount anything: that is
the sandbox's, which holds a `lease` while it runs so that `gc` leaves its layers alone.
"""

import concurrent.futures
import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from understudy.image import digests, locks, model
from understudy.image.fields import DocumentInvalidError
from understudy.image.layers import extract
from understudy.image.model import Image, MediaTypeUnsupportedError
from understudy.image.store import GcReport, Store

_THREADS = 2
_LOCKS = ".locks"
_USED = ".used"
_UNFINISHED = ".tmp."


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedLayer:
    """A layer as it is in the store.

    Attributes:
        diff_id: digest of the uncompressed bytes.
        path: the gzip blob.
    """

    diff_id: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rootfs:
    """Unpacked layers, bottom first, for a read-only overlay mount.

    Whiteouts are character devices 0:0; opaque directories carry ``user.overlay.opaque`` (mounts with
    userxattr) and, made by root, ``trusted.overlay.opaque`` as well, so that either flavour of mount works.

    Attributes:
        layers: the directories.
        packed: what they were unpacked from, in the same order: a container engine unpacks it itself.
    """

    layers: tuple[Path, ...]
    packed: tuple[PackedLayer, ...] = ()


def prepare(store: Store, digest: str) -> Rootfs:
    """Returns the root of the image `digest` (or tag), unpacking the layers that are not there yet.

    Raises:
        TagUnknownError: no such image.
        LayerInvalidError: a layer is damaged or hostile.
        DigestMismatchError: a layer does not unpack to its diff_id.
        MediaTypeUnsupportedError: a layer's compression is not gzip.
    """
    with store.session():
        image = store.image(digest)
        wanted = _wanted(image)
        missing = {diff_id: blob for diff_id, blob in wanted.items() if not _use(store, diff_id)}
        if missing:
            _unpack_all(store, missing)
        return Rootfs(
            layers=tuple(_place(store, diff_id) for diff_id in wanted),
            packed=tuple(
                PackedLayer(diff_id=diff_id, path=store.path(digest)) for diff_id, digest in wanted.items()
            ),
        )


@contextlib.contextmanager
def lease(rootfs: Rootfs) -> Iterator[None]:
    """Keeps the layers of `rootfs` from collection while it lasts.

    Raises:
        FileNotFoundError: a layer was removed since `prepare`; prepare again.
    """
    with contextlib.ExitStack() as stack:
        for layer in rootfs.layers:
            fd = os.open(layer, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, fd)
            fcntl.flock(fd, fcntl.LOCK_SH)
            # Collection renames under an exclusive lock; what it took away is no longer under this name.
            if not layer.exists():
                raise FileNotFoundError(layer)
        yield


def gc(store: Store, *, wait_s: float = 0) -> GcReport:
    """Removes unpacked layers that no kept image uses, that have no lease and rested for the grace period.

    Args:
        store: its tags and pins say which images are kept.
        wait_s: how long to wait for running sessions to end.
    """
    folder = store.root / "layers"
    with locks.exclusive_within(store.gc_lock, wait_s) as alone:
        if not alone:
            return GcReport(removed=0, bytes_freed=0, busy=True)
        keep = {diff_id for image in store.images() for diff_id in image.config.diff_ids}
        before_s = time.time() - store.grace_s
        doomed = [path for path in _layers(folder) if f"sha256:{path.name}" not in keep]
        # Whoever unpacks holds a session: under our lock, what is unfinished has lost its process.
        unfinished = list(folder.glob(f"{_UNFINISHED}*"))
        condemned = [_condemn(path, before_s) for path in doomed]
    removed = [path for path in (*unfinished, *condemned) if path is not None]
    freed = sum(_remove_tree(path) for path in removed)
    return GcReport(removed=len(removed), bytes_freed=freed)


def _wanted(image: Image) -> dict[str, str]:
    """Returns the blob of each diff_id, bottom first.

    overlayfs refuses one directory twice, and of a repeated layer only the upper place has an effect.
    """
    diff_ids, layers = image.config.diff_ids, image.manifest.layers
    if len(diff_ids) != len(layers):
        raise DocumentInvalidError(
            "image-document-invalid",
            f"image config names {len(diff_ids)} layers, its manifest {len(layers)}",
            hint="build and push the image again: its config and manifest do not belong together",
        )
    found: dict[str, str] = {}
    for diff_id, layer in zip(diff_ids, layers, strict=True):
        if layer.media_type not in model.LAYER_TYPES:
            raise _unsupported(layer.media_type)
        found.pop(diff_id, None)
        found[diff_id] = layer.digest
    return found


def _unpack_all(store: Store, missing: dict[str, str]) -> None:
    folder = store.root / "layers"
    # Set-user-id programs of an image must not be reachable for other users of this machine.
    folder.chmod(0o700)
    for name in (_LOCKS, _USED):
        (folder / name).mkdir(exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(_THREADS, "unpack") as pool:
        # The largest first, so that both threads end together.
        order = sorted(missing, key=lambda diff_id: store.size(missing[diff_id]), reverse=True)
        jobs = [pool.submit(_unpack, store, diff_id, missing[diff_id]) for diff_id in order]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _unpack(store: Store, diff_id: str, digest: str) -> None:
    folder, name = store.root / "layers", digests.hex_of(diff_id)
    with locks.exclusive(folder / _LOCKS / name[:2]):
        if _use(store, diff_id):
            return
        unfinished = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{name[:12]}.", dir=folder))
        try:
            unfinished.chmod(0o755)
            with store.open_blob(digest) as blob:
                extract.extract_layer(blob, unfinished, overlay_whiteouts=True, diff_id=diff_id)
            (folder / _USED / name).touch()
            unfinished.rename(folder / name)
        except BaseException:
            _remove_tree(unfinished)
            raise


def _place(store: Store, diff_id: str) -> Path:
    return store.root / "layers" / digests.hex_of(diff_id)


def _use(store: Store, diff_id: str) -> bool:
    """Whether the layer is there; if so, it is used now."""
    if not _place(store, diff_id).is_dir():
        return False
    stamps = store.root / "layers" / _USED
    stamps.mkdir(exist_ok=True)
    (stamps / digests.hex_of(diff_id)).touch()
    return True


def _layers(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if digests.is_digest(f"sha256:{path.name}")]


def _condemn(path: Path, before_s: float) -> Path | None:
    """Moves a layer out of sight, unless it was used lately or is leased."""
    stamp = path.parent / _USED / path.name
    with contextlib.suppress(FileNotFoundError):
        if stamp.stat().st_mtime >= before_s:
            return None
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not locks.try_exclusive(fd):
            return None
        target = path.with_name(f"{_UNFINISHED}{path.name[:12]}.{os.getpid()}.{time.monotonic_ns()}")
        path.rename(target)
        stamp.unlink(missing_ok=True)
        return target
    finally:
        os.close(fd)


def _remove_tree(path: Path) -> int:
    """Removes a tree whose directories may forbid it, and returns the bytes of its files."""
    freed = 0
    # Another collection may be removing the same leftovers.
    with contextlib.suppress(FileNotFoundError):
        path.chmod(0o700)
        for _, folders, files, fd in os.fwalk(path, follow_symlinks=False):
            for name in (*folders, *files):
                status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    os.chmod(name, 0o700, dir_fd=fd)
                else:
                    freed += status.st_size
    shutil.rmtree(path, ignore_errors=True)
    return freed


def _unsupported(media_type: str) -> MediaTypeUnsupportedError:
    return MediaTypeUnsupportedError(
        "media-type-unsupported",
        f"layer is {media_type[:100]}, expected {model.OCI_LAYER_GZIP} or {model.DOCKER_LAYER_GZIP}",
        hint="build with --output type=image,compression=gzip,force-compression=true",
    )
