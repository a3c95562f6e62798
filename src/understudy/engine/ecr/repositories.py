"""The domain of ECR: repositories, their images, tags and lifecycle, over the database and the image store.

One object serves the ECR API, the registry protocol and Lambda. Bytes stay in the store under their digest; a
blob that is in the store counts as present for every repository of the engine, so pushing what was built here
sends nothing. What repositories hold is pinned in the store: garbage collection by any process spares it.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from understudy.engine.ecr import errors, lifecycle, manifests
from understudy.engine.ecr.lifecycle import Expiry
from understudy.engine.ecr.manifests import Manifest
from understudy.engine.ecr.model import (
    REPOSITORY_NAME,
    EcrImage,
    ImageMediaTypeError,
    ImageNotFoundError,
    ImageRecord,
    ImageUriError,
    Registry,
    Repository,
    parse_image_uri,
)
from understudy.engine.ecr.tables import Tables
from understudy.engine.protocol import ApiError
from understudy.engine.state import State
from understudy.errors import UnderstudyError
from understudy.image import model
from understudy.image.store import Store

ImageNotFound = ImageNotFoundError
_PIN_OWNER = "engine"
_NAME_LENGTHS = range(2, 257)


class Repositories:
    """Every repository of the engine; call `open` before anything else.

    Attributes:
        store: where the bytes are.
    """

    def __init__(self, state: State, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.tables = Tables(state)
        self._clock = clock
        self._roots: list[Callable[[], Iterable[str]]] = []
        self._pin_lock = asyncio.Lock()

    def open(self) -> "Repositories":
        """Creates what is missing and pins what the database says is held.

        What the engine had pinned before stays, too, until the first `refresh_pins`: by then `add_roots` was
        called for functions, whose images may be in no repository any more.
        """
        self.tables.open()
        before = self.store.pins().get(_PIN_OWNER, ())
        self.store.pin(_PIN_OWNER, self.gc_roots().union(before))
        return self

    def now(self) -> float:
        """Returns the time that records get."""
        return self._clock()

    # Repositories

    def create(self, repository: Repository) -> Repository:
        """Records a new, empty repository and returns it.

        Raises:
            ApiError: InvalidParameterException or RepositoryAlreadyExistsException.
        """
        name = repository.name
        if REPOSITORY_NAME.fullmatch(name) is None or len(name) not in _NAME_LENGTHS:
            pattern = REPOSITORY_NAME.pattern
            raise errors.invalid_parameter("repositoryName", f"must satisfy regular expression '{pattern}'")
        if not self.tables.insert_repository(replace(repository, created_at=self.now())):
            raise errors.repository_exists(name, repository.registry.account_id)
        return self.get(repository.registry, name)

    def get(self, registry: Registry, name: str) -> Repository:
        """Returns the repository.

        Raises:
            ApiError: RepositoryNotFoundException.
        """
        found = self.tables.repository(registry, name)
        if found is None:
            raise errors.repository_not_found(name, registry.account_id)
        return found

    def all_of(self, registry: Registry) -> list[Repository]:
        """Returns the registry's repositories by name."""
        return self.tables.repositories(registry)

    def update(self, repository: Repository) -> Repository:
        """Replaces what is recorded about a repository and returns it."""
        self.tables.update_repository(repository)
        return repository

    async def delete(self, repository: Repository, *, force: bool) -> None:
        """Forgets the repository; with images in it only when forced.

        Raises:
            ApiError: RepositoryNotEmptyException.
        """
        if not force and self.tables.images(repository):
            raise errors.repository_not_empty(repository)
        self.tables.delete_repository(repository)
        await self.refresh_pins()

    # Images

    def images(self, repository: Repository) -> list[ImageRecord]:
        """Returns the repository's images, newest first."""
        return self.tables.images(repository)

    def find(
        self, repository: Repository, *, digest: str | None = None, tag: str | None = None
    ) -> ImageRecord:
        """Returns the image with this digest, this tag, or both.

        Raises:
            ApiError: ImageNotFoundException; also when the tag points elsewhere.
        """
        wanted = self.tables.tagged(repository, tag) if tag else digest
        if wanted and (not digest or digest == wanted):
            for record in self.tables.images(repository, wanted):
                return record
        raise errors.image_not_found(repository, digest=digest, tag=tag)

    def has_blob(self, repository: Repository, digest: str) -> bool:
        """Whether the repository can use the blob; one that is in the store is linked on the spot."""
        if not self.store.has(digest):
            return False
        if not self.tables.linked(repository, digest):
            self.link(repository, [digest])
        return True

    def link(self, repository: Repository, digests: Iterable[str]) -> None:
        """Records blobs as the repository's and keeps them from collection for the store's grace period.

        Raises:
            ApiError: RepositoryNotFoundException, it was deleted while the blobs were on their way.
        """
        kept = list(digests)
        with self.tables.transaction():
            self.tables.link_blobs(self.get(repository.registry, repository.name), kept, self.now())
        for digest in kept:
            with contextlib.suppress(FileNotFoundError):
                os.utime(self.store.path(digest))

    def record_pull(self, repository: Repository, record: ImageRecord) -> None:
        """Remembers that the image was pulled now."""
        self.tables.record_pull(repository, record.digest, self.now())

    def admit(self, repository: Repository, raw: bytes, media_type: str | None) -> Manifest:
        """Returns the manifest in `raw` when everything it needs is here.

        Raises:
            ApiError: InvalidParameterException, UnsupportedImageTypeException, LayersNotFoundException or
                ReferencedImagesNotFoundException.
        """
        try:
            manifest = manifests.parse(raw, media_type)
        except manifests.ManifestUnsupportedError as exc:
            raise errors.unsupported_image(exc.message) from exc
        except UnderstudyError as exc:
            raise errors.invalid_parameter("imageManifest", exc.message) from exc
        missing = [digest for digest in manifest.blobs if not self.has_blob(repository, digest)]
        if missing:
            raise errors.layers_not_found(repository, missing)
        absent = [child for child in manifest.children if not self.tables.images(repository, child)]
        if absent:
            raise errors.referenced_images_not_found(repository, absent)
        return manifest

    async def put_image(self, repository: Repository, manifest: Manifest, tag: str | None) -> ImageRecord:
        """Records an admitted manifest, points `tag` to it, runs the lifecycle policy; returns the record.

        A push by digest is a part of an index's push, so it does not run the policy: the index, pushed by
        tag, does when all its parts are in.

        Raises:
            ApiError: ImageTagAlreadyExistsException; a taken immutable tag is refused even for its own image.
                RepositoryNotFoundException.
        """
        self._admitting(repository, tag)
        await asyncio.to_thread(self.store.put, manifest.raw)
        with self.tables.transaction():
            # While the manifest was written, another request may have taken the tag or the repository away.
            current = self._admitting(repository, tag)
            self.tables.insert_image(current, self._record(current, manifest))
            if tag:
                self.tables.set_tag(current, tag, manifest.digest)
        record = self.find(current, digest=manifest.digest)
        await self.refresh_pins()
        if tag:
            await self.expire(current)
        return record

    def _admitting(self, repository: Repository, tag: str | None) -> Repository:
        """Returns the repository as it is now, if it takes `tag`."""
        current = self.get(repository.registry, repository.name)
        if tag and current.is_immutable(tag) and self.tables.tagged(current, tag):
            raise errors.tag_immutable(current, tag)
        return current

    def _record(self, repository: Repository, manifest: Manifest) -> ImageRecord:
        parts = [record for child in manifest.children for record in self.tables.images(repository, child)]
        size = sum(self.store.size(digest) for digest in manifest.blobs)
        return ImageRecord(
            digest=manifest.digest,
            media_type=manifest.media_type,
            size_bytes=size + sum(part.size_bytes for part in parts),
            pushed_at=self.now(),
            artifact_type=manifest.config_type or None,
            subject=manifest.subject,
            children=manifest.children,
        )

    def referencing(self, repository: Repository, digest: str) -> list[str]:
        """Returns the indexes that list `digest`: while they exist it cannot be deleted."""
        return [record.digest for record in self.images(repository) if digest in record.children]

    def referrers(self, repository: Repository, digest: str) -> list[ImageRecord]:
        """Returns what is attached to `digest` (OCI 1.1 referrers)."""
        return [record for record in self.images(repository) if record.subject == digest]

    def untag(self, repository: Repository, tag: str) -> None:
        """Forgets a tag and leaves its image."""
        self.tables.delete_tag(repository, tag)

    async def delete_images(self, repository: Repository, digests: Iterable[str]) -> None:
        """Forgets images with their tags and what is attached to them; their bytes wait for collection."""
        with self.tables.transaction():
            for digest in digests:
                self._delete(repository, digest)
        await self.refresh_pins()

    def _delete(self, repository: Repository, digest: str) -> None:
        self.tables.delete_image(repository, digest)
        for referrer in self.referrers(repository, digest):
            self._delete(repository, referrer.digest)

    # Lifecycle

    def preview(self, repository: Repository, policy_text: str) -> tuple[Expiry, ...]:
        """Returns what `policy_text` would expire now.

        Raises:
            ApiError: InvalidParameterException, the text is no policy.
        """
        images = self.images(repository)
        known = {image.digest for image in images}
        # Attached artifacts go with their subject and are no rule's business (ECR user guide, "Referrers").
        candidates = [image for image in images if image.subject not in known]
        return lifecycle.evaluate(lifecycle.parse(policy_text), candidates, now=self.now())

    async def expire(self, repository: Repository) -> tuple[Expiry, ...]:
        """Runs the repository's policy until it finds nothing more, and returns what expired."""
        expired: tuple[Expiry, ...] = ()
        current = self.tables.repository(repository.registry, repository.name)
        if current is None or current.lifecycle_policy is None:
            return expired
        while found := self.preview(current, current.lifecycle_policy):
            expired += found
            await self.delete_images(current, [each.image.digest for each in found])
        self.tables.record_evaluation(current, self.now())
        return expired

    async def expire_all(self) -> int:
        """Runs every policy, for rules that depend on age; returns how many images expired."""
        return sum([len(await self.expire(repository)) for repository in self.tables.repositories()])

    # Lambda and garbage collection

    def resolve_image(self, uri: str) -> EcrImage:
        """Returns the image that a function is to be made from.

        Raises:
            ImageUriError: `uri` is no image address of this engine, or names neither tag nor digest.
            ImageNotFoundError: there is no such image.
            ImageMediaTypeError: it is an index, an artifact, or has layers that Lambda cannot use.
        """
        address = parse_image_uri(uri)
        if address is None or not (address.tag or address.digest):
            raise ImageUriError(uri)
        try:
            repository = self.get(address.registry, address.repository)
            record = self.find(repository, digest=address.digest, tag=address.tag)
        except ApiError as exc:
            raise ImageNotFoundError(uri) from exc
        try:
            image = self.store.image(record.digest)
        except UnderstudyError as exc:
            raise ImageMediaTypeError(uri) from exc
        if any(layer.media_type not in model.LAYER_TYPES for layer in image.manifest.layers):
            raise ImageMediaTypeError(uri)
        self.record_pull(repository, record)
        return EcrImage(
            digest=record.digest,
            repository=repository.name,
            image=image,
            registry=address.registry,
            resolved_uri=address.pinned(record.digest),
            policy=repository.policy,
        )

    def add_roots(self, roots: Callable[[], Iterable[str]]) -> None:
        """Adds digests that collection must spare though no repository holds them: functions' images."""
        self._roots.append(roots)

    def gc_roots(self) -> frozenset[str]:
        """Returns every digest that the engine needs kept; documents keep what they reference."""
        return self.tables.manifests().union(*(provide() for provide in self._roots))

    async def refresh_pins(self) -> None:
        """Tells the store what the engine holds now; call it after the roots of `add_roots` have changed."""
        async with self._pin_lock:
            await asyncio.to_thread(self.store.pin, _PIN_OWNER, self.gc_roots())
