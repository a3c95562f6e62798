import dataclasses

from tests.fakes.coldstarts import OWNERS, recording, report, span
from understudy.coldstart import comparison, profiles

SLOW = (400.0, 410.0, 405.0, 395.0, 420.0, 399.0, 415.0, 402.0, 408.0, 411.0)
FAST = tuple(value - 100 for value in SLOW)


def test_a_clear_gain_is_significant() -> None:
    init = comparison.compare(report(*SLOW), report(*FAST)).figures[0]

    assert init.significant
    assert round(init.change, 2) == -0.25


def test_noise_is_not() -> None:
    init = comparison.compare(report(*SLOW), report(*reversed(SLOW))).figures[0]

    assert not init.significant
    assert init.p_value > 0.9


def test_figures_that_do_not_vary_cannot_be_told_apart() -> None:
    second = comparison.compare(report(*SLOW), report(*FAST)).figures[2]

    assert second.p_value == 1.0


def test_the_p_value_is_the_textbook_s() -> None:
    found = comparison.p_value([1, 2, 3, 4, 5, 6, 7, 8], [5, 6, 7, 8, 9, 10, 11, 12])

    assert round(found, 9) == 0.013313003, "as the asymptotic method of scipy 1.17.1's mannwhitneyu has it"


def test_distributions_that_changed_are_listed_largest_change_first() -> None:
    before = profiles.profile(recording(span("yaml", 20, 60)), handler="", owners=OWNERS)
    after = profiles.profile(recording(span("fastapi", 20, 30)), handler="", owners=OWNERS)

    found = comparison.compare(
        dataclasses.replace(report(*SLOW), profile=before), dataclasses.replace(report(*FAST), profile=after)
    )

    assert found.distributions == (("PyYAML", 40.0, 0.0), ("fastapi", 0.0, 10.0))
