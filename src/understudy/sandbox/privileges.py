"""What the kernel lets this process do: real root, a user namespace, or neither and why.

Refuses to work around a refusal: the error names its cause and the command that lifts it.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from understudy.errors import EnvironmentProblemError
from understudy.sandbox.inner.linux import CAP_SYS_ADMIN
from understudy.sandbox.model import SANDBOX_GID, SANDBOX_UID

Purpose = Literal["function", "build", "build-all-users"]
_RANGE_AT_LEAST = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the fork server is inside its namespace.

    Attributes:
        user_namespace: whether one is needed; real root needs none.
        become: user and group number of the fork server in it.
        uid_map: lines for `uid_map` or arguments for `newuidmap`: inside, outside, count.
        gid_map: the same for groups.
        by_helper: whether `newuidmap` and `newgidmap` must write the maps.
    """

    user_namespace: bool
    become: tuple[int, int] = (0, 0)
    uid_map: tuple[tuple[int, int, int], ...] = ()
    gid_map: tuple[tuple[int, int, int], ...] = ()
    by_helper: bool = False

    @property
    def may_set_groups(self) -> bool:
        """Whether setgroups(2) works inside: not where the kernel wanted it denied."""
        return not self.user_namespace or self.by_helper


def identity(purpose: Purpose) -> Identity:
    """The identity for running functions, or for build steps.

    A function needs one user only, so one line maps the caller to 993:990. A build step is root alone: what
    it gave to other users would belong to the caller's subordinate ids on disk, which the caller can neither
    read nor remove. ``build-all-users`` accepts that, where /etc/subuid and newuidmap give such ids.
    """
    if has_capability(CAP_SYS_ADMIN):
        return Identity(user_namespace=False)
    uid, gid = os.geteuid(), os.getegid()
    if purpose == "function":
        return Identity(
            user_namespace=True,
            become=(SANDBOX_UID, SANDBOX_GID),
            uid_map=((SANDBOX_UID, uid, 1),),
            gid_map=((SANDBOX_GID, gid, 1),),
        )
    users, groups = subordinate_range(Path("/etc/subuid")), subordinate_range(Path("/etc/subgid"))
    if (
        purpose == "build-all-users"
        and users
        and groups
        and shutil.which("newuidmap")
        and shutil.which("newgidmap")
    ):
        return Identity(
            user_namespace=True,
            uid_map=((0, uid, 1), (1, *users)),
            gid_map=((0, gid, 1), (1, *groups)),
            by_helper=True,
        )
    return Identity(user_namespace=True, uid_map=((0, uid, 1),), gid_map=((0, gid, 1),))


def has_capability(capability: int) -> bool:
    """Whether this process holds `capability` effectively."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> capability & 1)
    return False


def subordinate_range(path: Path) -> tuple[int, int] | None:
    """Start and length of the caller's range in `/etc/subuid` or `/etc/subgid`."""
    uid = os.getuid()
    try:
        names = {str(uid), pwd.getpwuid(uid).pw_name}
    except KeyError:
        names = {str(uid)}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split(":")
        if len(fields) == 3 and fields[0] in names and int(fields[2]) >= _RANGE_AT_LEAST:
            return int(fields[1]), int(fields[2])
    return None


def write_maps(pid: int, who: Identity) -> None:
    """Gives the user namespace of process `pid` the maps of `who`.

    Raises:
        EnvironmentProblemError: the kernel or the helper refuses.
    """
    try:
        if who.by_helper:
            _run_helper("newuidmap", pid, who.uid_map)
            _run_helper("newgidmap", pid, who.gid_map)
            return
        folder = Path(f"/proc/{pid}")
        (folder / "setgroups").write_text("deny", encoding="ascii")
        (folder / "uid_map").write_text(_lines(who.uid_map), encoding="ascii")
        (folder / "gid_map").write_text(_lines(who.gid_map), encoding="ascii")
    except (OSError, subprocess.CalledProcessError) as error:
        raise EnvironmentProblemError(
            "sandbox-user-map",
            f"the kernel refuses to map this user into a namespace: {error}",
            hint="sudo apt-get install uidmap, and give this user a range in /etc/subuid and /etc/subgid",
        ) from error


def _run_helper(name: str, pid: int, mapping: tuple[tuple[int, int, int], ...]) -> None:
    words = [str(number) for line in mapping for number in line]
    subprocess.run([name, str(pid), *words], check=True, capture_output=True)


def _lines(mapping: tuple[tuple[int, int, int], ...]) -> str:
    return "".join(f"{inside} {outside} {count}\n" for inside, outside, count in mapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSwitch:
    """A kernel setting that forbids user namespaces, and the command that lifts it."""

    path: str
    forbids: str
    cause: str
    hint: str


SWITCHES = (
    KernelSwitch(
        path="kernel/apparmor_restrict_unprivileged_userns",
        forbids="1",
        cause="AppArmor restricts unprivileged user namespaces (Ubuntu 23.10 and later)",
        hint="sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    KernelSwitch(
        path="kernel/unprivileged_userns_clone",
        forbids="0",
        cause="the kernel forbids unprivileged user namespaces (Debian's switch)",
        hint="sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    KernelSwitch(
        path="user/max_user_namespaces",
        forbids="0",
        cause="the kernel allows no user namespaces",
        hint="sudo sysctl -w user.max_user_namespaces=28633",
    ),
)


def forbidden(
    number: int, text: str, *, sysctl: Path = Path("/proc/sys"), root: Path = Path("/")
) -> EnvironmentProblemError:
    """The error for a namespace or mount that the kernel refused.

    Args:
        number: errno of the refused call.
        text: of the refused call.
        sysctl: where the kernel's settings are; a test passes its own.
        root: of the file system; a test passes its own.
    """
    cause, hint = _cause(number, sysctl, root)
    return EnvironmentProblemError(
        "sandbox-forbidden",
        f"the sandbox cannot be set up: {cause} ({text})",
        hint=f"{hint}; or leave it to a Docker engine: --executor docker",
        where="kernel",
    )


def _cause(number: int, sysctl: Path, root: Path) -> tuple[str, str]:
    for switch in SWITCHES:
        try:
            value = (sysctl / switch.path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == switch.forbids:
            return switch.cause, switch.hint
    if number == errno.ENOSPC:
        return SWITCHES[-1].cause + " beyond the present ones", SWITCHES[-1].hint
    if number in {errno.EPERM, errno.EACCES} and any(
        (root / name).exists() for name in (".dockerenv", "run/.containerenv")
    ):
        return (
            "the container's seccomp profile forbids namespaces",
            "start the container with --privileged, or with --cap-add SYS_ADMIN --cap-add NET_ADMIN "
            "--security-opt seccomp=unconfined --security-opt apparmor=unconfined",
        )
    return "the kernel refuses it to this user", "run as root, or allow user namespaces for this user"
