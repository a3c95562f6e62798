"""Memory, process and CPU limits through control groups, version 1, version 2 or both at once.

Every engine has one group with one child per sandbox; its name carries the engine's pid and start time, so
that the next start can tell a dead engine's group and remove it. Where a controller is not writable that
limit is simply not there, and `Cgroups.means` says so: refuses to pretend.

"Max Memory Used" is not the group's own peak (`memory.peak`, `memory.max_usage_in_bytes`): that one counts
the page cache of the image's shared files for whichever sandbox happened to read them first. It is the sum of
the processes' peak resident sizes (VmHWM), which is the same on every run.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "understudy-"
_CONTROLLERS = ("memory", "pids", "cpu")
_CPU_PERIOD_US = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where this process's own groups are.

    Attributes:
        v1: own directory per version 1 controller.
        v2: own directory in the unified hierarchy.
        v2_top: where that hierarchy is mounted.
    """

    v1: Mapping[str, Path] = field(default_factory=dict)
    v2: Path | None = None
    v2_top: Path | None = None


def parse_layout(mountinfo: str, membership: str) -> Layout:
    """The layout from the texts of /proc/self/mountinfo and /proc/self/cgroup."""
    own: dict[str, str] = {}
    for line in membership.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            own[name] = path
    v1: dict[str, Path] = {}
    v2: Path | None = None
    top: Path | None = None
    for line in mountinfo.splitlines():
        head, _, tail = line.partition(" - ")
        fields, kind = head.split(), tail.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        mounted = Path(_unescape(fields[4]))
        if kind[0] == "cgroup2" and "" in own and v2 is None:
            v2, top = _own_folder(mounted, fields[3], own[""]), mounted
        elif kind[0] == "cgroup":
            for name in set(kind[2].split(",")) & set(_CONTROLLERS) & own.keys():
                v1.setdefault(name, _own_folder(mounted, fields[3], own[name]))
    return Layout(v1=v1, v2=v2, v2_top=top)


def _own_folder(mounted: Path, shown_root: str, own: str) -> Path:
    # In a container the mount may show a subtree only; paths outside of it begin with /.. .
    relative = own if shown_root == "/" else own.removeprefix(shown_root)
    return mounted if relative.startswith("/..") else mounted / relative.lstrip("/")


def _unescape(text: str) -> str:
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def read_layout() -> Layout:
    """The layout of this process."""
    proc = Path("/proc/self")
    return parse_layout(
        (proc / "mountinfo").read_text(encoding="utf-8"), (proc / "cgroup").read_text(encoding="utf-8")
    )


class Cgroups:
    """The groups of one engine."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._bases: dict[str, Path] = {}
        self._number = 0

    def open(self) -> None:
        """Removes the groups of dead engines and makes this one's, as far as the kernel lets it."""
        name = f"{PREFIX}{os.getpid()}-{_start_time(os.getpid())}"
        for controller, folder in self._layout.v1.items():
            self._claim(controller, folder, name)
        delegated = self._delegated() if self._layout.v2 is not None else None
        if delegated is not None:
            self._claim("v2", delegated, name)
            for controller in _CONTROLLERS:
                _try_write(delegated / name / "cgroup.subtree_control", f"+{controller}")

    @property
    def folders(self) -> tuple[Path, ...]:
        """What `open` made; empty of sandboxes they can be removed with rmdir."""
        return tuple(dict.fromkeys(self._bases.values()))

    @property
    def means(self) -> Mapping[str, str]:
        """Which limits are in force and by which version."""
        found = {name: "cgroup v1" for name in self._bases if name in _CONTROLLERS}
        unified = self._bases.get("v2")
        if unified is not None:
            enabled = _read(unified / "cgroup.subtree_control").split()
            found |= {name: "cgroup v2" for name in _CONTROLLERS if name in enabled}
            if (unified / "cgroup.freeze").exists():
                found["freeze"] = "cgroup v2"
        return found

    def create(self) -> Group:
        """A group for one sandbox, without limits yet."""
        self._number += 1
        folders: dict[str, Path] = {}
        for controller, base in self._bases.items():
            folder = base / str(self._number)
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
            folders[controller] = folder
        return Group(folders, self.means)

    def close(self) -> None:
        """Removes this engine's groups; sandboxes that still run keep theirs for the next start to remove."""
        for folder in self.folders:
            remove_tree(folder)
        self._bases.clear()

    def _claim(self, controller: str, parent: Path, name: str) -> None:
        try:
            sweep(parent)
            (parent / name).mkdir(exist_ok=True)
        except OSError:
            return
        self._bases[controller] = parent / name

    def _delegated(self) -> Path | None:
        """The nearest folder in the unified hierarchy, from our own upwards, that can hold limited children.

        A group with processes of its own cannot (https://docs.kernel.org/admin-guide/cgroup-v2.html, "no
        internal process constraint"), so systemd's session scope is passed over for the slice above it.
        """
        folder, top = self._layout.v2, self._layout.v2_top
        fallback: Path | None = None
        while folder is not None and top is not None:
            if os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
                fallback = fallback or folder
                if _offers_memory(folder):
                    return folder
            if folder == top:
                break
            folder = folder.parent
        return fallback


def _offers_memory(folder: Path) -> bool:
    if "memory" in _read(folder / "cgroup.subtree_control").split():
        return True
    return "memory" in _read(folder / "cgroup.controllers").split() and _try_write(
        folder / "cgroup.subtree_control", "+memory +pids"
    )


