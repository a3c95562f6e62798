"""The ticker book, its document and its cache."""

import gzip
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.clients import Clients
from dashboard.errors import NotConfiguredError, TickersUnavailableError
from dashboard.settings import Settings, required
from dashboard.tickers import S3Source, TickerBook, TickerCache, parse
from fakes import TICKERS, Clock, GatedSource, ticker_document

BUCKET, KEY = "dashboard-tickers", "tickers.json.gz"
TTL_S = 60.0


def book() -> TickerBook:
    return TickerBook(parse(ticker_document()))


def pack(document: Any) -> bytes:
    return gzip.compress(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        pytest.param("aap", ["AAP", "AAPL"], id="exact-symbol-first"),
        pytest.param("A", ["AAP", "AAPL", "AMZN"], id="symbol-prefix-before-name-prefix"),
        pytest.param("auto", ["AAP"], id="word-of-the-name"),
        pytest.param("SOFT", ["MSFT"], id="part-of-the-name"),
        pytest.param(" nvda ", ["NVDA"], id="blanks-around"),
        pytest.param("brk-b", ["BRK-B"], id="dash"),
        pytest.param("zzz", [], id="nothing"),
        pytest.param("  ", [], id="blank"),
    ],
)
def test_search_ranks(text: str, symbols: list[str]) -> None:
    found = [ticker.symbol for ticker in book().search(text, limit=50)]
    assert found[: len(symbols)] == symbols
    assert bool(found) == bool(symbols)


def test_search_honours_the_limit() -> None:
    assert len(book().search("a", limit=2)) == 2


@given(text=st.text(max_size=20), limit=st.integers(1, 50))
def test_every_match_contains_the_text(text: str, limit: int) -> None:
    found = book().search(text, limit=limit)
    assert len(found) == len(set(found)) <= limit
    for ticker in found:
        assert text.strip().casefold() in f"{ticker.symbol} {ticker.name}".casefold()


@given(st.sampled_from(sorted(TICKERS)))
def test_every_symbol_finds_itself_first(symbol: str) -> None:
    assert book().search(symbol.lower(), limit=1)[0].symbol == symbol
    assert book().unknown([symbol.lower(), "NOPE"]) == ("NOPE",)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"plain", id="no-gzip"),
        pytest.param(ticker_document()[:-9], id="cut-short"),
        pytest.param(ticker_document()[:20] + b"\xff" * 40, id="damaged"),
        pytest.param(gzip.compress(b"\xff"), id="no-utf8"),
        pytest.param(gzip.compress(b"{"), id="no-json"),
        pytest.param(gzip.compress(b"[" * 100_000), id="deeply-nested"),
        pytest.param(gzip.compress(b" " * (64 * 1024 * 1024 + 1)), id="bomb"),
        pytest.param(pack([]), id="no-object"),
        pytest.param(pack({"tickers": {}}), id="no-list"),
        pytest.param(pack({"tickers": ["AAPL"]}), id="entry-is-no-object"),
        pytest.param(pack({"tickers": [{"symbol": "A L", "name": "x"}]}), id="bad-symbol"),
        pytest.param(pack({"tickers": [{"symbol": "A"}]}), id="no-name"),
        pytest.param(pack({"tickers": [{"symbol": "A", "name": "x", "exchange": 1}]}), id="bad-exchange"),
    ],
)
def test_refuses_what_is_no_ticker_document(body: bytes) -> None:
    with pytest.raises(TickersUnavailableError):
        parse(body)


def test_ignores_members_it_does_not_know() -> None:
    [ticker] = parse(pack({"as_of": "x", "tickers": [{"symbol": "a", "name": "x", "isin": "y"}]}))
    assert (ticker.symbol, ticker.name, ticker.exchange) == ("A", "x", None)


