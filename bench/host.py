"""The machine: what it is, and whether it is quiet enough to measure on."""

import datetime as dt
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.model import Host

BUSY_LIMIT = 0.10
"""Share of all CPUs that other processes may use when a round begins."""
_SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Ticks since the machine started, over all CPUs."""

    idle: int
    total: int


def parse_cpu_times(stat: str) -> CpuTimes:
    """The first line of /proc/stat; waiting for a disk counts as idle, a neighbour's stolen time does not."""
    values = [int(value) for value in stat.splitlines()[0].split()[1:9]]
    return CpuTimes(values[3] + values[4], sum(values))


def busy_share(before: CpuTimes, after: CpuTimes) -> float:
    """The share of CPU time between two readings that was not idle."""
    total = after.total - before.total
    return 1 - (after.idle - before.idle) / total if total else 0.0


def _read() -> CpuTimes:
    return parse_cpu_times(Path("/proc/stat").read_text(encoding="ascii"))


def wait_until_quiet(within_s: float, say: Callable[[str], None]) -> bool:
    """Returns whether the machine became quiet in time."""
    deadline = time.monotonic() + within_s
    told = False
    while True:
        before = _read()
        time.sleep(_SAMPLE_S)
        share = busy_share(before, _read())
        if share <= BUSY_LIMIT:
            return True
        if time.monotonic() > deadline:
            return False
        if not told:
            told = True
            say(f"waiting for a quiet machine: other processes use {100 * share:.0f} % of the CPUs")


def load() -> tuple[float, ...]:
    """The load averages of 1, 5 and 15 minutes."""
    return tuple(round(value, 2) for value in os.getloadavg())


def describe(*, load_before: tuple[float, ...], rounds: int, disturbed: int) -> Host:
    """The machine class and how the run went on it."""
    return Host(
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        cpu=_cpu_model(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        kernel=platform.release().partition("-")[0],
        load_before=load_before,
        load_after=load(),
        rounds=rounds,
        disturbed=disturbed,
    )


def _cpu_model(cpuinfo: str) -> str:
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return platform.machine()
