"""Blob uploads: bytes arrive in pieces and become one blob of the store.

Serves the registry protocol and ECR's layer operations alike. Hashing and writing happen on a thread, so the
event loop never waits for a disk; at most two pieces of an upload are in memory. A writer stays open between
requests (its hash state is worth a second per 300 MB); after a restart the store resumes from the file.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from understudy.engine.ecr import errors
from understudy.engine.ecr.model import Repository
from understudy.engine.ecr.repositories import Repositories
from understudy.image.store import BlobWriter, DigestMismatchError

PIECE_BYTES = 1 << 20
_ABANDONED_AFTER_S = 24 * 3600.0
_IDLE_AFTER_S = 600.0


@dataclass(slots=True, kw_only=True)
class _Live:
    """An upload with its writer open in this process; the lock admits one request at a time."""

    writer: BlobWriter
    used_at: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Uploads:
    """Every upload in progress, over all repositories."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories
        self._live: dict[str, _Live] = {}
        self._opening = asyncio.Lock()

    async def start(self, repository: Repository) -> str:
        """Begins an upload and returns its id; forgets what nobody has touched for long.

        Raises:
            ApiError: RepositoryNotFoundException, it was deleted a moment ago.
        """
        await self._sweep()
        upload_id = str(uuid.uuid4())
        current = self._repositories.get(repository.registry, repository.name)
        self._repositories.tables.insert_upload(current, upload_id, self._repositories.now())
        await self._open(current, upload_id)
        return upload_id

    async def offset(self, repository: Repository, upload_id: str) -> int:
        """Returns how many bytes have arrived.

        Raises:
            ApiError: UploadNotFoundException.
        """
        return (await self._open(repository, upload_id)).writer.offset

    async def append(
        self,
        repository: Repository,
        upload_id: str,
        body: AsyncIterator[bytes],
        *,
        first_byte: int | None = None,
    ) -> int:
        """Appends `body` and returns the offset behind it; what arrived stays when `body` breaks off.

        Args:
            repository: where the upload was started.
            upload_id: what `start` returned.
            body: pieces of any size.
            first_byte: the offset that the sender believes in.

        Raises:
            ApiError: UploadNotFoundException.
            OffsetError: `first_byte` is not where the upload stands.
        """
        live = await self._open(repository, upload_id)
        async with live.lock:
            if first_byte is not None and first_byte != live.writer.offset:
                raise OffsetError(live.writer.offset)
            await _drain(live.writer, body)
            live.used_at = self._repositories.now()
            return live.writer.offset

    async def commit(self, repository: Repository, upload_id: str, expected: str) -> None:
        """Makes the upload a blob of the repository.

        Raises:
            ApiError: UploadNotFoundException.
            DigestMismatchError: the bytes are others; the upload is gone.
        """
        live = await self._open(repository, upload_id)
        async with live.lock:
            try:
                await asyncio.to_thread(live.writer.commit, expected)
            except DigestMismatchError:
                self._forget(upload_id)
                raise
        self._forget(upload_id)
        self._repositories.link(repository, [expected])

    async def cancel(self, repository: Repository, upload_id: str) -> None:
        """Drops the upload.

        Raises:
            ApiError: UploadNotFoundException.
        """
        live = await self._open(repository, upload_id)
        async with live.lock:
            await asyncio.to_thread(live.writer.abort)
        self._forget(upload_id)

    async def close(self) -> None:
        """Lets go of every writer; the uploads can go on after a restart."""
        for live in self._live.values():
            await asyncio.to_thread(live.writer.close)
        self._live.clear()

    async def _open(self, repository: Repository, upload_id: str) -> _Live:
        if not self._repositories.tables.has_upload(repository, upload_id):
            raise errors.upload_not_found(repository, upload_id)
        async with self._opening:
            if upload_id not in self._live:
                writer = await asyncio.to_thread(self._repositories.store.writer, upload_id)
                self._live[upload_id] = _Live(writer=writer, used_at=self._repositories.now())
        return self._live[upload_id]

    def _forget(self, upload_id: str) -> None:
        self._live.pop(upload_id, None)
        self._repositories.tables.delete_upload(upload_id)

    async def _sweep(self) -> None:
        now = self._repositories.now()
        abandoned = set(self._repositories.tables.delete_uploads_before(now - _ABANDONED_AFTER_S))
        for upload_id, live in list(self._live.items()):
            if live.lock.locked():
                continue
            if upload_id in abandoned:
                del self._live[upload_id]
                await asyncio.to_thread(live.writer.abort)
            elif live.used_at < now - _IDLE_AFTER_S:
                del self._live[upload_id]
                await asyncio.to_thread(live.writer.close)


class OffsetError(Exception):
    """A piece does not start where the upload stands, at `offset`."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"upload stands at byte {offset}")
        self.offset = offset


async def _drain(writer: BlobWriter, body: AsyncIterator[bytes]) -> None:
    """Writes `body` in large pieces: one on its way to disk while the next arrives."""
    gathered = bytearray()
    pending: asyncio.Future[int] | None = None
    try:
        async for piece in body:
            gathered += piece
            if len(gathered) < PIECE_BYTES:
                continue
            if pending is not None:
                await pending
            pending = asyncio.ensure_future(asyncio.to_thread(writer.write, gathered))
            gathered = bytearray()
    finally:
        if pending is not None:
            await pending
        if gathered:
            await asyncio.to_thread(writer.write, gathered)
