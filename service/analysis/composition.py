"""What a configuration consists of: its tickers by exchange, and how concentrated they are; no I/O."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "CONFIGURATION#"
"""What the sort keys of configurations begin with; the table holds other items too."""

NO_EXCHANGE = "none"


class UnreadableError(Exception):
    """An item that says it is a configuration and is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One write of one configuration.

    Attributes:
        version: counts the writes.
    """

    user_key: str
    sort_key: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """The tickers of a configuration, counted.

    Attributes:
        exchanges: how many tickers each exchange has; `NO_EXCHANGE` for those without one.
        unknown: tickers that the list of tickers no longer has.
        concentration: the Herfindahl index of the exchanges, from 1/n (evenly spread over n) to 1 (one
            exchange alone); 0 where no ticker is known.
    """

    exchanges: Mapping[str, int]
    unknown: tuple[str, ...]
    concentration: float


def written(item: Mapping[str, Any]) -> Written:
    """The write that left this item of the table, which is in DynamoDB's JSON.

    Raises:
        UnreadableError: the item is no configuration.
    """
    try:
        return Written(user_key=item["pk"]["S"], sort_key=item["sk"]["S"], version=int(item["version"]["N"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableError(f"no configuration: {type(error).__name__} {error}") from error


def tickers(item: Mapping[str, Any]) -> tuple[str, ...]:
    """The symbols that a configuration names.

    Raises:
        UnreadableError: the item has no list of texts.
    """
    try:
        return tuple(ticker["S"] for ticker in item["tickers"]["L"])
    except (KeyError, TypeError) as error:
        raise UnreadableError(f"no tickers: {type(error).__name__} {error}") from error


def compose(symbols: tuple[str, ...], exchanges: Mapping[str, str | None]) -> Composition:
    """The composition of a configuration.

    Args:
        symbols: its tickers.
        exchanges: the exchange of every known symbol, None for one without.
    """
    known = [symbol for symbol in symbols if symbol in exchanges]
    counted = Counter(exchanges[symbol] or NO_EXCHANGE for symbol in known)
    shares = [count / len(known) for count in counted.values()]
    return Composition(
        exchanges=dict(sorted(counted.items())),
        unknown=tuple(symbol for symbol in symbols if symbol not in exchanges),
        concentration=round(sum(share * share for share in shares), 4),
    )
