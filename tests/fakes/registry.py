"""A small real registry in this process: the OCI distribution protocol over dictionaries.

Speaks through `transport` (no sockets, for unit tests) or on loopback (`serving`, for contract tests, where
the same suite also runs against Debian's docker-registry). Faults are part of it: a connection that breaks
once, a status that passes, tokens that end.
"""

import base64
import contextlib
import http.server
import itertools
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx

from understudy.image import digests

_ROUTE = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs|tags)/(?P<rest>.*)")


class DroppedError(Exception):
    """The connection ends here."""


@dataclass
class Reply:
    """A response; `cut_at` is where the connection breaks."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None


class FakeRegistry:
    """Repositories in memory, with faults to order."""

    def __init__(self, *, users: Mapping[str, str] | None = None, tokens: bool = False) -> None:
        self.blobs: dict[str, dict[str, bytes]] = {}
        self.manifests: dict[str, dict[str, tuple[str, bytes]]] = {}
        self.uploads: dict[str, bytearray] = {}
        self.requests: list[str] = []
        self.hosts: set[str] = set()
        self.users = dict(users or {})
        self.tokens = tokens
        self.token_uses = 1_000_000
        self.expire_at_requests: set[int] = set()
        self.issued: dict[str, int] = {}
        self.scopes: list[list[str]] = []
        self.cut_upload_at: int | None = None
        self.cut_download_at: int | None = None
        self.statuses: list[int] = []
        self.status_at: dict[int, int] = {}
        self.ranges = True
        self.immutable = False
        self.forgets_uploads = False
        self.loses_answer_to = ""
        self.before_put: Callable[[], object] = lambda: None
        self.answers_digest: str | None = None
        self.passwords: list[str] = []
        self.lists_referrers = True
        self.origin = "http://registry.invalid"
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def transport(self) -> httpx.MockTransport:
        """Returns a transport for an httpx client that ends here, without a socket."""

        def handle(request: httpx.Request) -> httpx.Response:
            try:
                body = request.stream
                assert isinstance(body, httpx.SyncByteStream)
                reply = self.handle(request.method, str(request.url), request.headers, body)
            except DroppedError as exc:
                raise httpx.WriteError("connection reset") from exc
            return httpx.Response(reply.status, headers=reply.headers, stream=_Cut(reply))

        return httpx.MockTransport(handle)

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Serves on loopback and yields host and port."""
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                try:
                    reply = fake.handle(self.command, self.path, self.headers, self._chunks())
                except DroppedError:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body[: reply.cut_at])
                self.close_connection = reply.cut_at is not None

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = handle_any  # noqa: N815 - http.server's names

            def _chunks(self) -> Iterator[bytes]:
                rest = int(self.headers.get("content-length") or 0)
                while rest and (chunk := self.rfile.read(min(rest, 65536))):
                    rest -= len(chunk)
                    yield chunk

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Nothing is printed."""

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            host = f"127.0.0.1:{server.server_address[1]}"
            self.origin = f"http://{host}"
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield host
            finally:
                server.shutdown()
                thread.join()

    def handle(self, method: str, url: str, headers: Mapping[str, str], body: Iterable[bytes]) -> Reply:
        """Returns the reply to one request."""
        parts = urllib.parse.urlsplit(url)
        query = {key: values[-1] for key, values in urllib.parse.parse_qs(parts.query).items()}
        with self._lock:
            self.requests.append(f"{method} {parts.path}")
            self.hosts.add(headers["host"])
            if len(self.requests) in self.expire_at_requests:
                self.issued.clear()
                self.users.update(dict.fromkeys(self.users, self.passwords.pop(0)) if self.passwords else {})
            ordered = self.statuses.pop(0) if self.statuses else self.status_at.get(len(self.requests) - 1)
        if ordered:
            for _ in body:
                pass
            return _json(ordered, {"errors": [{"code": "ORDERED", "message": "a fault"}]})
        with self._lock:
            if parts.path == "/token":
                return self._token(urllib.parse.parse_qs(parts.query).get("scope", []), headers)
            refusal = self._refusal(parts.path, headers)
        if refusal is not None:
            for _ in body:
                pass
            return refusal
        reply = self._route(method, parts.path, query, headers, body)
        if method == self.loses_answer_to:
            self.loses_answer_to = ""
            raise DroppedError
        reply.headers.setdefault("Content-Length", str(len(reply.body)))
        return reply

    def _route(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Iterable[bytes],
    ) -> Reply:
        match = _ROUTE.fullmatch(path)
        if match is None:
            return _json(200 if path == "/v2/" else 404, {})
        repository, rest = match["repository"], match["rest"]
        if match["kind"] == "manifests":
            return self._manifest(method, repository, rest, headers, b"".join(body))
        if match["kind"] == "tags":
            return self._tags(repository, query)
        if rest.startswith("uploads/"):
            return self._upload(method, repository, rest.removeprefix("uploads/"), query, headers, body)
        return self._blob(repository, rest, headers)

    def _manifest(
        self, method: str, repository: str, name: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        known = self.manifests.setdefault(repository, {})
        if method == "PUT":
            stored = (headers["content-type"], body)
            if not digests.is_digest(name):
                self.before_put()
            if self.immutable and name in known and not digests.is_digest(name):
                # ECR's words: https://github.com/aws/containers-roadmap/issues/2179
                text = f"The image tag '{name}' already exists and cannot be overwritten: it is immutable."
                return _json(400, {"errors": [{"code": "TAG_INVALID", "message": text}]})
            known[digests.of(body)] = known[name] = stored
            digest = self.answers_digest or digests.of(body)
            reply = Reply(201, {"Docker-Content-Digest": digest, "Location": "/"})
            subject = json.loads(body).get("subject")
            if subject and self.lists_referrers:
                reply.headers["OCI-Subject"] = subject["digest"]
            return reply
        if name not in known:
            return _json(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]})
        media_type, raw = known[name]
        return Reply(200, {"Content-Type": media_type, "Docker-Content-Digest": digests.of(raw)}, raw)

    def _tags(self, repository: str, query: Mapping[str, str]) -> Reply:
        if repository not in self.manifests:
            return _json(404, {"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]})
        names = sorted(name for name in self.manifests[repository] if not digests.is_digest(name))
        rest = [name for name in names if name > query.get("last", "")]
        count = int(query.get("n", "100"))
        reply = _json(200, {"name": repository, "tags": rest[:count]})
        if len(rest) > count:
            reply.headers["Link"] = (
                f'</v2/{repository}/tags/list?last={rest[count - 1]}&n={count}>; rel="next"'
            )
        return reply

    def _blob(self, repository: str, digest: str, headers: Mapping[str, str]) -> Reply:
        data = self.blobs.get(repository, {}).get(digest)
        if data is None:
            return _json(404, {"errors": [{"code": "BLOB_UNKNOWN", "message": "blob unknown"}]})
        status = 200
        wanted = headers.get("range")
        if wanted and self.ranges:
            data, status = data[int(wanted.removeprefix("bytes=").partition("-")[0]) :], 206
        cut, self.cut_download_at = self.cut_download_at, None
        return Reply(status, {"Docker-Content-Digest": digest}, data, cut_at=cut)

    def _upload(
        self,
        method: str,
        repository: str,
        upload_id: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Iterable[bytes],
    ) -> Reply:
        if method == "POST":
            return self._start(repository, query)
        buffer = self.uploads.get(upload_id)
        if buffer is None:
            return _json(404, {"errors": [{"code": "BLOB_UPLOAD_UNKNOWN", "message": "upload unknown"}]})
        if method == "PATCH":
            start = int((headers.get("content-range") or "0-").partition("-")[0])
            if start != len(buffer):
                return _json(416, {"errors": [{"code": "BLOB_UPLOAD_INVALID", "message": "offset"}]})
        for chunk in body if method in {"PATCH", "PUT"} else ():
            if self.cut_upload_at is not None and len(buffer) + len(chunk) > self.cut_upload_at:
                buffer += chunk[: max(0, self.cut_upload_at - len(buffer))]
                self.cut_upload_at = None
                if self.forgets_uploads:
                    del self.uploads[upload_id]
                raise DroppedError
            buffer += chunk
        if method == "PUT":
            return self._finish(repository, upload_id, query["digest"])
        status = 204 if method == "GET" else 202
        return Reply(status, self._progress(repository, upload_id))

    def _start(self, repository: str, query: Mapping[str, str]) -> Reply:
        digest = query.get("mount", "")
        data = self.blobs.get(query.get("from", ""), {}).get(digest)
        if data is not None:
            self.blobs.setdefault(repository, {})[digest] = data
            return Reply(201, {"Docker-Content-Digest": digest, "Location": "/"})
        upload_id = f"upload{next(self._ids)}"
        self.uploads[upload_id] = bytearray()
        return Reply(202, self._progress(repository, upload_id))

    def _progress(self, repository: str, upload_id: str) -> dict[str, str]:
        last = max(0, len(self.uploads[upload_id]) - 1)
        return {"Location": f"/v2/{repository}/blobs/uploads/{upload_id}?state=x%3D", "Range": f"0-{last}"}

    def _finish(self, repository: str, upload_id: str, digest: str) -> Reply:
        data = bytes(self.uploads.pop(upload_id))
        if digests.of(data) != digest:
            return _json(400, {"errors": [{"code": "DIGEST_INVALID", "message": "digest did not match"}]})
        self.blobs.setdefault(repository, {})[digest] = data
        return Reply(201, {"Docker-Content-Digest": self.answers_digest or digest, "Location": "/"})

    def _token(self, scopes: list[str], headers: Mapping[str, str]) -> Reply:
        if not self._is_user(headers.get("authorization", "")):
            return _json(401, {})
        token = f"token{next(self._ids)}"
        self.issued[token] = self.token_uses
        self.scopes.append(scopes)
        return _json(200, {"token": token, "expires_in": 300})

    def _refusal(self, path: str, headers: Mapping[str, str]) -> Reply | None:
        if not self.users:
            return None
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if self.tokens:
            if scheme == "Bearer" and self.issued.get(value, 0) > 0:
                self.issued[value] -= 1
                return None
            match = _ROUTE.fullmatch(path)
            scope = f',scope="repository:{match["repository"]}:pull,push"' if match else ""
            challenge = f'Bearer realm="{self.origin}/token",service="fake registry"{scope}'
        elif self._is_user(headers.get("authorization", "")):
            return None
        else:
            challenge = 'Basic realm="fake registry"'
        reply = _json(401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]})
        reply.headers["WWW-Authenticate"] = challenge
        return reply

    def _is_user(self, header: str) -> bool:
        scheme, _, value = header.partition(" ")
        if scheme != "Basic":
            return False
        name, _, password = base64.b64decode(value).decode().partition(":")
        return self.users.get(name) == password


class _Cut(httpx.SyncByteStream):
    """A body that breaks where the reply says."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def __iter__(self) -> Iterator[bytes]:
        yield self._reply.body[: self._reply.cut_at]
        if self._reply.cut_at is not None:
            raise httpx.ReadError("connection reset")


def _json(status: int, document: object) -> Reply:
    raw = json.dumps(document).encode()
    return Reply(status, {"Content-Type": "application/json", "Content-Length": str(len(raw))}, raw)