class Cache:
    """A cache over a gated source and a clock; it waits for stale refreshes only as long as told."""

    def __init__(self, stale_wait_s: float = 30.0, first_wait_s: float = 30.0) -> None:
        self.source = GatedSource(ticker_document(["AAPL"]))
        self.clock = Clock()
        self.cache = TickerCache(
            self.source,
            ttl_s=TTL_S,
            stale_wait_s=stale_wait_s,
            first_wait_s=first_wait_s,
            clock=self.clock,
        )

    def knows(self, symbol: str) -> bool:
        return self.cache.book().get(symbol) is not None

    def replace_object(self) -> None:
        self.source.body, self.source.etag = ticker_document(["MSFT"]), '"2"'


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a background thread has made it true."""
    pause = threading.Event()
    for _ in range(3000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came true")


def test_loads_once_and_answers_from_memory_within_the_ttl() -> None:
    t = Cache()
    assert t.knows("AAPL")
    t.clock.now += TTL_S - 1
    assert t.knows("AAPL")
    assert t.source.asked == [None]


def test_revalidates_by_etag_after_the_ttl() -> None:
    t = Cache()
    assert t.knows("AAPL")
    first = t.cache.book()
    t.clock.now += TTL_S
    assert t.cache.book() is first
    t.clock.now += TTL_S
    t.replace_object()
    assert t.knows("MSFT")
    assert t.source.asked == [None, '"1"', '"1"']
    t.clock.now += TTL_S
    assert t.knows("MSFT")
    assert t.source.asked[-1] == '"2"'


def test_a_slow_s3_does_not_hold_up_requests_that_have_a_book() -> None:
    t = Cache(stale_wait_s=0.01)
    assert t.knows("AAPL")
    t.clock.now += TTL_S
    t.replace_object()
    t.source.gate.clear()
    for _ in range(3):
        assert t.knows("AAPL")
    eventually(lambda: len(t.source.asked) > 1)
    assert len(t.source.asked) == 2, "one revalidation at a time"
    t.source.gate.set()
    eventually(lambda: t.knows("MSFT"))


def test_a_failing_s3_leaves_the_book_and_is_asked_again_later() -> None:
    t = Cache()
    assert t.knows("AAPL")
    t.source.failing = True
    t.clock.now += 1000 * TTL_S
    assert t.knows("AAPL")
    assert t.knows("AAPL")
    assert len(t.source.asked) == 2, "not asked again at once"
    t.source.failing = False
    t.replace_object()
    t.clock.now += 5
    assert t.knows("MSFT")


def test_a_broken_object_leaves_the_book() -> None:
    t = Cache()
    assert t.knows("AAPL")
    t.source.body, t.source.etag = b"broken", '"2"'
    t.clock.now += TTL_S
    assert t.knows("AAPL")


def test_a_clock_that_jumps_back_counts_as_expiry() -> None:
    t = Cache()
    assert t.knows("AAPL")
    t.clock.now -= 10 * TTL_S
    assert t.knows("AAPL")
    assert len(t.source.asked) == 2


def test_without_a_book_a_failure_is_told_and_the_next_request_tries_again() -> None:
    t = Cache()
    t.source.failing = True
    with pytest.raises(TickersUnavailableError, match="on fire"):
        t.cache.book()
    t.source.failing = False
    assert t.knows("AAPL")


def test_without_a_book_the_wait_for_a_slow_s3_is_bounded() -> None:
    t = Cache(first_wait_s=0.01)
    t.source.gate.clear()
    with pytest.raises(TickersUnavailableError, match="in time"):
        t.cache.book()
    t.source.gate.set()
    eventually(lambda: t.cache._book is not None)
    assert t.knows("AAPL")
    assert t.source.asked == [None]


def test_first_requests_share_one_load() -> None:
    t = Cache()
    t.source.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(t.knows, "AAPL") for _ in range(4)]
        eventually(lambda: bool(t.source.asked))
        t.source.gate.set()
        assert all(future.result(30) for future in asked)
    assert t.source.asked == [None]


def source(clients: Clients, settings: Settings) -> S3Source:
    return S3Source(clients.s3, lambda: required(settings.tickers_bucket, "TICKERS_BUCKET"), KEY)


def test_s3_source_fetches_then_revalidates(aws: Clients, settings: Settings) -> None:
    s3 = source(aws, settings)
    fetched = s3.fetch(None)
    assert fetched is not None
    assert len(parse(fetched.body)) == len(TICKERS)
    assert s3.fetch(fetched.etag) is None
    aws.s3().put_object(Bucket=BUCKET, Key=KEY, Body=ticker_document(["SAP"]))
    changed = s3.fetch(fetched.etag)
    assert changed is not None
    assert changed.etag != fetched.etag


@pytest.mark.parametrize(
    ("bucket", "key", "code"),
    [("no-such-bucket-here", KEY, "NoSuchBucket"), (BUCKET, "nope", "NoSuchKey")],
)
def test_s3_source_says_what_is_missing(aws: Clients, bucket: str, key: str, code: str) -> None:
    s3 = S3Source(aws.s3, lambda: bucket, key)
    for ask in (lambda: s3.fetch(None), s3.check):
        with pytest.raises(TickersUnavailableError, match=code):
            ask()


def test_an_unset_bucket_is_told_by_its_variable() -> None:
    cache = TickerCache(source(Clients(), Settings()))
    with pytest.raises(NotConfiguredError, match="TICKERS_BUCKET"):
        cache.book()
