"""How busy the machine is with something else."""

from bench import host
from bench.host import CpuTimes

STAT = "cpu  100 5 50 800 20 1 4 20 0 0\ncpu0 1 2 3\nintr 5\n"


def test_disk_waits_are_idle_and_stolen_time_is_not() -> None:
    assert host.parse_cpu_times(STAT) == CpuTimes(820, 1000)


def test_busy_share_between_two_readings() -> None:
    assert host.busy_share(CpuTimes(820, 1000), CpuTimes(870, 1100)) == 0.5
    assert host.busy_share(CpuTimes(820, 1000), CpuTimes(820, 1000)) == 0.0
