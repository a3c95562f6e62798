import dataclasses

from tests.fakes.coldstarts import OWNERS, recording, report, span
from understudy.coldstart import advice, comparison, profiles, text
from understudy.coldstart.model import Condition


def test_the_report_says_where_the_time_goes_and_what_to_do() -> None:
    told = recording(span("app", 20, 90), span("yaml", 30, 70, parent=0, path="/var/task/app.py"))
    profile = profiles.profile(told, handler="app", owners=OWNERS)
    shown = "\n".join(
        text.lines(
            dataclasses.replace(
                report(100.0, 110.0, 90.0),
                stand_in_for="aws/base",
                calibration=report(20.0).series[0],
                profile=profile,
                suggestions=advice.suggestions(told, profile, owners=OWNERS),
                notes=("mind this",),
            )
        )
    )

    assert text.BANNER in shown
    assert "on the stand-in for aws/base" in shown
    assert f"  {'init':<32}{100.0:>9.1f}{110.0:>9.1f}{90.0:>9.1f}{110.0:>9.1f}" in shown
    assert "import of app" in shown
    assert "100% has a name" in shown
    assert "1. 40 ms: yaml is imported before the first request" in shown
    assert "/var/task/app.py:3" in shown
    assert shown.endswith("! mind this")


def test_a_condition_names_only_what_is_special() -> None:
    assert text.condition(Condition(memory_mb=512)) == "512 MB"
    assert (
        text.condition(Condition(memory_mb=512, cache="dropped", throttled_init=True))
        == "512 MB, files not cached, init throttled"
    )


def test_a_comparison_does_not_call_noise_a_gain() -> None:
    slow = [400.0 + number for number in range(10)]
    fast = [300.0 + number for number in range(10)]
    told = list(text.compared(comparison.compare(report(*slow), report(*fast))))

    assert "25% faster" in told[0]
    assert "no difference that can be told" in told[2]


def test_a_sweep_names_the_cheapest_memory() -> None:
    one = report(1000.0)
    large = dataclasses.replace(one.series[0], condition=Condition(memory_mb=1024))

    shown = list(text.lines(dataclasses.replace(one, series=(large, *one.series))))

    # 1.1 s at half a GB, at 16.6667 USD for a million GB-seconds.
    assert "cheapest: 512 MB, 9.17 USD for a million cold starts with their first requests" in shown
    assert not any("cheapest" in line for line in text.lines(one))
