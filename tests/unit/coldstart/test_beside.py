from dataclasses import replace

from tests.fakes.coldstarts import report
from understudy.coldstart import beside
from understudy.coldstart.model import Condition, Deployed, Sample, Series


def series(memory_mb: int, init_ms: float, *, error: str = "") -> Series:
    sample = Sample(
        init_ms=init_ms, first_ms=20.0, second_ms=2.0, init_peak_mb=0.0, peak_mb=60.0, error=error
    )
    return Series(condition=Condition(memory_mb=memory_mb), samples=(sample, sample))


def test_the_sandbox_s_series_of_the_same_memory_stands_beside() -> None:
    here = report(100.0)
    here = replace(here, series=(*here.series, series(1024, 50.0)))
    there = Deployed(target="preprod", function="shop", series=series(1024, 150.0))

    rows = {row.name: row for row in beside.rows(here, there)}

    assert (rows["init"].here, rows["init"].there, rows["init"].ratio) == (50.0, 150.0, 3.0)
    assert rows["peak memory"].ratio == 1.0


def test_the_table_names_the_place_and_what_failed_there() -> None:
    there = Deployed(target="preprod", function="shop", series=series(512, 150.0, error="Unhandled"))

    lines = list(beside.lines(report(100.0), there))

    assert lines[1] == "shop on preprod, 512 MB, 2 cold starts of scratch versions; medians"
    assert lines[3].split() == ["init", "100.0", "150.0", "1.50", "ms"]
    assert lines[-1] == "! GET /health fails there with Unhandled"


def test_nothing_has_no_ratio() -> None:
    assert beside.Row(name="x", here=0.0, there=1.0, unit="ms").ratio == 0.0
