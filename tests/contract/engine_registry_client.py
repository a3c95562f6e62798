"""The other side of the registry contract tests: the server process, boto3, raw HTTP, docker and skopeo."""

import contextlib
import gzip
import hashlib
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from tests.ports import free_port
from tests.tools import require_docker, require_tool

ROOT = Path(__file__).parents[2]
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; header names as http.client reads them, case-insensitive."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["errors"][0]["code"])


@dataclass
class Server:
    """An engine of ECR and registry in a process of its own."""

    state_dir: Path
    port: int = 0
    _process: subprocess.Popen[str] | None = None
    _clients: list[Any] = field(default_factory=list)

    def start(self) -> "Server":
        self.port = self.port or free_port()
        command = [
            sys.executable,
            "-m",
            "tests.contract.engine_registry_server",
            str(self.state_dir),
            str(self.port),
        ]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert int(self._process.stdout.readline()) == self.port
        return self

    def kill(self, number: int = signal.SIGKILL) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self.kill(signal.SIGTERM)

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def ecr(self, *, account: str = "000000000000", region: str = "us-east-1") -> Any:
        client = boto3.client(
            "ecr",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="test",
        )
        self._clients.append(client)
        return client

    def http(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        named = {"Host": self.host, **(headers or {})}
        with contextlib.closing(connection):
            connection.request(method, path, body, named, encode_chunked=not isinstance(body, bytes | None))
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())

    def begin(self, repository: str) -> str:
        """Starts an upload and returns its path."""
        answer = self.http("POST", f"/v2/{repository}/blobs/uploads/")
        assert answer.status == 202, answer
        return str(answer.headers["Location"]).removeprefix(f"http://{self.host}")

    def push_image(self, repository: str, tag: str, salt: str) -> str:
        """Pushes a small image over plain HTTP and returns its digest."""
        config, layer = image_parts(salt)
        for blob in (config, layer):
            path = f"/v2/{repository}/blobs/uploads/?digest={digest_of(blob)}"
            assert self.http("POST", path, blob).status == 201
        raw = manifest(config, [layer])
        answer = self.http("PUT", f"/v2/{repository}/manifests/{tag}", raw, {"Content-Type": OCI_MANIFEST})
        assert answer.status == 201, answer
        return digest_of(raw)

    def probe(self) -> dict[str, float]:
        return dict(json.loads(self.http("GET", "/_probe").body))


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def image_parts(salt: str) -> tuple[bytes, bytes]:
    """Returns config and gzip layer of an image with one file."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        entry = tarfile.TarInfo("salt")
        entry.size = len(salt)
        archive.addfile(entry, io.BytesIO(salt.encode()))
    rootfs = {"type": "layers", "diff_ids": [digest_of(plain.getvalue())]}
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/none"]}, "rootfs": rootfs}
    return json.dumps(config).encode(), gzip.compress(plain.getvalue(), mtime=0)


def manifest(config: bytes, layers: Iterable[bytes]) -> bytes:
    """Returns an image manifest over config and layers."""

    def descriptor(kind: str, data: bytes) -> dict[str, Any]:
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor("config.v1+json", config),
        "layers": [descriptor("layer.v1.tar+gzip", layer) for layer in layers],
    }
    return json.dumps(document, indent=3).encode()


def write_layout(folder: Path, salt: str) -> bytes:
    """Writes an OCI layout with one image tagged ``it`` and returns its manifest."""
    config, layer = image_parts(salt)
    raw = manifest(config, [layer])
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for data in (config, layer, raw):
        (blobs / digest_of(data).removeprefix("sha256:")).write_bytes(data)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entry = {
        "mediaType": OCI_MANIFEST,
        "digest": digest_of(raw),
        "size": len(raw),
        "annotations": {"org.opencontainers.image.ref.name": "it"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return raw


def run(*command: str, ok: bool = True) -> str:
    """Returns stdout and stderr of a command."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    return done.stdout + done.stderr


def docker(*args: str, ok: bool = True) -> str:
    """Runs the docker client against the shared engine."""
    return run(require_docker(), *args, ok=ok)


def skopeo(*args: str, ok: bool = True) -> str:
    """Runs skopeo, which unlike docker copies manifests byte for byte."""
    return run(require_tool("skopeo"), *args, ok=ok)


@contextlib.contextmanager
def docker_image(tmp_path: Path, name: str, size_bytes: int = 100_000) -> Iterator[str]:
    """Imports an image of random bytes into the docker engine for as long as the block lasts."""
    content = tmp_path / "content"
    content.write_bytes(os.urandom(size_bytes))
    archive = tmp_path / "content.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(content, arcname="content")
    docker("import", str(archive), name)
    try:
        yield name
    finally:
        docker("rmi", "--force", name)
