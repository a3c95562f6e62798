"""Assembles the root directory that a sandboxed process sees, in a mount namespace of its own.

The image's layers stay as they are on disk: they are stacked by overlayfs under one more layer, kept in
memory, that holds the mount points and files which the image lacks. Nothing here needs cleaning up: every
mount ends with the namespace, and the namespace ends with its last process.
"""

# Paths are relative to a root that changes under the process; see the package's docstring.
# ruff: noqa: PTH101, PTH102, PTH103, PTH106, PTH108, PTH110, PTH112, PTH114, PTH115, PTH211

import errno
import os
import stat
from typing import Any

from . import linux

_LINKS_AT_MOST = 40
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_SAFE = linux.MS_NOSUID | linux.MS_NODEV


def make_devices(folder: str) -> None:
    """Fills `folder` with the minimal `/dev` that sandboxes bind: made once, so that a start is one mount."""
    os.makedirs(folder, exist_ok=True)
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NOEXEC, "mode=0755,size=64k")
    for name in filter(_on_host, DEVICES):
        _touch(f"{folder}/{name}")
        linux.mount(f"/dev/{name}", f"{folder}/{name}", None, linux.MS_BIND)
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, f"{folder}/{name}")
    os.mkdir(f"{folder}/pts")
    os.mkdir(f"{folder}/shm")
    os.symlink("pts/ptmx", f"{folder}/ptmx")


def make_lambda_devices(folder: str) -> None:
    """As `make_devices`, without what Lambda lacks: no `/dev/shm`, no pseudo terminals."""
    make_devices(folder)
    os.rmdir(f"{folder}/shm")
    os.rmdir(f"{folder}/pts")
    os.unlink(f"{folder}/ptmx")
    sealed = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NOEXEC
    linux.mount("none", folder, None, sealed)


def stack(plan: dict[str, Any]) -> None:
    """Mounts the layers of `plan` on `root` in the current directory, an empty file system in memory."""
    os.mkdir("top")
    os.mkdir("root")
    layers = [*_link_layers(plan["layers"]), "top"]
    _prepare_top(plan)
    _mount_overlay(plan, layers)


def enter(plan: dict[str, Any], stage: str, devices: str, shared: int = -1) -> None:
    """Makes the root that `plan` describes and moves this process into it.

    Args:
        plan: `layers` (bottom first), `writable` (upper and work directory, or null), `userxattr`, `files`
            (path to content, laid over the image's), `mounts` (source or null for tmpfs, target, read-only,
            options; in this order), `proc_options`, `terminals`.
        stage: empty directory; a mount covers it in this namespace only.
        devices: made by `make_devices` in the parent's namespace.
        shared: see `roots.SharedRoots.copy`; -1 to stack the layers here.
    """
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    if shared >= 0:
        linux.attach_mount(shared, stage)
        os.chdir(stage)
    else:
        linux.mount("tmpfs", stage, "tmpfs", _SAFE, "mode=0755")
        os.chdir(stage)
        stack(plan)
        os.chdir("root")
    _mount_devices(devices, terminals=plan["terminals"])
    linux.mount("proc", "proc", "proc", _SAFE | linux.MS_NOEXEC, plan["proc_options"])
    if plan["writable"]:
        # A write to such a file must end in the layer in memory, not in the image's difference.
        for path in plan["files"]:
            linux.mount(f"{stage}/top{path}", "." + path, None, linux.MS_BIND)
    for source, target, read_only, options in plan["mounts"]:
        if source is None:
            linux.mount("tmpfs", _inside(target), "tmpfs", _SAFE, options)
        else:
            bind(source, _inside(target), read_only=read_only)
    linux.pivot_root(".", ".")
    linux.unmount(".")
    os.chdir("/")


def bind(source: str, target: str, *, read_only: bool) -> None:
    """Shows `source` at `target`, without its submounts where the kernel allows that."""
    try:
        linux.mount(source, target, None, linux.MS_BIND)
    except OSError as error:
        # In a user namespace the host's submounts are locked to their parent (mount_namespaces(7)).
        if error.errno != errno.EINVAL:
            raise
        linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    if read_only:
        flags = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _SAFE
        linux.mount("none", target, None, flags | _locked_flags(target))


