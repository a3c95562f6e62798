"""A Docker engine that holds archives of images and answers the two requests that verification makes."""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

import httpx


class FakeDockerEngine:
    """Answers ``GET /images/NAME/json`` and ``GET /images/NAME/get``.

    Attributes:
        requests: paths asked for so far.
        down: whether no engine listens.
        cut: whether the connection breaks in the middle of an archive.
    """

    def __init__(self, images: Mapping[str, bytes], *, down: bool = False, cut: bool = False) -> None:
        """Holds `images`, archives by name."""
        self.requests: list[str] = []
        self.down = down
        self.cut = cut
        self._images = images

    def transport(self) -> httpx.MockTransport:
        """A transport that ends here, without a socket."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("[Errno 2] No such file or directory")
        path = unquote(request.url.raw_path.decode())
        self.requests.append(path)
        name, _, verb = path.removeprefix("/images/").rpartition("/")
        content = self._images.get(name) or self._images.get(f"{name}:latest")
        if content is None:
            return httpx.Response(404, json={"message": f"No such image: {name}"})
        if verb == "json":
            return httpx.Response(200, json={"Id": "sha256:0"})
        return httpx.Response(200, stream=_Pieces(content, cut=self.cut))


class _Pieces(httpx.SyncByteStream):
    def __init__(self, content: bytes, *, cut: bool) -> None:
        self._content = content
        self._cut = cut

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[:1000]
        if self._cut:
            raise httpx.ReadError("connection reset")
        yield self._content[1000:]
