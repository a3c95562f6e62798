"""Medians and ratios."""

import pytest
from bench import stats
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], 3.0), ([3.0, 1.0, 2.0], 2.0), ([4.0, 1.0, 2.0, 3.0], 2.5)],
    ids=["one", "odd", "even"],
)
def test_median(values: list[float], expected: float) -> None:
    assert stats.median(values) == expected


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_median_lies_between_the_extremes(values: list[float]) -> None:
    assert min(values) <= stats.median(values) <= max(values)


def test_median_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        stats.median([])


@pytest.mark.parametrize(
    ("value", "base", "expected"), [(6.0, 2.0, 3.0), (None, 2.0, None), (6.0, None, None), (6.0, 0.0, None)]
)
def test_ratio(value: float | None, base: float | None, expected: float | None) -> None:
    assert stats.ratio(value, base) == expected