def _locked_flags(target: str) -> int:
    # A user namespace may not clear flags that the source's mount carries (mount_namespaces(7), "locked").
    flags = os.statvfs(target).f_flag
    return (linux.MS_NOEXEC if flags & os.ST_NOEXEC else 0) | (
        linux.MS_NOATIME if flags & os.ST_NOATIME else 0
    )


def _link_layers(layers: list[str]) -> list[str]:
    # Short relative names: mount(2) takes at most one page of options, and the store's paths are long.
    names = []
    for number, layer in enumerate(layers):
        os.symlink(layer, f"l{number}")
        names.append(f"l{number}")
    return names


def _prepare_top(plan: dict[str, Any]) -> None:
    layers = plan["layers"]
    for path, content in plan["files"].items():
        _ensure_parents(layers, path)
        descriptor = os.open(f"top{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(descriptor, content.encode())
        os.close(descriptor)
    for path in ("/proc", "/dev"):
        _ensure(layers, path, directory=True)
    for source, target, _, _ in plan["mounts"]:
        _ensure(layers, target, directory=wants_directory(source))


def wants_directory(source: str | None) -> bool:
    """Whether what a plan mounts from `source`, `None` for memory, needs a directory to cover."""
    return source is None or os.path.isdir(source)


def _ensure(layers: list[str], path: str, *, directory: bool) -> None:
    found = _find(layers, path)
    if found is not None and stat.S_ISDIR(found) == directory:
        return
    _ensure_parents(layers, path)
    if directory:
        os.makedirs(f"top{path}", mode=0o755, exist_ok=True)
    elif not os.path.exists(f"top{path}"):
        _touch(f"top{path}")


def _ensure_parents(layers: list[str], path: str) -> None:
    parts = path.strip("/").split("/")[:-1]
    for count in range(1, len(parts) + 1):
        parent = "/" + "/".join(parts[:count])
        if os.path.isdir(f"top{parent}"):
            continue
        found = _find(layers, parent)
        os.mkdir(f"top{parent}")
        mode = stat.S_IMODE(found) if found is not None and stat.S_ISDIR(found) else 0o755
        os.chmod(f"top{parent}", mode)


def _find(layers: list[str], path: str) -> int | None:
    """The mode of `path` in the uppermost layer that has it; a whiteout counts as absent."""
    for layer in reversed(layers):
        try:
            found = os.lstat(layer + path)
        except OSError:
            continue
        return None if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0 else found.st_mode
    return None


def _mount_overlay(plan: dict[str, Any], layers: list[str]) -> None:
    # Top first, as overlayfs wants it.
    options = "lowerdir=" + ":".join(reversed(layers))
    flags = _SAFE
    writable = plan["writable"]
    if writable:
        os.symlink(writable["upper"], "upper")
        os.symlink(writable["work"], "work")
        options += ",upperdir=upper,workdir=work"
        flags = linux.MS_NODEV
        if not plan["userxattr"]:
            # A layer knows no redirects: a renamed folder must be copied (userxattr implies this).
            options += ",redirect_dir=off,metacopy=off,index=off"
    else:
        if len(layers) == 1:
            os.mkdir("empty")
            options += ":empty"
        flags |= linux.MS_RDONLY
    if plan["userxattr"]:
        options += ",userxattr"
    linux.mount("overlay", "root", "overlay", flags, options)


def _mount_devices(devices: str, *, terminals: bool) -> None:
    linux.mount(devices, "dev", None, linux.MS_BIND | linux.MS_REC)
    if terminals:
        options = "newinstance,ptmxmode=0666,mode=0620"
        linux.mount("devpts", "dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, options)
        linux.mount("shm", "dev/shm", "tmpfs", _SAFE | linux.MS_NOEXEC, "mode=1777,size=64m")


def _inside(target: str) -> str:
    """`target` under the new root, the current directory, with links resolved as inside that root."""
    pending = target.split("/")[::-1]
    done: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        path = "./" + "/".join([*done, part])
        if part == "..":
            del done[-1:]
        elif part not in {"", "."} and os.path.islink(path):
            links += 1
            if links > _LINKS_AT_MOST:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), target)
            link = os.readlink(path)
            if link.startswith("/"):
                done.clear()
            pending.extend(link.split("/")[::-1])
        elif part not in {"", "."}:
            done.append(part)
    return "./" + "/".join(done)


def _on_host(name: str) -> bool:
    return os.path.exists(f"/dev/{name}")


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
