"""How to start the emulator behind the engine: the seam that lets another take MiniStack's place.

The engine knows a delegate by its command line and by HTTP, nothing else.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from understudy.engine.delegate import child as delegate_child

# What a serverless service talks to. MiniStack loads a module on its first request: a name costs nothing.
_SERVICES = (
    "s3,dynamodb,dynamodbstreams,sqs,sns,iam,sts,ssm,secretsmanager,kms,events,scheduler,states,kinesis,"
    "firehose,monitoring,ses,acm,cloudformation,cognito-idp,cognito-identity,tagging,athena,glue,route53,"
    "appconfig"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One way to start an emulator.

    Attributes:
        argv: the command; it must end by itself when its parent dies.
        environment: the child's whole environment.
        headers: sent with every request, replacing those of the same name.
        health_path: answers below 500 once the emulator is ready.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    health_path: str = "/"


class Emulator(Protocol):
    """Something that emulates AWS over HTTP and can be started as a child process."""

    @property
    def name(self) -> str:
        """The emulator's name, for people."""
        ...

    def launch(self, *, socket_fd: int, port: int) -> Launch:
        """Returns how to start it on a listening socket that the child inherits.

        Args:
            socket_fd: the listening socket.
            port: its port, for emulators that must bind it themselves.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniStack:
    """MiniStack (https://pypi.org/project/ministack), state kept under `data_dir`.

    Attributes:
        python: the interpreter of its own environment, from `install.install`.
        engine_port: the port its URLs (queue URLs, for one) shall name: the engine's.
        engine_host: the host its URLs shall name.
    """

    python: Path
    data_dir: Path
    engine_port: int
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    engine_host: str = "localhost"
    name: str = "ministack"

    def launch(self, *, socket_fd: int, port: int) -> Launch:  # noqa: ARG002 - it inherits the socket
        """Returns the command that runs `child` with MiniStack's interpreter."""
        child = str(Path(delegate_child.__file__))
        return Launch(
            argv=(str(self.python), child, str(socket_fd), str(os.getpid())),
            environment=self._environment(),
            headers=((b"x-understudy-delegate", self.token.encode()),),
            health_path="/_ministack/health",
        )

    def _environment(self) -> dict[str, str]:
        """Returns MiniStack's settings, as its app.py, core/persistence.py and services/s3.py read them."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "PYTHONDONTWRITEBYTECODE": "1",
            "UNDERSTUDY_DELEGATE_TOKEN": self.token,
            "GATEWAY_PORT": str(self.engine_port),
            "MINISTACK_HOST": self.engine_host,
            "SERVICES": _SERVICES,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.data_dir / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.data_dir / "s3"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_WORKER_THREADS": "8",
            "LOG_LEVEL": "WARNING",
            # Functions and containers are ours: MiniStack shall not look for a Docker daemon.
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        }
