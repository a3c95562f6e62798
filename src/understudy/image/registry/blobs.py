"""Moves single blobs between a registry and a store: streaming, digest-checked, resumed where they stopped.

A dropped connection costs what was in flight: a pull goes on with a Range request, a push asks the registry
how far it got (OCI distribution spec, "Resuming an upload") and begins anew where that leads nowhere. Refuses
to accept one byte more than announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from understudy.image.deferred import httpx
from understudy.image.registry import errors
from understudy.image.registry.errors import RETRYABLE_STATUS, RegistryNotFoundError, RegistryRejectedError
from understudy.image.registry.events import BlobProgress, Progress, Retrying
from understudy.image.registry.http import Answer, RegistryHttp, Request
from understudy.image.store import BlobWriter, DigestMismatchError, Store, UploadBusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from understudy.image.model import Descriptor

_ATTEMPTS = 5
_FIRST_WAIT_S = 0.2
_CHUNK_BYTES = 256 * 1024
_SINGLE_REQUEST_BYTES = 256 * 1024
_OFFSET_INVALID = 416
_OCTETS = {"Content-Type": "application/octet-stream"}

PushOutcome = Literal["sent", "mounted", "present"]


class BlobTransfer:
    """Pulls and pushes the blobs of one repository."""

    def __init__(self, http: RegistryHttp, repository: str, store: Store, progress: Progress) -> None:
        self._http = http
        self._repository = repository
        self._store = store
        self._progress = progress
        self._base = f"{http.base}/v2/{repository}/blobs"

    def pull(self, blob: Descriptor) -> None:
        """Brings `blob` into the store.

        Raises:
            DigestMismatchError: the registry sends other bytes than the digest promises.
            RegistryUnreachableError: the connection kept breaking.
            RegistryNotFoundError: the registry lacks the blob.
        """
        try:
            writer = self._store.writer(f"pull-{blob.digest.removeprefix('sha256:')}")
        except UploadBusyError:
            writer = self._store.writer()
        resumed = writer.offset > 0
        try:
            self._pull(blob, writer)
        except DigestMismatchError:
            if not resumed:
                raise
            # What an earlier process left was damaged: once more, from the first byte.
            self._pull(blob, self._store.writer())

    def exists(self, digest: str) -> bool:
        """Whether the registry has the blob in this repository."""
        try:
            self._send("HEAD", f"{self._base}/{digest}", {200})
        except RegistryNotFoundError:
            return False
        return True

    def push(self, blob: Descriptor, *, mount_from: str | None = None) -> PushOutcome:
        """Brings `blob` into the repository and returns how.

        Args:
            blob: in the store.
            mount_from: a repository of the same registry that may have it.

        Raises:
            BlobMissingError: the store lacks it.
            RegistryUnreachableError: the connection kept breaking.
            RegistryRejectedError: the registry refuses it.
        """
        self._store.size(blob.digest)
        if self.exists(blob.digest):
            return "present"
        if mount_from is not None and mount_from != self._repository:
            mount = f"{self._base}/uploads/?mount={blob.digest}&from={mount_from}"
            answer = self._send("POST", mount, {201, 202})
            if answer.status == httpx.codes.CREATED:
                return "mounted"
            upload = _Upload(_location(answer))
        else:
            upload = _Upload(self._start())
        self._attempts(lambda: self._deliver(blob, upload), f"blob {blob.digest}")
        return "sent"

    def _deliver(self, blob: Descriptor, upload: _Upload) -> None:
        """Sends what the registry lacks of a blob; after an interruption, from where that left off."""
        if not upload.interrupted:
            upload.interrupted = True
            self._send_rest(blob, upload, in_one=blob.size_bytes <= _SINGLE_REQUEST_BYTES)
            return
        if self.exists(blob.digest):
            # Every byte had arrived, only the answer was lost.
            return
        try:
            self._ask_where(upload)
            self._send_rest(blob, upload)
        except (RegistryNotFoundError, RegistryRejectedError) as exc:
            if exc.retryable:
                raise
            # The registry forgot the upload, or what it kept of it is of no use: from the first byte.
            upload.url, upload.offset = self._start(), 0
            self._send_rest(blob, upload)

    def _send_rest(self, blob: Descriptor, upload: _Upload, *, in_one: bool = False) -> None:
        if not in_one:
            self._append(blob, upload)
        self._finish(blob, upload.url, blob.size_bytes if in_one else 0)

    def _start(self) -> str:
        return _location(self._send("POST", f"{self._base}/uploads/", {202}))

    def _pull(self, blob: Descriptor, writer: BlobWriter) -> None:
        with writer:
            if writer.offset > blob.size_bytes:
                raise self._too_long(blob, writer)
            self._attempts(lambda: self._receive(blob, writer), f"blob {blob.digest}")
            writer.commit(blob.digest)

    def _receive(self, blob: Descriptor, writer: BlobWriter) -> None:
        if writer.offset == blob.size_bytes:
            return
        headers = {"Range": f"bytes={writer.offset}-"} if writer.offset else {}
        request = Request(
            method="GET", url=f"{self._base}/{blob.digest}", scope=self._repository, headers=headers
        )
        with self._http.stream(request) as response:
            if response.status_code not in {200, 206}:
                body = response.read()[:4096]
                raise errors.refused(response.status_code, body, host=self._http.host, url=request.url)
            # A registry without ranges starts again at the first byte: what we have is skipped.
            skip = writer.offset if response.status_code == httpx.codes.OK else 0
            for chunk in response.iter_raw(_CHUNK_BYTES):
                fresh = chunk[skip:]
                skip = max(0, skip - len(chunk))
                writer.write(fresh)
                if writer.offset > blob.size_bytes:
                    raise self._too_long(blob, writer)
                self._report(blob, writer.offset, "pull")
        if writer.offset < blob.size_bytes:
            raise httpx.ReadError("the answer ended too early")

    def _append(self, blob: Descriptor, upload: _Upload) -> None:
        start = upload.offset
        if start >= blob.size_bytes:
            return
        headers = {**_OCTETS, "Content-Range": f"{start}-{blob.size_bytes - 1}"} if start else _OCTETS
        answer = self._once(
            "PATCH",
            upload.url,
            {202},
            headers=headers,
            body=lambda: self._content(blob, start),
            size_bytes=blob.size_bytes - start,
        )
        upload.url = _join(answer.url, answer.headers.get("location", upload.url))

    def _ask_where(self, upload: _Upload) -> None:
        """Asks how many bytes of an interrupted upload the registry has."""
        answer = self._send("GET", upload.url, {204, 202, 200})
        upload.url = _join(answer.url, answer.headers.get("location", upload.url))
        _, _, last = answer.headers.get("range", "0-0").partition("-")
        # "0-0" is what registries answer for nothing as well as for one byte; nothing is the safe reading.
        upload.offset = int(last) + 1 if last.isdigit() and last != "0" else 0

    def _finish(self, blob: Descriptor, url: str, size_bytes: int) -> None:
        separator = "&" if "?" in url else "?"
        answer = self._once(
            "PUT",
            f"{url}{separator}digest={blob.digest.replace(':', '%3A')}",
            {201, 204},
            headers=_OCTETS if size_bytes else {},
            body=(lambda: self._content(blob, 0)) if size_bytes else None,
            size_bytes=size_bytes,
        )
        errors.check_digest(answer.headers, blob.digest, what="blob", where=f"{self._base}/{blob.digest}")
        self._report(blob, blob.size_bytes, "push")

    def _content(self, blob: Descriptor, start: int) -> Iterator[bytes]:
        done = start
        with self._store.open_blob(blob.digest) as file:
            file.seek(start)
            while chunk := file.read(_CHUNK_BYTES):
                done += len(chunk)
                yield chunk
                self._report(blob, done, "push")

    def _attempts(self, step: Callable[[], None], what: str) -> None:
        """Runs a resumable step until it ends; an attempt that failed goes on where it stopped."""
        for attempt in range(_ATTEMPTS):
            try:
                step()
            except httpx.TransportError as exc:
                if attempt == _ATTEMPTS - 1:
                    raise errors.unreachable(self._http.host, exc) from exc
                reason = str(exc) or type(exc).__name__
            except RegistryRejectedError as exc:
                may_pass = exc.status in RETRYABLE_STATUS or exc.status == _OFFSET_INVALID
                if attempt == _ATTEMPTS - 1 or not may_pass:
                    raise
                reason = exc.message
            else:
                return
            wait_s = _FIRST_WAIT_S * 2**attempt
            self._progress(Retrying(what=what, reason=reason, wait_s=wait_s))
            self._http.sleep(wait_s)

    def _send(self, method: str, url: str, accept: set[int]) -> Answer:
        request = Request(
            method=method, url=url, scope=self._repository, headers={}, accept_status=frozenset(accept)
        )
        return self._http.send(request, progress=self._progress)

    def _once(
        self,
        method: str,
        url: str,
        accept: set[int],
        *,
        headers: Mapping[str, str],
        body: Callable[[], Iterator[bytes]] | None,
        size_bytes: int,
    ) -> Answer:
        """The answer to one attempt: bytes are never sent again without asking where the upload stands."""
        request = Request(
            method=method,
            url=url,
            scope=self._repository,
            headers=headers,
            body=body,
            size_bytes=size_bytes,
        )
        with self._http.stream(request) as response:
            text = response.read()[:4096]
            if response.status_code not in accept:
                raise errors.refused(response.status_code, text, host=self._http.host, url=url)
            return Answer(
                status=response.status_code, url=str(response.url), headers=response.headers, body=text
            )

    def _report(self, blob: Descriptor, done: int, direction: Literal["pull", "push"]) -> None:
        self._progress(
            BlobProgress(digest=blob.digest, done_bytes=done, size_bytes=blob.size_bytes, direction=direction)
        )

    def _too_long(self, blob: Descriptor, writer: BlobWriter) -> DigestMismatchError:
        writer.abort()
        return DigestMismatchError(
            "digest-mismatch",
            f"blob {blob.digest} is longer than the {blob.size_bytes} bytes that its manifest says",
            hint="pull again; if it repeats, the registry's copy is damaged: push the image again",
            where=self._base,
        )


class _Upload:
    """Where an upload goes on; `interrupted` means that only the registry knows the offset."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.offset = 0
        self.interrupted = False


def _location(answer: Answer) -> str:
    return _join(answer.url, answer.headers.get("location", ""))


def _join(base: str, location: str) -> str:
    return str(httpx.URL(base).join(location))
