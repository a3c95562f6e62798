"""Stand-ins for what the service talks to: small real implementations, no patches."""

import gzip
import json
import threading
from collections.abc import Iterable
from typing import Any

from dashboard.clients import Clients
from dashboard.errors import TickersUnavailableError
from dashboard.tickers import Fetched, Ticker, TickerBook

TICKERS = {
    "AAPL": "Apple Inc.",
    "AAP": "Advance Auto Parts Inc.",
    "AMZN": "Amazon.com Inc.",
    "BRK-B": "Berkshire Hathaway Inc.",
    "GOOG": "Alphabet Inc.",
    "MSFT": "Microsoft Corporation",
    "NVDA": "NVIDIA Corporation",
    "SAP": "SAP SE",
}


def ticker_document(symbols: Iterable[str] = TICKERS) -> bytes:
    """The gzip JSON object with these symbols."""
    entries = [{"symbol": s, "name": TICKERS.get(s, s), "exchange": "NASDAQ"} for s in symbols]
    return gzip.compress(json.dumps({"tickers": entries}).encode(), mtime=0)


class Clock:
    """A clock that moves when told."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class GatedSource:
    """A ticker source whose answers wait at a gate and can be told to fail, as a slow or broken S3."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.etag = '"1"'
        self.failing = False
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[str | None] = []
        self.left = threading.Semaphore(0)

    def fetch(self, etag: str | None) -> Fetched | None:
        self.asked.append(etag)
        assert self.gate.wait(30)
        self.left.release()
        if self.failing:
            raise TickersUnavailableError("S3 is on fire")
        return None if etag == self.etag else Fetched(body=self.body, etag=self.etag)


class _AnyBook(TickerBook):
    def get(self, symbol: str) -> Ticker | None:
        return Ticker(symbol=symbol.upper(), name="Any Corp.", exchange=None)


class AnyTickers:
    """A ticker cache that knows every symbol."""

    def book(self) -> TickerBook:
        return _AnyBook([])


class _Serialised:
    """Lets one call at a time through: DynamoDB executes requests serialisably, moto's threads do not."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            with self._lock:
                return operation(**parameters)

        return call


class SerialisedClients(Clients):
    """The service's own clients, one call at a time."""

    def _make(self, service: str) -> Any:
        return _Serialised(super()._make(service))


class ScriptedDynamoDB:
    """A client that answers each call by the next step of a script: an answer, or an error to raise."""

    def __init__(self, *steps: Any) -> None:
        self._steps = list(steps)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            self.calls.append((name, parameters))
            step = self._steps.pop(0)
            if isinstance(step, Exception):
                raise step
            return step

        return call
