"""Puts an image manifest into a repository: under its digest first, and under tags once that is certain.

A registry that keeps other bytes than it was given is found out while no tag names them yet. Refuses to move
a tag that the registry says is immutable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.errors import UnderstudyError
from understudy.image import digests, model
from understudy.image.registry import errors
from understudy.image.registry.errors import RegistryNotFoundError, RegistryRejectedError
from understudy.image.registry.http import Answer, RegistryHttp, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from understudy.image.model import ImageManifest

ACCEPT = ", ".join((model.OCI_MANIFEST, model.DOCKER_MANIFEST, model.OCI_INDEX, model.DOCKER_LIST))


class TagImmutableError(UnderstudyError):
    """A tag names another image, and the repository does not let it move.

    Attributes:
        tag: the tag.
        found: the digest that it names.
    """

    def __init__(self, message: str, *, hint: str, where: str, tag: str, found: str) -> None:
        super().__init__("tag-immutable", message, hint=hint, where=where)
        self.tag = tag
        self.found = found


class ManifestTransfer:
    """Pushes the manifests of one repository."""

    def __init__(self, http: RegistryHttp, repository: str) -> None:
        self._http = http
        self._repository = repository
        self._base = f"{http.base}/v2/{repository}/manifests"

    def push(self, manifest: ImageManifest, tags: Iterable[str]) -> None:
        """Returns once the repository holds the manifest under its digest and all `tags`.

        Raises:
            RegistryDigestError: the registry keeps it under another digest; nothing was tagged.
            TagImmutableError: a tag is another image's and must not move.
            RegistryRejectedError: the registry refuses it.
        """
        if self._digest_of(manifest.digest) is None:
            self._put(manifest.digest, manifest)
            found = self._digest_of(manifest.digest) or "nothing"
            where = f"{self._base}/{manifest.digest}"
            errors.check_digest(
                {"docker-content-digest": found}, manifest.digest, what="manifest", where=where
            )
        for tag in tags:
            if self._digest_of(tag) != manifest.digest:
                self._tag(tag, manifest)

    def _tag(self, tag: str, manifest: ImageManifest) -> None:
        try:
            self._put(tag, manifest)
        except RegistryRejectedError as exc:
            found = self._digest_of(tag)
            if found == manifest.digest:
                # Somebody else pushed the same image meanwhile: what was wanted is there.
                return
            if found is None or "immutable" not in exc.message:
                raise
            raise TagImmutableError(
                f"tag {tag} of repository {self._repository} names {found} and is immutable, "
                f"expected {manifest.digest}",
                hint="set imageTagMutability of the Repository to MUTABLE, or to IMMUTABLE_WITH_EXCLUSION "
                f"with the filter {tag}",
                where=exc.where or self._base,
                tag=tag,
                found=found,
            ) from exc

    def _digest_of(self, name: str) -> str | None:
        """The digest that `name` stands for; None when the repository has nothing of that name."""
        try:
            answer = self._send("HEAD", name, {"Accept": ACCEPT})
            found = answer.headers.get("docker-content-digest")
            return found or digests.of(self._send("GET", name, {"Accept": ACCEPT}).body)
        except RegistryNotFoundError:
            return None

    def _put(self, name: str, manifest: ImageManifest) -> None:
        answer = self._send("PUT", name, {"Content-Type": manifest.media_type}, manifest.raw)
        tag = "" if name == manifest.digest else name
        errors.check_digest(answer.headers, manifest.digest, what="manifest", where=answer.url, tag=tag)

    def _send(self, method: str, name: str, headers: dict[str, str], raw: bytes | None = None) -> Answer:
        return self._http.send(
            Request(
                method=method,
                url=f"{self._base}/{name}",
                scope=self._repository,
                headers=headers,
                body=(lambda: [raw]) if raw is not None else None,
                size_bytes=len(raw or b""),
                accept_status=frozenset({200, 201, 202}),
            )
        )
