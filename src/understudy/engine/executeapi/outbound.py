"""Requests of the gateways to the world outside: keys of issuers, HTTP integrations.

One pooled client, made with the first request. Redirects are handed on, never followed; bodies are passed as
they came, compressed or not; what belongs to one connection stays on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from understudy.engine.executeapi import forwarding
from understudy.engine.executeapi.http import HttpRequest, HttpResponse

_FETCH_S = 5.0
# RFC 9110, section 7.6.1, and what client and server write themselves.
_OWN = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One request.

    Attributes:
        server_name: that the server's certificate must show, where it is not the URL's host.
    """

    method: str
    url: str
    timeout_s: float = 29.0
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    server_name: str | None = None


def headers(request: HttpRequest, *, domain: str, trace_id: str) -> list[tuple[str, str]]:
    """Returns the headers that a request is handed on with."""
    pairs = forwarding.headers(request, domain=domain, trace_id=trace_id)
    told = ("forwarded", f"for={request.source_ip};host={domain};proto=http")
    return [*(pair for pair in pairs if pair[0] not in _OWN), told]


class Outbound:
    """An HTTP client; `close` ends its connections."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, url: str) -> bytes:
        """Returns the body that a GET answers with status 200.

        Raises:
            OSError: no such answer within five seconds.
        """
        answer = await self.send(Outgoing(method="GET", url=url, timeout_s=_FETCH_S))
        if answer.status != 200:
            raise OSError(f"{url} answers {answer.status}")
        return answer.body

    async def send(self, outgoing: Outgoing) -> HttpResponse:
        """Returns the response to one request, header names in lower case.

        Raises:
            TimeoutError: no whole response in time.
            OSError: the server cannot be reached, or speaks no HTTP.
        """
        if self._client is None:
            self._client = httpx.AsyncClient(follow_redirects=False, trust_env=True)
        try:
            name = outgoing.server_name
            request = self._client.build_request(
                outgoing.method,
                outgoing.url,
                headers=list(outgoing.headers),
                content=outgoing.body or None,
                timeout=outgoing.timeout_s,
                extensions={"sni_hostname": name} if name else None,
            )
            response = await self._client.send(request, stream=True)
            raw = b"".join([chunk async for chunk in response.aiter_raw()])
        except httpx.TimeoutException as exc:
            raise TimeoutError(str(exc)) from exc
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as exc:
            raise OSError(str(exc)) from exc
        pairs = [(name.lower(), value) for name, value in response.headers.raw]
        pairs = [pair for pair in pairs if pair[0].decode("latin-1") not in _OWN]
        return HttpResponse(status=response.status_code, headers=pairs, body=raw)

    async def close(self) -> None:
        """Ends every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
