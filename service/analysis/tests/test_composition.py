import pytest

from analysis.composition import UnreadableError, compose, tickers, written

EXCHANGES = {"AAPL": "NASDAQ", "MSFT": "NASDAQ", "BA": "NYSE", "^GSPC": None}


@pytest.mark.parametrize(
    ("symbols", "exchanges", "concentration"),
    [
        (("AAPL", "MSFT"), {"NASDAQ": 2}, 1.0),
        (("AAPL", "BA"), {"NASDAQ": 1, "NYSE": 1}, 0.5),
        (("AAPL", "MSFT", "BA"), {"NASDAQ": 2, "NYSE": 1}, 0.5556),
        (("^GSPC",), {"none": 1}, 1.0),
        ((), {}, 0),
    ],
)
def test_tickers_are_counted_by_exchange(
    symbols: tuple[str, ...], exchanges: dict[str, int], concentration: float
) -> None:
    found = compose(symbols, EXCHANGES)
    assert (found.exchanges, found.concentration) == (exchanges, concentration)


def test_what_is_no_ticker_any_more_does_not_count() -> None:
    found = compose(("AAPL", "GONE"), EXCHANGES)
    assert (found.exchanges, found.unknown, found.concentration) == ({"NASDAQ": 1}, ("GONE",), 1.0)


@pytest.mark.parametrize("given", [{"S": "AAPL"}, {"L": [{"N": "1"}]}, None])
def test_an_item_without_a_list_of_tickers_is_told(given: object) -> None:
    with pytest.raises(UnreadableError, match="no tickers"):
        tickers({"tickers": given})


@pytest.mark.parametrize("version", [{"S": "1"}, {"N": "x"}, None])
def test_an_item_that_no_configuration_left_is_told(version: object) -> None:
    with pytest.raises(UnreadableError, match="no configuration"):
        written({"pk": {"S": "USER#a"}, "sk": {"S": "CONFIGURATION#1"}, "version": version})
