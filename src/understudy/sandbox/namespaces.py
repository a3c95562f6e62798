"""Sandboxes out of Linux namespaces and control groups: no daemon, no container engine.

`NamespaceExecutor` owns one fork server and this engine's control groups. What the kernel does not grant
(control groups of an unprivileged user, mostly) is replaced by watching, and named in `constraints`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import UnderstudyError
from understudy.image import rootfs
from understudy.sandbox import cgroups, model, plans, privileges
from understudy.sandbox.cgroups import Cgroups
from understudy.sandbox.forkclient import ForkServer
from understudy.sandbox.namespace_sandbox import NamespaceSandbox
from understudy.sandbox.parking import Parking

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from understudy.sandbox.cgroups import Group
    from understudy.sandbox.model import SandboxSpec

_NETWORKS = {"host": "host", "isolated": "own namespace without a route"}
_PARKED = min(2, os.cpu_count() or 1)
# Long enough to leave the CPUs to the start that took a parked sandbox, short beside any init.
_PARK_AFTER_S = 0.1
_RESOLVER_FILES = ("/etc/resolv.conf", "/etc/hosts")


class NamespaceExecutor:
    """Prepares sandboxes for one engine.

    Args:
        state_dir: folder for the mount point under which roots are assembled; nothing is ever stored there.
    """

    def __init__(self, state_dir: Path) -> None:
        self._server = ForkServer(state_dir / "run" / f"roots-{os.getpid()}", "function")
        self._groups: Cgroups | None = None
        self._parking: Parking | None = None
        self._filling: asyncio.TimerHandle | None = None
        self._restarting = threading.Lock()
        self._turn = itertools.count()
        self._sandboxes: set[NamespaceSandbox] = set()

    @property
    def fork_server_pid(self) -> int:
        """Process id of the fork server; 0 before `open`."""
        return self._server.pid

    @property
    def parked(self) -> int:
        """How many sandboxes wait for their root."""
        return len(self._parking) if self._parking is not None else 0

    async def open(self) -> None:
        """Starts the fork server and claims control groups.

        Raises:
            EnvironmentProblemError: the kernel forbids namespaces; the hint says how to allow them.
        """
        groups = Cgroups(cgroups.read_layout())
        groups.open()
        self._groups = groups
        await asyncio.to_thread(self._server.start, remove_at_exit=groups.folders)
        self._parking = Parking(self._server, groups.create, _PARKED)
        self._parking.fill()

    async def close(self) -> None:
        """Ends every sandbox and the fork server; idempotent."""
        if self._filling is not None:
            self._filling.cancel()
        parking, self._parking = self._parking, None
        if parking is not None:
            parking.close()
        await asyncio.gather(*(sandbox.close() for sandbox in tuple(self._sandboxes)))
        await asyncio.to_thread(self._server.stop)
        groups, self._groups = self._groups, None
        if groups is not None:
            groups.close()

    async def prepare(self, spec: SandboxSpec) -> NamespaceSandbox:
        """Makes the root and the limits for `spec`.

        Raises:
            UnderstudyError: the root cannot be assembled, or the executor is not open.
        """
        if self._groups is None or self._server.identity is None:
            raise UnderstudyError(
                "sandbox-closed", "the sandbox executor is not open", hint="run ./understudy up"
            )
        if not self._server.alive:
            await asyncio.to_thread(self._restart, self._groups)
        who = self._server.identity
        plan = plans.function_root(
            spec,
            passwd=image_file(spec, "etc/passwd"),
            resolver=host_resolver(),
            user_namespace=who.user_namespace,
        )
        held = lease(spec)
        try:
            link, group = self._begin(plan, self._groups)
        except BaseException:
            held.close()
            raise
        # Pages of /tmp count as the group's memory, and on Lambda it is disk: so the kernel's limit has room
        # for all of it. Raising the limit while /tmp fills is too slow for a program that writes 5 GB/s.
        group.limit_memory((spec.memory_mb + spec.ephemeral_mb) * 1024 * 1024)
        group.limit_processes(model.MAX_PROCESSES)
        group.limit_cpu(model.cpu_limit(spec, initialising=True))
        sandbox = NamespaceSandbox(
            spec,
            link=link,
            group=group,
            constraints=_constraints(spec, self._groups.means),
            set_groups=who.may_set_groups,
            cpus=self._choose_cpus(spec),
        )
        self._sandboxes.add(sandbox)
        sandbox.on_closed = self._sandboxes.discard
        sandbox.lease = held
        try:
            await sandbox.ready()
        except BaseException:
            await sandbox.close()
            raise
        return sandbox

    def _begin(self, plan: dict[str, Any], groups: Cgroups) -> tuple[socket.socket, Group]:
        """A sandbox that is about to have the root of `plan`, parked before or made now."""
        parked = self._parking.take() if self._parking is not None and plan["network"] else None
        group = groups.create() if parked is None else parked.group
        try:
            if parked is None:
                return self._server.spawn(plan), group
            self._server.enter(plan, parked.link)
        except BaseException:
            group.remove()
            raise
        if self._filling is None:
            self._filling = asyncio.get_running_loop().call_later(_PARK_AFTER_S, self._fill)
        return parked.link, group

    def _fill(self) -> None:
        self._filling = None
        if self._parking is not None:
            self._parking.fill()

    def _restart(self, groups: Cgroups) -> None:
        with self._restarting:
            if not self._server.alive:
                self._server.stop()
                self._server.start(remove_at_exit=groups.folders)

    def check(self) -> list[UnderstudyError]:
        """Returns what this machine lacks for complete constraints, each with the command that adds it."""
        return check()

    def _choose_cpus(self, spec: SandboxSpec) -> list[int]:
        # As many as Lambda shows for this memory; neighbours start at different ones.
        available = sorted(os.sched_getaffinity(0))
        wanted = model.visible_vcpus(spec.memory_mb)
        if spec.cpu == "host" or wanted >= len(available):
            return []
        start = next(self._turn) * wanted
        return [available[(start + offset) % len(available)] for offset in range(wanted)]


def check() -> list[UnderstudyError]:
    """What this machine lacks for complete constraints; empty when nothing is missing."""
    findings: list[UnderstudyError] = []
    folder = Path(f"/tmp/understudy-check-{os.getpid()}")  # noqa: S108 - an empty mount point for a moment
    server = ForkServer(folder, "function")
    try:
        server.start()
    except UnderstudyError as error:
        findings.append(error)
    finally:
        server.stop()
    groups = Cgroups(cgroups.read_layout())
    groups.open()
    means = groups.means
    groups.close()
    findings.extend(_group_findings(means))
    if privileges.identity("build").user_namespace:
        findings.append(
            UnderstudyError(
                "sandbox-single-user",
                "build steps know one user only, root: chown to another user fails in a RUN step",
                hint="run as root: sudo ./understudy build",
            )
        )
    return findings


def _group_findings(means: Mapping[str, str]) -> list[UnderstudyError]:
    texts = {
        "memory": "the memory limit is watched every 20 ms instead of enforced by the kernel",
        "pids": "the limit of 1,024 processes is per user instead of per function",
        "cpu": "functions get the host's CPU instead of their share by memory",
    }
    return [
        UnderstudyError(
            f"sandbox-cgroup-{name}",
            f"the control group controller {name} is not writable: {text}",
            hint="start understudy with: systemd-run --user --scope -p Delegate=yes ./understudy up",
        )
        for name, text in texts.items()
        if name not in means
    ]


def lease(spec: SandboxSpec) -> contextlib.ExitStack:
    """Keeps the folders of the image's layers from collection until it is closed.

    Raises:
        UnderstudyError: one was removed meanwhile.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(rootfs.lease(spec.rootfs))
        except FileNotFoundError as error:
            raise UnderstudyError(
                "sandbox-layer-gone",
                f"layer {error.args[0]} was removed meanwhile",
                hint="invoke again",
                retryable=True,
            ) from error
        return stack.pop_all()


