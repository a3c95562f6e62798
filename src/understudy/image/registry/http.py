"""HTTP to one registry: authentication, retries and errors, so that the rest reads like the protocol.

Refuses to send credentials anywhere but to the registry's own origin and its token server over TLS, and to
use a proxy for this machine itself.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from understudy.image.deferred import httpx
from understudy.image.registry import auth as registry_auth
from understudy.image.registry import errors
from understudy.image.registry.errors import RETRYABLE_STATUS
from understudy.image.registry.events import Progress, Retrying, silent

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from understudy.image.registry.auth import Auth, Challenge, Token

_ATTEMPTS = 4
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 10.0
_BODY_LIMIT_BYTES = 8 << 20
_AGENT = "understudy"

Body = Callable[[], Iterable[bytes]]
"""Starts the request body anew: it is sent again after a challenge or a broken connection."""


@functools.cache
def _trusted_roots() -> ssl.SSLContext:
    """The certificates that httpx trusts by default; reading them takes longer than a push of known blobs."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait for a connection and for each piece of an answer."""

    connect_s: float = 3.0
    read_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; `scope` is the repository whose token it needs."""

    method: str
    url: str
    scope: str
    headers: Mapping[str, str]
    body: Body | None = None
    size_bytes: int = 0
    accept_status: frozenset[int] = frozenset({200})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole response."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes


class RegistryHttp:
    """Sends requests to the registry at `host`; a context manager that closes its connections.

    Args:
        host: host and port, as in a reference.
        auth: credentials.
        insecure_http: plain HTTP; for this machine it is used in any case.
        timeouts: how long to wait.
        sleep: lets time pass before an attempt is repeated.
        transport: what carries the requests past any proxy; httpx's own when None.
    """

    def __init__(
        self,
        host: str,
        *,
        auth: Auth,
        insecure_http: bool = False,
        timeouts: Timeouts | None = None,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.host = host
        self.sleep = sleep
        self.base = f"{'http' if insecure_http or is_loopback(host) else 'https'}://{_endpoint(host)}"
        self._auth = auth
        self._transport = transport
        self._timeouts = timeouts or Timeouts()
        self._lock = threading.Lock()
        self._renewing = threading.Lock()
        self._tokens: dict[str, Token | str] = {}
        self._client: httpx.Client | None = None
        self._reached = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection; the next request opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def send(self, request: Request, *, progress: Progress = silent) -> Answer:
        """Returns the answer, sending again what may pass.

        Raises:
            RegistryUnreachableError: no connection, or it kept breaking.
            RegistryUnauthorizedError: credentials are missing or wrong.
            RegistryNotFoundError: status 404.
            RegistryRejectedError: any other status than those accepted.
        """
        for attempt in range(_ATTEMPTS):
            wait_s = _FIRST_WAIT_S * 4**attempt
            try:
                with self.stream(request) as response:
                    body = b"" if request.method == "HEAD" else _whole(response)
                    answer = Answer(
                        status=response.status_code,
                        url=str(response.url),
                        headers=response.headers,
                        body=body,
                    )
            except httpx.TransportError as exc:
                if attempt == _ATTEMPTS - 1 or not self._reached:
                    raise errors.unreachable(self.host, exc) from exc
                reason = str(exc) or type(exc).__name__
            else:
                if answer.status in request.accept_status:
                    return answer
                if answer.status not in RETRYABLE_STATUS or attempt == _ATTEMPTS - 1:
                    raise errors.refused(answer.status, answer.body, host=self.host, url=request.url)
                reason = f"status {answer.status}"
                wait_s = _retry_after_s(answer.headers, wait_s)
            progress(Retrying(what=f"{request.method} {request.url}", reason=reason, wait_s=wait_s))
            self.sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    @contextlib.contextmanager
    def stream(self, request: Request) -> Iterator[httpx.Response]:
        """Yields the response to one attempt, authenticated anew where it has to be; its body is unread.

        Raises:
            httpx.TransportError: the connection failed.
            RegistryUnauthorizedError: credentials are missing or wrong.
        """
        used, is_last = self._header(request), False
        while True:
            with self._raw(request, used) as response:
                if response.status_code != httpx.codes.UNAUTHORIZED:
                    yield response
                    return
                response.read()
                challenge = registry_auth.parse_challenge(response.headers.get("www-authenticate", ""))
            if is_last:
                raise errors.unauthorized(self.host, request.url, known=not self._auth.is_anonymous)
            used, is_last = self._next_header(request, challenge, refused=used)

    def _next_header(self, request: Request, challenge: Challenge, *, refused: str) -> tuple[str, bool]:
        """What to present after a refusal, and whether it is the last word.

        A first token may end before it is used, where several requests share it; the same password never
        means something else the second time.
        """
        with self._renewing:
            current = self._header(request)
            if current and current != refused:
                # Another thread has renewed them meanwhile, and what it got may have ended as well.
                return current, False
            renew = self._auth.renew
            if refused and renew is not None:
                self._auth = renew()
            is_last = bool(refused) or (renew is None and challenge.scheme == "basic")
            return self._authenticate(request, challenge), is_last

    @contextlib.contextmanager
    def _raw(self, request: Request, authorization: str) -> Iterator[httpx.Response]:
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity", **request.headers}
        if authorization and self._is_ours(request.url):
            headers["Authorization"] = authorization
        if request.body is not None or request.method in {"POST", "PUT", "PATCH"}:
            headers["Content-Length"] = str(request.size_bytes)
        with self._http().stream(
            request.method,
            request.url,
            headers=headers,
            content=request.body() if request.body is not None else None,
            follow_redirects=request.method in {"GET", "HEAD"},
        ) as response:
            self._reached = True
            yield response

    def _http(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                limits = self._timeouts
                self._client = httpx.Client(
                    timeout=httpx.Timeout(limits.read_s, connect=limits.connect_s),
                    limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
                    transport=self._transport,
                    trust_env=self._transport is None and not is_loopback(self.host),
                    verify=_trusted_roots(),
                )
            return self._client

    def _is_ours(self, url: str) -> bool:
        return httpx.URL(url).netloc == httpx.URL(self.base).netloc

    def _header(self, request: Request) -> str:
        with self._lock:
            found = self._tokens.get(request.scope, "")
        if isinstance(found, str):
            return found or (f"Bearer {self._auth.bearer}" if self._auth.bearer else "")
        return found.header if registry_auth.monotonic_s() < found.stale_at_s else ""

    def _authenticate(self, request: Request, challenge: Challenge) -> str:
        if challenge.scheme == "basic" and self._auth.username:
            found: Token | str = self._auth.basic_header()
        elif challenge.scheme == "bearer" and challenge.realm:
            found = self._exchange(challenge, request)
        else:
            raise errors.unauthorized(self.host, request.url, known=not self._auth.is_anonymous)
        with self._lock:
            self._tokens[request.scope] = found
        return found if isinstance(found, str) else found.header

    def _exchange(self, challenge: Challenge, request: Request) -> Token:
        realm = httpx.URL(challenge.realm)
        if realm.scheme != "https" and self.base.startswith("https:"):
            raise errors.unauthorized(self.host, challenge.realm, known=False)
        now_s = registry_auth.monotonic_s()
        try:
            response = self._ask_token_server(challenge)
        except httpx.TransportError as exc:
            raise errors.unreachable(realm.host, exc) from exc
        token = registry_auth.parse_token(response.content, now_s=now_s) if response.is_success else None
        if token is None:
            raise errors.unauthorized(self.host, request.url, known=not self._auth.is_anonymous)
        return token

    def _ask_token_server(self, challenge: Challenge) -> httpx.Response:
        if self._auth.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": self._auth.identity_token,
                "service": challenge.service,
                "scope": " ".join(challenge.scopes),
                "client_id": _AGENT,
            }
            return self._http().post(challenge.realm, data=form)
        query = [("scope", scope) for scope in challenge.scopes]
        if challenge.service:
            query.insert(0, ("service", challenge.service))
        headers = {"Authorization": self._auth.basic_header()} if self._auth.username else {}
        url = httpx.URL(challenge.realm)
        url = url.copy_with(params=[*url.params.multi_items(), *query])
        return self._http().get(url, headers=headers)


def through(address: str) -> httpx.BaseTransport:
    """Returns a transport that connects to `address`, host and port, whatever host a request is for.

    The request still names its own host: a registry of many accounts tells them apart by it.
    """
    host, _, port = address.rpartition(":")

    class Through(httpx.HTTPTransport):
        """Connects to `address`."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            """Sends the request as it is, there."""
            connected = httpx.Request(
                request.method,
                request.url.copy_with(host=host, port=int(port)),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
            return super().handle_request(connected)

    return Through()


def is_loopback(host: str) -> bool:
    """Whether `host`, with or without port, is this machine."""
    name = httpx.URL(f"http://{host}").host
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _endpoint(host: str) -> str:
    return "registry-1.docker.io" if host == "docker.io" else host


def _whole(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > _BODY_LIMIT_BYTES:
            raise httpx.RemoteProtocolError(f"answer is longer than {_BODY_LIMIT_BYTES} bytes")
    return bytes(body)


def _retry_after_s(headers: Mapping[str, str], default_s: float) -> float:
    text = headers.get("retry-after", "")
    return min(float(text), _LONGEST_WAIT_S) if text.isdigit() else default_s
