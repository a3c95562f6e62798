"""Images of a local Docker engine, streamed out of it by its HTTP API, or by the ``docker`` command.

The API is one request over a socket; the command is for what only it can reach (``ssh://``, contexts). What
the engine sends is kept in a file without a name while the image is open. Refuses to start an engine.
"""

import contextlib
import json
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import quote

from understudy.errors import EnvironmentProblemError
from understudy.image.deferred import httpx
from understudy.verify.sources import archive
from understudy.verify.sources.model import ImageNotFoundError, ImageSource

if TYPE_CHECKING:
    import ssl

DEFAULT_SOCKET: Final = "unix:///var/run/docker.sock"
_CONNECT_S: Final = 5.0
_READ_S: Final = 600.0
_COMMAND_S: Final = 600.0
_CHUNK_BYTES: Final = 1 << 20


class EngineUnreachableError(EnvironmentProblemError):
    """No Docker engine answers."""


class DockerEngine:
    """One engine, asked over HTTP.

    Args:
        address: ``unix:///path`` or ``tcp://host:port``, as in DOCKER_HOST.
        certificates: folder with ``ca.pem``, ``cert.pem`` and ``key.pem``; then TLS is spoken.
        transport: how requests travel, instead of to `address`.
    """

    def __init__(
        self,
        address: str,
        certificates: Path | None = None,
        transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        self._address = address
        self._certificates = certificates
        self._transport = transport

    def has(self, name: str) -> bool:
        """Whether the engine holds the image `name`.

        Raises:
            EngineUnreachableError: it does not answer.
        """
        with self._named(), self._client() as client:
            return bool(client.get(f"/images/{_escaped(name)}/json").status_code == httpx.codes.OK)

    def save(self, name: str, write: Callable[[bytes], object]) -> None:
        """Passes the archive of image `name` to `write`, piece by piece.

        Raises:
            EngineUnreachableError: the engine does not answer, or stops in the middle.
            ImageNotFoundError: it has no such image.
        """
        with (
            self._named(),
            self._client() as client,
            client.stream("GET", f"/images/{_escaped(name)}/get") as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise not_found(name, _message(response.read()))
            for chunk in response.iter_raw(_CHUNK_BYTES):
                write(chunk)

    def _client(self) -> "httpx.Client":
        timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
        scheme, _, rest = self._address.partition("://")
        if scheme == "unix" and self._transport is None:
            _probe(rest)
        if scheme == "unix":
            transport = self._transport or httpx.HTTPTransport(uds=rest)
            # The engine is not behind the proxy that registries are behind; likewise below.
            return httpx.Client(
                transport=transport, base_url="http://docker", timeout=timeout, trust_env=False
            )
        context = _context(self._certificates) if self._certificates is not None else True
        protocol = "https" if self._certificates is not None or scheme == "https" else "http"
        return httpx.Client(base_url=f"{protocol}://{rest}", timeout=timeout, verify=context, trust_env=False)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, OSError) as exc:
            raise unreachable(self._address, str(exc) or type(exc).__name__) from exc


class DockerCommand:
    """The engine that the ``docker`` command reaches, whichever that is."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def has(self, name: str) -> bool:
        """Whether the engine holds the image `name`.

        Raises:
            EngineUnreachableError: there is no command, or no engine behind it.
        """
        try:
            done = subprocess.run(
                ["docker", "image", "inspect", "--format", "{{.Id}}", "--", name],
                capture_output=True,
                check=False,
                timeout=_COMMAND_S,
                env=self._environment,
            )
        except (OSError, subprocess.SubprocessError) as exc:
            raise unreachable("docker", str(exc)) from exc
        text = done.stderr.decode("utf-8", "replace")
        if done.returncode and "no such image" not in text.lower():
            raise unreachable("docker", text.strip()[:300])
        return done.returncode == 0

    def save(self, name: str, write: Callable[[bytes], object]) -> None:
        """Passes the archive of image `name` to `write`, piece by piece.

        Raises:
            EngineUnreachableError: there is no command.
            ImageNotFoundError: the command fails.
        """
        try:
            process = subprocess.Popen(
                ["docker", "image", "save", "--", name],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
            )
        except OSError as exc:
            raise unreachable("docker", str(exc)) from exc
        with process:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            assert process.stderr is not None  # noqa: S101 - likewise
            try:
                while chunk := process.stdout.read(_CHUNK_BYTES):
                    write(chunk)
            except BaseException:
                process.kill()
                raise
            text = process.stderr.read()[:300].decode("utf-8", "replace").strip()
        if process.returncode:
            raise not_found(name, text)


Engine = DockerEngine | DockerCommand


def from_environment(environment: Mapping[str, str], *, usual: str = DEFAULT_SOCKET) -> Engine:
    """Returns the engine that DOCKER_HOST names, else the one behind `usual`, else the command's."""
    address = environment.get("DOCKER_HOST", "")
    if not address and Path(usual.removeprefix("unix://")).exists():
        address = usual
    if address.startswith(("unix://", "tcp://", "http://", "https://")):
        verified = bool(environment.get("DOCKER_TLS_VERIFY"))
        folder = environment.get("DOCKER_CERT_PATH") or f"{environment.get('HOME', '')}/.docker"
        return DockerEngine(address, Path(folder) if verified else None)
    return DockerCommand(environment)


@contextlib.contextmanager
def open_image(
    reference: str, name: str, engine: Engine, platform: str, spool_dir: Path
) -> Iterator[ImageSource]:
    """Opens the image `name` of the engine.

    Raises:
        EngineUnreachableError: no engine answers.
        ImageNotFoundError: it has no such image.
        UnderstudyError: what it sends cannot be read.
    """
    with archive.spool(spool_dir) as file:
        engine.save(name, _writer(file, spool_dir))
        yield archive.open_archive(reference, file, "", platform, where=f"docker://{name}")


def not_found(name: str, answer: str) -> ImageNotFoundError:
    """Returns the error for an image that the engine does not have."""
    return ImageNotFoundError(
        "image-unknown",
        f"the Docker engine has no image {name[:300]}: {answer}",
        hint=f"docker pull {name}, or docker images for what it has",
    )


def unreachable(address: str, reason: str) -> EngineUnreachableError:
    """Returns the error for an engine that does not answer."""
    denied = "permission denied" in reason.lower()
    return EngineUnreachableError(
        "docker-unreachable",
        f"Docker engine {address} does not answer: {reason}",
        hint="sudo usermod -aG docker $USER, then log in again" if denied else "sudo systemctl start docker",
        where=address,
    )


def _probe(path: str) -> None:
    """Raises `OSError` when nobody listens: httpcore would leave its socket open there."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_CONNECT_S)
        probe.connect(path)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return body[:300].decode("utf-8", "replace").strip()


def _writer(file: BinaryIO, folder: Path) -> Callable[[bytes], object]:
    def write(data: bytes) -> None:
        try:
            file.write(data)
            file.flush()
        except OSError as exc:
            raise archive.unwritable(exc, folder) from exc

    return write


def _escaped(name: str) -> str:
    return quote(name, safe="/:@")


def _context(certificates: Path) -> "ssl.SSLContext":
    import ssl  # noqa: PLC0415 - few engines are reached through TLS

    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    return context
