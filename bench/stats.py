"""The little statistics that a benchmark of a few rounds can honestly use: median and range."""

from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The middle value, the mean of the two middle ones for an even number.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("median of nothing")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def ratio(value: float | None, base: float | None) -> float | None:
    """`value` in units of `base`; None when one of them is missing or the base is zero."""
    if value is None or not base:
        return None
    return value / base