def _constraints(spec: SandboxSpec, means: Mapping[str, str]) -> dict[str, str]:
    return {
        "user": f"{model.SANDBOX_UID}:{model.SANDBOX_GID}, no capabilities, no new privileges",
        "root": "read-only overlay",
        "tmp": f"tmpfs, {spec.ephemeral_mb} MB",
        "dev-shm": "absent",
        "files": "rlimit 1024",
        "memory": means.get("memory", "watched every 20 ms"),
        "processes": means.get("pids", "rlimit per user"),
        "cpu": "host" if spec.cpu == "host" else means.get("cpu", "host"),
        "frozen-when-idle": means.get("freeze", "no"),
        "network": _NETWORKS[spec.network],
    }


def image_file(spec: SandboxSpec, path: str) -> str:
    """Text of `path` in the uppermost layer that has it; empty when none has."""
    for layer in reversed(spec.rootfs.layers):
        with contextlib.suppress(OSError):
            return (layer / path).read_text(encoding="utf-8", errors="replace")
    return ""


def host_resolver() -> dict[str, str]:
    """The host's name resolution files, by path."""
    found = {}
    for path in _RESOLVER_FILES:
        with contextlib.suppress(OSError):
            found[path] = Path(path).read_text(encoding="utf-8", errors="replace")
    return found
