"""Which Docker engine to talk to: DOCKER_HOST, the context of the ``docker`` command, or a usual socket.

The order and the files are the command's own (https://docs.docker.com/engine/manage-resources/contexts/).
Refuses ``ssh://`` and named pipes by name, with the command that makes a socket out of them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

_USUAL = "/var/run/docker.sock"
# Docker Desktop, Docker's rootless mode, Colima and Rancher Desktop.
_OTHERS = (
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".colima/default/docker.sock",
    ".rd/docker.sock",
)
_PORTS = {"tcp": 2375, "http": 2375, "https": 2376}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a Docker engine listens.

    Attributes:
        text: as DOCKER_HOST spells it.
        socket: path of a Unix socket; empty for TCP.
        host: for TCP.
        port: for TCP.
        certificates: folder with ``ca.pem``, ``cert.pem`` and ``key.pem``; `None` without TLS.
    """

    text: str
    socket: str = ""
    host: str = ""
    port: int = 0
    certificates: Path | None = None

    @property
    def url(self) -> str:
        """Base of the API's URLs."""
        if self.socket:
            return "http://docker"
        return f"{'https' if self.certificates else 'http'}://{self.host}:{self.port}"


def find(environment: Mapping[str, str], home: Path) -> Address:
    """Returns the engine that the ``docker`` command would talk to.

    Args:
        environment: DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and
            XDG_RUNTIME_DIR are read.
        home: of the user.

    Raises:
        EnvironmentProblemError: the address is of a kind that is not spoken here, or the context is unknown.
    """
    config = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    if environment.get("DOCKER_HOST"):
        verified = bool(environment.get("DOCKER_TLS_VERIFY"))
        folder = Path(environment.get("DOCKER_CERT_PATH") or config)
        return parse(environment["DOCKER_HOST"], certificates=folder if verified else None)
    name = environment.get("DOCKER_CONTEXT") or _current_context(config)
    if name and name != "default":
        return _of_context(config, name)
    runtime = environment.get("XDG_RUNTIME_DIR")
    others = [*([f"{runtime}/docker.sock"] if runtime else []), *(str(home / path) for path in _OTHERS)]
    path = next((path for path in (_USUAL, *others) if Path(path).exists()), _USUAL)
    return parse(f"unix://{path}")


def parse(text: str, *, certificates: Path | None = None) -> Address:
    """Returns the address that `text` spells.

    Raises:
        EnvironmentProblemError: it is neither ``unix://`` nor ``tcp://``.
    """
    scheme, _, rest = text.partition("://")
    if scheme == "unix":
        return Address(text=text, socket=rest)
    if scheme in _PORTS:
        host, _, port = rest.rstrip("/").rpartition(":")
        number = int(port) if host and port.isdigit() else _PORTS["https" if certificates else scheme]
        return Address(text=text, host=host or rest.rstrip("/"), port=number, certificates=certificates)
    hints = {
        "ssh": f"ssh -fnNT -L /tmp/docker.sock:/var/run/docker.sock {rest}; "
        "export DOCKER_HOST=unix:///tmp/docker.sock",
        "npipe": "run understudy inside WSL 2, where Docker Desktop offers /var/run/docker.sock",
    }
    raise EnvironmentProblemError(
        "docker-address",
        f"the Docker engine's address {text[:200]} is neither unix:// nor tcp://",
        hint=hints.get(scheme, "export DOCKER_HOST=unix:///var/run/docker.sock"),
        where="DOCKER_HOST",
    )


def _current_context(config: Path) -> str:
    return str(_document(config / "config.json").get("currentContext", ""))


def _of_context(config: Path, name: str) -> Address:
    folder = hashlib.sha256(name.encode()).hexdigest()
    document = _document(config / "contexts" / "meta" / folder / "meta.json")
    endpoints = document.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = docker.get("Host") if isinstance(docker, dict) else None
    if not host:
        raise EnvironmentProblemError(
            "docker-context",
            f"the Docker context {name} names no engine",
            hint="docker context ls, then docker context use NAME",
            where=str(config / "contexts"),
        )
    certificates = config / "contexts" / "tls" / folder / "docker"
    return parse(str(host), certificates=certificates if certificates.is_dir() else None)


def _document(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
