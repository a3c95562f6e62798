"""Blobs over the registry protocol: download with ranges, upload in every form that clients use."""

from collections.abc import AsyncIterator, Mapping

from understudy.engine.ecr import OffsetError, Registry, Repositories, Repository, Uploads
from understudy.engine.registry import model, wire
from understudy.engine.registry.model import RegistryError, Route
from understudy.engine.registry.wire import Request, Response
from understudy.image.store import DigestMismatchError, UploadBusyError


class BlobResource:
    """What ``/v2/NAME/blobs/...`` answers."""

    def __init__(self, repositories: Repositories, uploads: Uploads) -> None:
        self._repositories = repositories
        self._uploads = uploads

    async def get(self, request: Request, registry: Registry, route: Route) -> Response:
        """Answers GET and HEAD of a blob; HEAD links a blob that only the store had."""
        repository = self._repositories.get(registry, route.name)
        digest = model.parse_digest(route.reference)
        if not self._repositories.has_blob(repository, digest):
            raise RegistryError(
                404, "BLOB_UNKNOWN", f"blob {digest} is not in repository '{repository.name}'"
            )
        store = self._repositories.store
        size = store.size(digest)
        headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": "max-age=31536000",
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": digest,
            "ETag": f'"{digest}"',
        }
        span = model.parse_range(request.headers.get("range"), size)
        start, length = span or (0, size)
        headers["Content-Length"] = str(length)
        if span:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
        file = store.open_blob(digest) if request.method == "GET" else None
        return Response(status=206 if span else 200, headers=headers, file=file, start=start, length=length)

    async def start(self, request: Request, registry: Registry, route: Route) -> Response:
        """Answers POST of uploads: a mount, a whole blob (``digest=``), or a new upload."""
        repository = self._repositories.get(registry, route.name)
        mount = request.query.get("mount")
        if mount and self._repositories.has_blob(repository, model.parse_digest(mount)):
            return _created(request, repository, mount)
        digest = request.query.get("digest")
        if digest:
            model.parse_digest(digest)
        upload_id = await self._uploads.start(repository)
        if digest:
            await self._append(repository, upload_id, request.stream(), None)
            return await self._commit(request, repository, upload_id)
        return wire.empty(202, _progress(request, repository, upload_id, 0))

    async def status(self, request: Request, registry: Registry, route: Route) -> Response:
        """Answers GET of an upload: where a sender must go on."""
        repository = self._repositories.get(registry, route.name)
        offset = await self._uploads.offset(repository, route.reference)
        return wire.empty(204, _progress(request, repository, route.reference, offset))

    async def append(self, request: Request, registry: Registry, route: Route) -> Response:
        """Answers PATCH of an upload: a piece, or all of it as a stream."""
        repository = self._repositories.get(registry, route.name)
        first = model.parse_content_range(request.headers.get("content-range"))
        offset = await self._append(repository, route.reference, request.stream(), first)
        return wire.empty(202, _progress(request, repository, route.reference, offset))

    async def finish(self, request: Request, registry: Registry, route: Route) -> Response:
        """Answers PUT of an upload: the last piece, if any, and the digest that all must have."""
        repository = self._repositories.get(registry, route.name)
        model.parse_digest(request.query.get("digest", ""))
        first = model.parse_content_range(request.headers.get("content-range"))
        await self._append(repository, route.reference, request.stream(), first)
        return await self._commit(request, repository, route.reference)

    async def cancel(self, _request: Request, registry: Registry, route: Route) -> Response:
        """Answers DELETE of an upload."""
        repository = self._repositories.get(registry, route.name)
        await self._uploads.cancel(repository, route.reference)
        return wire.empty(204)

    async def _append(
        self, repository: Repository, upload_id: str, body: AsyncIterator[bytes], first: int | None
    ) -> int:
        try:
            return await self._uploads.append(repository, upload_id, body, first_byte=first)
        except OffsetError as exc:
            raise RegistryError(
                416,
                "BLOB_UPLOAD_INVALID",
                f"upload stands at byte {exc.offset}, the piece starts at {first}",
                headers={
                    "Location": f"/v2/{repository.name}/blobs/uploads/{upload_id}",
                    "Range": model.upload_range(exc.offset),
                },
            ) from exc
        except UploadBusyError as exc:
            raise RegistryError(409, "BLOB_UPLOAD_INVALID", exc.message) from exc

    async def _commit(self, request: Request, repository: Repository, upload_id: str) -> Response:
        digest = request.query["digest"]
        try:
            await self._uploads.commit(repository, upload_id, digest)
        except DigestMismatchError as exc:
            raise RegistryError(400, "DIGEST_INVALID", exc.message) from exc
        return _created(request, repository, digest)


def _created(request: Request, repository: Repository, digest: str) -> Response:
    location = request.url(f"/v2/{repository.name}/blobs/{digest}")
    return wire.empty(201, {"Location": location, "Docker-Content-Digest": digest})


def _progress(request: Request, repository: Repository, upload_id: str, offset: int) -> Mapping[str, str]:
    return {
        "Location": request.url(f"/v2/{repository.name}/blobs/uploads/{upload_id}"),
        "Range": model.upload_range(offset),
        "Docker-Upload-UUID": upload_id,
    }
