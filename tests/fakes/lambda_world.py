"""A Lambda service with everything around it, small: images in a real store, ECR and logs as dictionaries.

Functions run in `fakes.executor` environments unless the test brings its own.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.fakes.executor import FakeFleet
from understudy.engine.ecr import EcrImage, Registry
from understudy.engine.ecr.model import ImageNotFoundError
from understudy.engine.functions import LambdaConfig, LambdaService
from understudy.engine.functions.background import Clock
from understudy.engine.functions.calls import App, nothing_behind
from understudy.engine.protocol import Call
from understudy.engine.state import State
from understudy.image import digests, model
from understudy.image.store import Store

REGISTRY = "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566"
ROLE = "arn:aws:iam::000000000000:role/dash"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:dash"


def put_image(store: Store, text: str, *, architecture: str = "amd64") -> str:
    """The digest of a one-file image in `store`; `text` makes it unlike others."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        info = tarfile.TarInfo("app.py")
        info.size = len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))
    layer = gzip.compress(tar.getvalue(), mtime=0)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {
                "Env": ["PATH=/bin", "FROM_IMAGE=yes"],
                "Entrypoint": ["/lambda-entrypoint.sh"],
                "Cmd": ["app.handler"],
                "WorkingDir": "/var/task",
            },
            "rootfs": {"type": "layers", "diff_ids": [digests.of(tar.getvalue())]},
        }
    ).encode()
    store.put(layer)
    store.put(config)
    raw = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": model.OCI_MANIFEST,
            "config": _descriptor(model.OCI_CONFIG, config),
            "layers": [_descriptor(model.OCI_LAYER_GZIP, layer)],
        }
    ).encode()
    return store.put_image(model.parse_manifest(raw))


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


class FakeRepositories:
    """One repository, `dash`, whose tags are a dictionary."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tags: dict[str, str] = {}
        self.registry = Registry()
        self.policy: str | None = None
        self.roots: list[Callable[[], Iterable[str]]] = []

    def resolve_image(self, uri: str) -> EcrImage:
        """The image that a tag or digest names."""
        repository, _, tag = uri.rpartition(":")
        digest = self.tags.get(tag)
        if "@" in uri:
            repository, _, digest = uri.partition("@")
        if digest is None or not self.store.has(digest):
            raise ImageNotFoundError(uri)
        return EcrImage(
            digest=digest,
            repository="dash",
            image=self.store.image(digest),
            resolved_uri=f"{repository}@{digest}",
            registry=self.registry,
            policy=self.policy,
        )

    def add_roots(self, roots: Callable[[], Iterable[str]]) -> None:
        """Remembers who needs what."""
        self.roots.append(roots)

    async def refresh_pins(self) -> None:
        """Nothing to do: nothing is collected."""


class FakeLogs:
    """Log lines by group and stream."""

    def __init__(self) -> None:
        self.streams: dict[tuple[str, str], list[str]] = {}

    def append(
        self, group: str, stream: str, events: Sequence[tuple[int, str]], *, account_id: str, region: str
    ) -> None:
        """Stores lines."""
        self.streams.setdefault((group, stream), []).extend(text for _, text in events)


class World:
    """The service and what surrounds it; `start` first, `close` last; a second `World` is a restart."""

    def __init__(
        self,
        root: Path,
        *,
        config: LambdaConfig | None = None,
        clock: Clock | None = None,
        behind: App = nothing_behind,
    ) -> None:
        self.state = State(root / "engine.sqlite").open()
        self.store = Store(root / "store").open()
        self.repositories = FakeRepositories(self.store)
        self.logs = FakeLogs()
        self.fleet = FakeFleet()
        self.service = LambdaService(
            self.state,
            self.store,
            self.repositories,
            self.logs,
            _NoExecutor(),
            "http://127.0.0.1:4566",
            config,
            behind=behind,
            clock=clock,
            create=self.fleet.create,
        )

    async def start(self) -> "World":
        """Starts the service with an image tagged `1`."""
        self.push("1")
        await self.service.start()
        return self

    async def close(self) -> None:
        """Ends the service."""
        await self.service.close()
        self.state.close()

    def push(self, tag: str, text: str | None = None, *, architecture: str = "amd64") -> str:
        """The digest of an image pushed under `tag`."""
        digest = put_image(self.store, text or f"image {tag}", architecture=architecture)
        self.repositories.tags[tag] = digest
        return digest

    def uri(self, tag: str = "1") -> str:
        """The address of a tag."""
        return f"{REGISTRY}/dash:{tag}"

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """The answer of one operation."""
        call = Call(service="lambda", operation=operation, params=params, request_id=f"id-{operation}")
        return await self.service.operations[operation](call)

    async def create(self, **params: Any) -> dict[str, Any]:
        """CreateFunction `dash`, and its answer."""
        wanted = {"FunctionName": "dash", "Role": ROLE, "PackageType": "Image"}
        return await self.call("CreateFunction", **{**wanted, "Code": {"ImageUri": self.uri()}, **params})

    async def active(self, **params: Any) -> dict[str, Any]:
        """CreateFunction `dash`, and its configuration when it is active."""
        await self.create(**params)
        await self.service.settle()
        return await self.call("GetFunctionConfiguration", FunctionName=params.get("FunctionName", "dash"))


class _NoExecutor:
    async def prepare(self, spec: object) -> Any:
        """Never called: environments are fakes."""
        raise AssertionError(spec)
