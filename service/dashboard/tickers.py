"""The known tickers: one gzip JSON object in S3, kept in memory.

The object (`TICKERS_KEY` in `TICKERS_BUCKET`) is the gzip of

    {"tickers": [{"symbol": "AAPL", "name": "Apple Inc.", "exchange": "NASDAQ"}, ...]}

in UTF-8. `symbol` (unique, matching `SYMBOL_PATTERN`, upper case) and `name` are required strings,
`exchange` is an optional one; other members, of an entry or of the document, are ignored.

Freshness: within the TTL the memory answers alone. After it the next request starts a conditional GET
(`If-None-Match`) in a thread and waits for it briefly; when S3 is slow or down, that request and all others
go on with what is in memory. The wait is there because Lambda freezes the process between invocations: a
thread that nobody waits for might never finish. Only when nothing was loaded yet do requests depend on S3.
"""

import contextvars
import gzip
import io
import json
import logging
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from dashboard.clients import error_code, sdk_errors
from dashboard.errors import DashboardError, TickersUnavailableError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SYMBOL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9.^=-]{0,14}$"
"""What a ticker symbol looks like; case does not matter to clients."""

_SYMBOL = re.compile(SYMBOL_PATTERN)
_MAX_BYTES = 64 * 1024 * 1024  # of JSON: every listed instrument on earth fits; a gzip bomb does not
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """A tradable instrument."""

    symbol: str
    name: str
    exchange: str | None


class TickerBook:
    """The tickers of one version of the object; immutable."""

    __slots__ = ("_by_symbol", "_rows")

    def __init__(self, tickers: Iterable[Ticker]) -> None:
        self._by_symbol: Mapping[str, Ticker] = MappingProxyType(
            {ticker.symbol: ticker for ticker in tickers}
        )
        self._rows = tuple(
            (ticker.symbol.casefold(), ticker.name.casefold(), ticker) for ticker in self._by_symbol.values()
        )

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, symbol: str) -> Ticker | None:
        """The ticker of that symbol, in whatever case it is written."""
        return self._by_symbol.get(symbol.upper())

    def unknown(self, symbols: Iterable[str]) -> tuple[str, ...]:
        """Those of the symbols that are no ticker, in order."""
        return tuple(symbol for symbol in symbols if self.get(symbol) is None)

    def search(self, text: str, *, limit: int) -> tuple[Ticker, ...]:
        """The best matches: the symbol itself, then its beginnings, then words of names, then parts."""
        wanted = text.strip().casefold()
        if not wanted:
            return ()
        ranked = [
            (rank, symbol, ticker)
            for symbol, name, ticker in self._rows
            if (rank := _rank(wanted, symbol, name)) is not None
        ]
        ranked.sort(key=lambda row: row[:2])
        return tuple(ticker for _, _, ticker in ranked[:limit])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The object's content as it was delivered, with the ETag it had."""

    body: bytes
    etag: str


class TickerSource(Protocol):
    """Where the object comes from."""

    def fetch(self, etag: str | None) -> Fetched | None:
        """The object, or None if it still has that ETag.

        Raises:
            TickersUnavailableError: it cannot be had.
        """


class S3Source:
    """The object in S3."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: Callable[[], str], key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key

    def fetch(self, etag: str | None) -> Fetched | None:
        """The object, or None if it still has that ETag.

        Raises:
            TickersUnavailableError: S3 does not deliver it.
        """
        condition = {"IfNoneMatch": etag} if etag else {}
        try:
            answer = self._client().get_object(Bucket=self._bucket(), Key=self._key, **condition)  # type: ignore[arg-type] # mypy cannot match a conditional keyword
            return Fetched(body=answer["Body"].read(), etag=answer["ETag"])
        except sdk_errors() as error:
            if error_code(error) in {"304", "NotModified"}:
                return None
            raise _unavailable(error) from error

    def check(self) -> None:
        """Make sure that the bucket delivers the object, by its first byte.

        A GET, not HeadBucket: it needs no right but the one the service has anyway, and its error says
        whether bucket, object or permission is missing.

        Raises:
            TickersUnavailableError: it does not.
        """
        try:
            self._client().get_object(Bucket=self._bucket(), Key=self._key, Range="bytes=0-0")["Body"].close()
        except sdk_errors() as error:
            raise _unavailable(error) from error


class _Refresh:
    """One attempt to bring the book up to date, which several requests may wait for."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: DashboardError | None = None


