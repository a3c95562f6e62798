from understudy.coldstart.model import Condition, Sample, Series, Spread


def test_the_spread_keeps_the_slow_tail() -> None:
    found = Spread.of([5.0, 1.0, 3.0, 2.0, 4.0, 9.0, 8.0, 7.0, 6.0, 100.0])

    assert (found.median, found.p90, found.low, found.high) == (5.5, 9.0, 1.0, 100.0)


def test_one_value_is_its_own_spread() -> None:
    assert Spread.of([2.0]) == Spread(median=2.0, p90=2.0, low=2.0, high=2.0)


def test_a_series_answers_by_the_figure_s_name() -> None:
    samples = tuple(
        Sample(init_ms=value, first_ms=1.0, second_ms=1.0, init_peak_mb=1.0, peak_mb=2.0)
        for value in (100.0, 300.0, 200.0)
    )
    series = Series(condition=Condition(memory_mb=512), samples=samples)

    assert series.spread("init_ms").median == 200.0
    assert series.spread("total_ms").high == 301.0
