"""The read-only roots of images, mounted once by the fork server and shown in every sandbox that runs them.

An overlay of its own would begin each sandbox with nothing remembered, and every path that the function's
imports try would be looked up in every layer again. Sandboxes get copies of one mount instead: they share
what the kernel remembers of the image, not what they mount on it. Refuses writable roots: those are a build
step's own.
"""

# Paths are relative to a root that changes under the process; see the package's docstring.
# ruff: noqa: PTH102, PTH106, PTH116

import collections
import contextlib
import fcntl
import json
import os
import time
from typing import Any

from . import linux, root

AT_MOST = 8
UNUSED_S = 900.0
"""As long as idle environments live and half as long again: then an image collection may have the layers."""


class Kernel:
    """What is done to mounts; a test brings its own."""

    def mount(self, plan: dict[str, Any], folder: str) -> None:
        """Stacks the layers of `plan` at `folder`/root."""
        linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755")
        os.chdir(folder)
        try:
            root.stack(plan)
        finally:
            os.chdir("/")

    def copy(self, path: str) -> int:
        """A detached copy of the mount at `path`."""
        return linux.copy_mount(path)

    def unmount(self, folder: str) -> None:
        """Detaches the mount at `folder` with what is mounted below."""
        linux.unmount(folder)


class SharedRoots:
    """The mounted roots, those used last at the end.

    Args:
        folder: the beginning of the paths to mount at, on a file system of this namespace alone.
        kernel: mounts.
    """

    def __init__(self, folder: str, kernel: Kernel | None = None) -> None:
        self._folder = folder
        self._kernel = kernel or Kernel()
        self._number = 0
        self._mounted: collections.OrderedDict[str, _Mounted] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._mounted)

    def copy(self, plan: dict[str, Any]) -> int:
        """A descriptor of a detached copy of the mount that `plan` wants, which any namespace may attach.

        Returns -1 when there is none to share: the root is writable, or something failed here and will fail
        in the sandbox as well, where it is told.
        """
        if plan["writable"]:
            return -1
        try:
            return self._kernel.copy(self._mount(plan).path)
        except (OSError, ValueError):
            return -1

    def expire(self, now_s: float) -> None:
        """Lets go of the roots that nobody asked for lately; sandboxes keep their copies."""
        while self._mounted and next(iter(self._mounted.values())).used_s + UNUSED_S <= now_s:
            self._drop_oldest()

    def forget(self) -> None:
        """Closes what a child of the fork server inherited: its copies of the leases would outlive them."""
        for mounted in self._mounted.values():
            mounted.close()

    def _mount(self, plan: dict[str, Any]) -> "_Mounted":
        key = _key(plan)
        found = self._mounted.get(key)
        if found is None:
            self._number += 1
            found = self._mounted[key] = _Mounted(plan, f"{self._folder}{self._number}", self._kernel)
            if len(self._mounted) > AT_MOST:
                self._drop_oldest()
        self._mounted.move_to_end(key)
        found.used_s = time.monotonic()
        return found

    def _drop_oldest(self) -> None:
        _, mounted = self._mounted.popitem(last=False)
        mounted.end()


class _Mounted:
    """One root at `folder`/root, with leases on its layers as `image.rootfs.lease` takes them."""

    def __init__(self, plan: dict[str, Any], folder: str, kernel: Kernel) -> None:
        self.used_s = 0.0
        self.path = f"{folder}/root"
        self._folder = folder
        self._kernel = kernel
        self._leases: list[int] = []
        os.mkdir(folder)
        try:
            for layer in plan["layers"]:
                self._lease(layer)
            kernel.mount(plan, folder)
        except BaseException:
            self.end()
            raise

    def _lease(self, layer: str) -> None:
        descriptor = os.open(layer, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._leases.append(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        # A collection renames under an exclusive lock; what it took away is no longer under this name.
        if not os.path.samestat(os.fstat(descriptor), os.stat(layer)):
            raise FileNotFoundError(layer)

    def close(self) -> None:
        for descriptor in self._leases:
            os.close(descriptor)
        self._leases.clear()

    def end(self) -> None:
        """Detaches the mount, which ends with its last copy."""
        with contextlib.suppress(OSError):
            self._kernel.unmount(self._folder)
        with contextlib.suppress(OSError):
            os.rmdir(self._folder)
        self.close()


def _key(plan: dict[str, Any]) -> str:
    """What makes two roots the same one.

    A layer is the directory itself, not its path: unpacked again it is another. While it is leased its number
    cannot be given away.
    """
    layers = [(layer, *_number(layer)) for layer in plan["layers"]]
    targets = [(target, root.wants_directory(source)) for source, target, _, _ in plan["mounts"]]
    return json.dumps([layers, plan["files"], targets, plan["userxattr"]])


def _number(layer: str) -> tuple[int, int]:
    found = os.stat(layer)
    return found.st_dev, found.st_ino
