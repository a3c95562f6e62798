"""What the ECR and registry tests share: small images, an open domain, and calls without a wire."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy.engine.ecr.model import Registry, Repository
from understudy.engine.ecr.repositories import Repositories
from understudy.engine.ecr.service import EcrService
from understudy.engine.ecr.uploads import Uploads
from understudy.engine.protocol import Call, Receive, Scope, Send
from understudy.engine.registry import RegistryRouter
from understudy.engine.state import State
from understudy.image import digests, model
from understudy.image.store import Store

REGISTRY = Registry()


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@dataclass
class World:
    """An engine's ECR over a temporary directory."""

    root: Path
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.state = State(self.root / "engine.sqlite").open()
        self.store = Store(self.root / "store", grace_s=0).open()
        self.repositories = Repositories(self.state, self.store, clock=self.clock).open()
        self.uploads = Uploads(self.repositories)
        self.service = EcrService(self.repositories, self.uploads, port=4566)
        self.router = RegistryRouter(self.repositories, self.uploads)

    def close(self) -> None:
        self.state.close()

    async def call(self, operation: str, *, account: str = "000000000000", **params: Any) -> dict[str, Any]:
        """Returns the output of an ECR operation."""
        call = Call(service="ecr", operation=operation, params=params, account_id=account)
        return await self.service.operations[operation](call)

    def repository(self, name: str = "app", **settings: Any) -> Repository:
        """Returns a new repository."""
        return self.repositories.create(Repository(registry=REGISTRY, name=name, created_at=0, **settings))

    def blobs(self, *contents: bytes) -> list[str]:
        """Puts blobs straight into the store, as a local build does."""
        return [self.store.put(content) for content in contents]

    async def push(self, repository: Repository, tag: str | None, salt: str = "") -> str:
        """Pushes a small image whose content depends on `salt` (or `tag`) and returns its digest."""
        raw = self.image(salt or tag or "")
        manifest = self.repositories.admit(repository, raw, None)
        return (await self.repositories.put_image(repository, manifest, tag)).digest

    def image(self, salt: str) -> bytes:
        """Returns a manifest whose blobs are in the store."""
        config = config_bytes(salt)
        layer = f"layer {salt}".encode()
        self.blobs(config, layer)
        return manifest_bytes(config, [layer])

    async def http(self, method: str, path: str, body: bytes = b"", **headers: str) -> "Answer":
        """Returns the registry's answer; header names are written with underscores."""
        return await http(self.router, method, path, body=body, headers=headers)


def config_bytes(salt: str = "") -> bytes:
    """Returns an image config."""
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"salt": salt}},
        "rootfs": {"type": "layers", "diff_ids": [digests.of(salt.encode())]},
    }
    return json.dumps(document).encode()


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    """Returns the descriptor of `content`."""
    return {"mediaType": media_type, "digest": digests.of(content), "size": len(content)}


def manifest_bytes(config: bytes, layers: Iterable[bytes], **extra: Any) -> bytes:
    """Returns an OCI image manifest."""
    document = {
        "schemaVersion": 2,
        "mediaType": model.OCI_MANIFEST,
        "config": descriptor(config, model.OCI_CONFIG),
        "layers": [descriptor(layer, model.OCI_LAYER_GZIP) for layer in layers],
        **extra,
    }
    return json.dumps(document).encode()


def index_bytes(*manifests: bytes) -> bytes:
    """Returns an OCI index over manifests."""
    document = {
        "schemaVersion": 2,
        "mediaType": model.OCI_INDEX,
        "manifests": [descriptor(each, model.OCI_MANIFEST) for each in manifests],
    }
    return json.dumps(document).encode()


def keep_last(count: int) -> str:
    """Returns the policy that keeps the newest `count` images."""
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The specification's error code."""
        return str(json.loads(self.body)["errors"][0]["code"])

    @property
    def message(self) -> str:
        """The error's text."""
        return str(json.loads(self.body)["errors"][0]["message"])


def scope_of(method: str, path: str, headers: Mapping[str, str]) -> Scope:
    """Returns the ASGI scope of a request."""
    named = {"host": "localhost:4566"} | {name.replace("_", "-"): value for name, value in headers.items()}
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }


def receiving(body: bytes | Iterable[bytes]) -> Receive:
    """Returns an ASGI receive over `body`; an iterable is sent piece by piece and then breaks off."""
    whole = isinstance(body, bytes)
    pieces = [body] if isinstance(body, bytes) else list(body)
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": not whole} for piece in pieces
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


async def http(
    router: RegistryRouter,
    method: str,
    path: str,
    *,
    body: bytes | Iterable[bytes] = b"",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Returns the router's answer; status 0 when it sent none."""
    sent: list[Mapping[str, Any]] = []

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    sender: Send = send
    await router.handle(scope_of(method, path, headers or {}), receiving(body), sender)
    if not sent:
        return Answer(0, {}, b"")
    named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], named, b"".join(each.get("body", b"") for each in sent[1:]))


async def pieces(*contents: bytes) -> AsyncIterator[bytes]:
    """Yields contents as an upload's body."""
    for content in contents:
        yield content