class Group:
    """The limits of one sandbox."""

    def __init__(self, folders: Mapping[str, Path], means: Mapping[str, str]) -> None:
        self._folders = folders
        self._memory = self._folder("memory", means)
        self._v2 = means.get("memory") == "cgroup v2"
        self._pids = self._folder("pids", means)
        self._cpu = self._folder("cpu", means)
        self._cpu_v2 = means.get("cpu") == "cgroup v2"
        self._limit_bytes = 0
        freezer = folders.get("v2")
        self._freeze_fd = _open(freezer / "cgroup.freeze") if freezer and "freeze" in means else -1
        self._frozen = False
        listed = self._memory or self._pids or freezer
        self._procs_fd = _open(listed / "cgroup.procs", os.O_RDONLY) if listed else -1

    def _folder(self, controller: str, means: Mapping[str, str]) -> Path | None:
        if controller not in means:
            return None
        return self._folders["v2" if means[controller] == "cgroup v2" else controller]

    @property
    def limits_memory(self) -> bool:
        """Whether the kernel enforces the memory limit."""
        return self._memory is not None

    @property
    def limits_processes(self) -> bool:
        """Whether the kernel counts processes per sandbox."""
        return self._pids is not None

    @contextlib.contextmanager
    def entries(self) -> Iterator[tuple[int, ...]]:
        """Open `cgroup.procs` files: a process that writes 0 to each is in the group."""
        with contextlib.ExitStack() as stack:
            opened = []
            for folder in dict.fromkeys(self._folders.values()):
                descriptor = os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
                stack.callback(os.close, descriptor)
                opened.append(descriptor)
            yield tuple(opened)

    def limit_memory(self, size_bytes: int) -> None:
        """Sets the limit on memory; swap is not to be had."""
        if self._memory is None or size_bytes == self._limit_bytes:
            return
        value = str(size_bytes)
        if self._v2:
            _try_write(self._memory / "memory.max", value)
            _try_write(self._memory / "memory.swap.max", "0")
            _try_write(self._memory / "memory.oom.group", "1")
        else:
            names = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
            # memsw may never be below the other, so the order depends on the direction.
            for name in names if size_bytes < self._limit_bytes or not self._limit_bytes else reversed(names):
                _try_write(self._memory / name, value)
        self._limit_bytes = size_bytes

    def limit_processes(self, count: int) -> None:
        """Sets the limit on processes and threads."""
        if self._pids is not None:
            _try_write(self._pids / "pids.max", str(count))

    def limit_cpu(self, vcpus: float | None) -> None:
        """Sets the share of CPU time; `None` lifts it.

        Lambda's period is not documented; short stalls are the more useful guess for an interactive service,
        and the share is the same for any.
        """
        if self._cpu is None:
            return
        quota = None if vcpus is None else max(1000, round(vcpus * _CPU_PERIOD_US))
        if self._cpu_v2:
            _try_write(self._cpu / "cpu.max", f"{quota or 'max'} {_CPU_PERIOD_US}")
        else:
            _try_write(self._cpu / "cpu.cfs_period_us", str(_CPU_PERIOD_US))
            _try_write(self._cpu / "cpu.cfs_quota_us", str(quota or -1))

    def oom_kills(self) -> int:
        """How many processes the limit has killed."""
        if self._memory is None:
            return 0
        name = "memory.events" if self._v2 else "memory.oom_control"
        for line in _read(self._memory / name).splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0

    def anonymous_bytes(self) -> int:
        """Memory of the processes, without files and without what the sandbox keeps in `/tmp`."""
        if self._memory is None:
            return 0
        for line in _read(self._memory / "memory.stat").splitlines():
            name, _, value = line.partition(" ")
            if name in {"anon", "rss"}:  # version 2, version 1
                return int(value)
        return 0

    def pids(self) -> list[int]:
        """The processes in the group."""
        if self._procs_fd < 0:
            return []
        try:
            return [int(line) for line in os.pread(self._procs_fd, 65536, 0).split()]
        except OSError:
            return []

    def freeze(self) -> None:
        """Stops the group's processes; a frozen process of version 2 still dies when killed."""
        self._set_frozen(frozen=True)

    def thaw(self) -> None:
        """Lets them go on."""
        self._set_frozen(frozen=False)

    def _set_frozen(self, *, frozen: bool) -> None:
        if self._freeze_fd >= 0 and self._frozen != frozen:
            self._frozen = frozen
            with contextlib.suppress(OSError):
                os.pwrite(self._freeze_fd, b"1" if frozen else b"0", 0)

    def remove(self) -> bool:
        """Removes the group; whether nothing of it is left (a dying process keeps it for a moment)."""
        for descriptor in (self._freeze_fd, self._procs_fd):
            if descriptor >= 0:
                os.close(descriptor)
        self._freeze_fd = self._procs_fd = -1
        for folder in dict.fromkeys(self._folders.values()):
            with contextlib.suppress(OSError):
                folder.rmdir()
        return not any(folder.exists() for folder in self._folders.values())


def sweep(parent: Path) -> None:
    """Removes the groups under `parent` whose engine is dead."""
    for folder in parent.glob(f"{PREFIX}*-*"):
        pid, _, started = folder.name.removeprefix(PREFIX).partition("-")
        if pid.isdigit() and _start_time(int(pid)) != started:
            remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Removes a group and its children; one that still has processes stays."""
    with contextlib.suppress(OSError):
        for child in folder.iterdir():
            if child.is_dir():
                with contextlib.suppress(OSError):
                    child.rmdir()
        folder.rmdir()


def _start_time(pid: int) -> str:
    stat = _read(Path(f"/proc/{pid}/stat"))
    return stat.rpartition(")")[2].split()[19] if stat else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _open(path: Path, mode: int = os.O_WRONLY) -> int:
    try:
        return os.open(path, mode | os.O_CLOEXEC)
    except OSError:
        return -1


def _try_write(path: Path, value: str) -> bool:
    try:
        path.write_text(value, encoding="ascii")
    except OSError:
        return False
    return True
