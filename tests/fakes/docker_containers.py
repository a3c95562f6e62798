"""A Docker engine that knows images and containers as documents; it runs nothing."""

import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx

from understudy.sandbox.docker.address import Address
from understudy.sandbox.docker.api import DockerApi

ADDRESS = Address(text="unix:///fake.sock", socket="/fake.sock")


@dataclass
class FakeDocker:
    """Answers what a sandbox asks for.

    Attributes:
        version: of the API.
        images: name to diff_ids, in the order of loading.
        wants_all: whether an archive must hold every layer, as with containerd's image store.
        loads: names of the members of each archive that came.
        calls: method and path of each request.
        bodies: of each POST that had one.
        refusals: path to what is said instead of an answer.
    """

    version: str = "1.41"
    images: dict[str, list[str]] = field(default_factory=dict)
    wants_all: bool = False
    loads: list[list[str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    def api(self) -> DockerApi:
        """A client of this engine; not open yet."""
        return DockerApi(ADDRESS, httpx.MockTransport(self._answer))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path)
        content = await request.aread()
        if path == "/_ping":
            return httpx.Response(200, headers={"Api-Version": self.version})
        path = path.removeprefix(f"/v{self.version}")
        self.calls.append(f"{request.method} {path}")
        if path in self.refusals:
            return httpx.Response(409, json={"message": self.refusals[path]})
        if path == "/images/load":
            return self._load(content)
        if content:
            self.bodies.append(json.loads(content))
        if path == "/images/json":
            assert "label" in json.loads(parse_qs(request.url.query.decode())["filters"][0])
            return httpx.Response(200, json=self._listed())
        if path.startswith("/images/"):
            return self._image(request.method, path.removeprefix("/images/").removesuffix("/json"))
        return httpx.Response(204)

    def _listed(self) -> list[dict[str, Any]]:
        return [{"Id": name, "RepoTags": [name], "Created": at} for at, name in enumerate(self.images)]

    def _image(self, method: str, name: str) -> httpx.Response:
        if name not in self.images:
            return httpx.Response(404, json={"message": f"No such image: {name}"})
        if method == "DELETE":
            del self.images[name]
        return httpx.Response(200, json={"RootFS": {"Layers": self.images.get(name, [])}})

    def _load(self, content: bytes) -> httpx.Response:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            names = archive.getnames()
            manifest, config = (json.load(archive.extractfile(name)) for name in names[:2])  # type: ignore[arg-type]
        self.loads.append(names[2:])
        if self.wants_all and len(names) - 2 < len(manifest[0]["Layers"]):
            return httpx.Response(200, text=json.dumps({"error": "layer 0.tar is missing"}))
        self.images[manifest[0]["RepoTags"][0]] = config["rootfs"]["diff_ids"]
        return httpx.Response(200, text=json.dumps({"stream": "Loaded image"}))