class TickerCache:
    """The current ticker book, loaded on first use and revalidated when its TTL has passed.

    Ages are measured on the wall clock, because the monotonic one may stand still while Lambda has the
    environment frozen; a clock that jumped back counts as expiry.
    """

    def __init__(
        self,
        source: TickerSource,
        *,
        ttl_s: float = 300.0,
        stale_wait_s: float = 0.15,
        first_wait_s: float = 8.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep the collaborators; nothing is fetched before the first use.

        Args:
            source: where the object comes from.
            ttl_s: age from which the book is revalidated.
            stale_wait_s: how long the request that starts a revalidation waits for it.
            first_wait_s: how long a request waits when there is no book yet.
            clock: seconds since the epoch.
        """
        self._source = source
        self._ttl_s = ttl_s
        self._retry_s = min(ttl_s, 5.0)
        self._stale_wait_s = stale_wait_s
        self._first_wait_s = first_wait_s
        self._clock = clock
        self._lock = threading.Lock()
        self._book: TickerBook | None = None
        self._etag: str | None = None
        self._fresh = (0.0, 0.0)
        self._refresh: _Refresh | None = None

    def book(self) -> TickerBook:
        """The tickers, as fresh as S3 lets them be.

        Raises:
            TickersUnavailableError: none were ever loaded and S3 does not deliver them in time.
            NotConfiguredError: no bucket is configured.
        """
        with self._lock:
            book = self._book
            if book is not None and (self._is_fresh() or self._refresh is not None):
                return book
            refresh = self._refresh or self._start_refresh()
        finished = refresh.done.wait(self._first_wait_s if book is None else self._stale_wait_s)
        # Assigned before `done` is set, so that whoever waited sees it.
        current = self._book
        if current is not None:
            return current
        if finished and refresh.error is not None:
            raise refresh.error
        raise TickersUnavailableError("The ticker list could not be loaded in time.")

    def _is_fresh(self) -> bool:
        begin, end = self._fresh
        return begin <= self._clock() < end

    def _start_refresh(self) -> _Refresh:
        """Begin a refresh in a thread, which logs under the id of the current request."""
        refresh = _Refresh()
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run, refresh), name="tickers", daemon=True).start()
        self._refresh = refresh  # cleared under the lock, which the caller holds: not before it is set
        return refresh

    def _run(self, refresh: _Refresh) -> None:
        """Fetch, parse and put the result in place; a failure leaves the book as it is for a while."""
        valid_s = self._retry_s
        try:
            fetched = self._source.fetch(self._etag)
            if fetched is not None:
                book = TickerBook(parse(fetched.body))
                self._book, self._etag = book, fetched.etag
                _log.info("tickers loaded", extra={"fields": {"tickers": len(book)}})
            valid_s = self._ttl_s
        except DashboardError as error:
            refresh.error = error
            _log.warning("tickers not refreshed", extra={"fields": {"reason": error.detail}})
        finally:
            with self._lock:
                now = self._clock()
                self._fresh = (now, now + valid_s)
                self._refresh = None
            refresh.done.set()


def parse(body: bytes) -> tuple[Ticker, ...]:
    """The tickers of the gzip JSON document that the module describes.

    Raises:
        TickersUnavailableError: it is no such document.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            text = stream.read(_MAX_BYTES + 1)
        document = json.loads(text) if len(text) <= _MAX_BYTES else None
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise TickersUnavailableError("The ticker object is no gzip JSON document.") from error
    entries = document.get("tickers") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise TickersUnavailableError("The ticker object has no list of tickers.")
    return tuple(_parse_entry(position, entry) for position, entry in enumerate(entries))


def _parse_entry(position: int, entry: object) -> Ticker:
    if isinstance(entry, dict):
        symbol, name, exchange = entry.get("symbol"), entry.get("name"), entry.get("exchange")
        if (
            isinstance(symbol, str)
            and _SYMBOL.fullmatch(symbol)
            and isinstance(name, str)
            and isinstance(exchange, str | None)
        ):
            return Ticker(symbol=symbol.upper(), name=name, exchange=exchange)
    raise TickersUnavailableError(f"Entry {position} of the ticker object is no ticker.")


def _rank(wanted: str, symbol: str, name: str) -> int | None:
    """How well a row matches, 0 best; None if it does not."""
    if symbol == wanted:
        return 0
    if symbol.startswith(wanted):
        return 1
    if name.startswith(wanted) or f" {wanted}" in name:
        return 2
    return 3 if wanted in name else None


def _unavailable(error: BaseException) -> TickersUnavailableError:
    return TickersUnavailableError(f"S3 does not deliver the ticker object ({error_code(error)}).")
