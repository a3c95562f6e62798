"""The few calls of the Docker Engine API that a sandbox needs, Docker 20.10 (API 1.41) and later.

httpx speaks them; `attach` is a raw connection of asyncio's, because it turns into a stream both ways that
every invocation passes through. Foreign exceptions end here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from typing import TYPE_CHECKING, Any

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image.deferred import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping

    from understudy.sandbox.docker.address import Address
    from understudy.sandbox.docker.link import Link

_OLDEST = (1, 41)
_CONNECT_S = 5.0
_ANSWER_S = 120.0
_NOT_FOUND = 404


class DockerRefusedError(UnderstudyError):
    """The Docker engine answered a request with an error; `status` is HTTP's."""

    def __init__(self, request: str, status: int, message: str) -> None:
        super().__init__(
            "docker-refused",
            f"the Docker engine refused {request}: {message[:500].strip()}",
            hint="./understudy doctor, and docker info for the engine's own view",
        )
        self.status = status


class DockerApi:
    """One Docker engine.

    Args:
        address: where it listens.
        transport: how requests travel, instead of to `address`.
    """

    def __init__(self, address: Address, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.address = address
        self._transport = transport
        self._prefix = ""
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Agrees with the engine on a version of the API.

        Raises:
            EnvironmentProblemError: no engine answers, or it is older than 20.10.
        """
        transport = self._transport or httpx.AsyncHTTPTransport(
            uds=self.address.socket or None, verify=_context(self.address) or True
        )
        timeout = httpx.Timeout(_ANSWER_S, connect=_CONNECT_S)
        # The engine is not behind the proxy that registries are behind.
        self._client = httpx.AsyncClient(
            transport=transport, base_url=self.address.url, timeout=timeout, trust_env=False
        )
        response = await self._send("GET", "/_ping")
        version = response.headers.get("Api-Version", "0.0")
        if tuple(int(part) for part in version.split(".")) < _OLDEST:
            raise EnvironmentProblemError(
                "docker-too-old",
                f"the Docker engine at {self.address.text} speaks API {version}, at least 1.41 is needed",
                hint="install Docker 20.10 or later: https://docs.docker.com/engine/install/",
                where=self.address.text,
            )
        self._prefix = f"/v{version}"

    async def close(self) -> None:
        """Ends the connections; idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def get(self, path: str) -> dict[str, Any]:
        """The document at `path`.

        Raises:
            DockerRefusedError: there is none.
        """
        found: dict[str, Any] = (await self._send("GET", path)).json()
        return found

    async def list(self, path: str, label: str) -> list[dict[str, Any]]:
        """The containers or images at `path` that carry `label`.

        Raises:
            DockerRefusedError: the engine says no.
        """
        params = {"all": "1", "filters": json.dumps({"label": [label]})}
        found: list[dict[str, Any]] = (await self._send("GET", path, params=params)).json()
        return found

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to `body`; empty when the engine has nothing to say.

        Raises:
            DockerRefusedError: the engine says no.
        """
        response = await self._send("POST", path, content=b"" if body is None else json.dumps(body).encode())
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    async def load(self, archive: AsyncIterable[bytes]) -> None:
        """Takes an archive of images, as ``docker load`` does.

        Raises:
            DockerRefusedError: the engine cannot read it.
        """
        response = await self._send("POST", "/images/load", params={"quiet": "1"}, content=archive)
        for line in response.text.splitlines():
            error = json.loads(line).get("error")
            if error:
                raise DockerRefusedError("to load an image", response.status_code, str(error))

    async def delete(self, path: str) -> None:
        """Removes something; what is not there is removed.

        Raises:
            DockerRefusedError: it is in use.
        """
        try:
            await self._send("DELETE", path)
        except DockerRefusedError as error:
            if error.status != _NOT_FOUND:
                raise

    async def attach(self, container: str, link: Link) -> None:
        """Connects a container's stdin and stdout to `link`, which reads the HTTP response's head too.

        Raises:
            EnvironmentProblemError: the engine is gone.
        """
        loop = asyncio.get_running_loop()
        path = f"{self._prefix}/containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1"
        lines = (f"POST {path} HTTP/1.1", "Host: docker", "Upgrade: tcp", "Connection: Upgrade", "", "")
        try:
            if self.address.socket:
                await loop.create_unix_connection(lambda: link, self.address.socket)
            else:
                await loop.create_connection(
                    lambda: link, self.address.host, self.address.port, ssl=_context(self.address)
                )
            link.send("\r\n".join(lines).encode())
            await link.attached()
        except OSError as error:
            raise unreachable(self.address, str(error)) from error

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | AsyncIterable[bytes] | None = None,
    ) -> httpx.Response:
        if self._client is None:
            raise RuntimeError("the Docker API is not open")
        try:
            response = await self._client.request(
                method,
                self._prefix + path,
                params=params,
                content=content,
                headers={"Content-Type": "application/json"},
            )
        except httpx.HTTPError as error:
            raise unreachable(self.address, str(error) or type(error).__name__) from error
        if response.is_error:
            raise DockerRefusedError(f"{method} {path}", response.status_code, _message(response))
        return response


def unreachable(address: Address, reason: str) -> EnvironmentProblemError:
    """Returns the error for an engine that does not answer."""
    denied = "permission denied" in reason.lower()
    return EnvironmentProblemError(
        "docker-unreachable",
        f"the Docker engine at {address.text} does not answer: {reason}",
        hint="sudo usermod -aG docker $USER, then log in again"
        if denied
        else "sudo systemctl start docker, or start Docker Desktop; docker info must answer",
        where=address.text,
    )


def _message(response: httpx.Response) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(response.json()["message"])
    return response.text


def _context(address: Address) -> ssl.SSLContext | None:
    folder = address.certificates
    if folder is None:
        return None
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
