"""Pushes what is attached to an image next to it, so that whoever finds the image finds that too.

Distribution spec 1.1, "Pushing Manifests with Subject": a registry that lists referrers says so in its
answer; for another one the list under the referrers tag is brought up to date here. Refuses to touch the
image itself: that is `client`'s.
"""

from understudy.image import digests, fields, model, referrers
from understudy.image.referrers import Artifact, Entry
from understudy.image.registry.blobs import BlobTransfer
from understudy.image.registry.errors import RegistryNotFoundError
from understudy.image.registry.events import silent
from understudy.image.registry.http import Answer, RegistryHttp, Request
from understudy.image.store import Store


class ReferrerTransfer:
    """Pushes artifacts into one repository."""

    def __init__(self, http: RegistryHttp, repository: str, store: Store) -> None:
        self._http = http
        self._repository = repository
        self._store = store
        self._blobs = BlobTransfer(http, repository, store, silent)

    def push(self, artifact: Artifact) -> bool:
        """Returns whether the artifact had to be sent: False when the repository holds it already.

        Raises:
            RegistryUnreachableError: no answer.
            RegistryUnauthorizedError: not with these credentials.
            RegistryRejectedError: the registry takes no artifacts.
        """
        if self._get("HEAD", artifact.digest) is not None:
            return False
        manifest = artifact.manifest
        for blob in {one.digest: one for one in (manifest.config, *manifest.layers)}.values():
            self._blobs.push(blob)
        answer = self._put(artifact.digest, manifest.media_type, manifest.raw)
        if not answer.headers.get("oci-subject"):
            self._list(artifact)
        return True

    def _list(self, artifact: Artifact) -> None:
        """Adds the artifact to the index under the referrers tag."""
        tag = referrers.tag_of(artifact.subject.digest)
        found = self._get("GET", tag)
        listed: tuple[Entry, ...] = referrers.parse_index(found.body) if found else ()
        entries = {entry.digest: entry for entry in (*listed, artifact.entry)}
        self._put(tag, model.OCI_INDEX, referrers.index(entries.values()))

    def _get(self, method: str, reference: str) -> Answer | None:
        headers = {"Accept": f"{model.OCI_MANIFEST}, {model.OCI_INDEX}"}
        request = Request(method=method, url=self._url(reference), scope=self._repository, headers=headers)
        try:
            return self._http.send(request)
        except RegistryNotFoundError:
            return None

    def _put(self, reference: str, media_type: str, raw: bytes) -> Answer:
        if len(raw) > fields.DOCUMENT_LIMIT_BYTES:
            raise fields.invalid(f"manifest {digests.of(raw)}", "it is too long for a registry")
        return self._http.send(
            Request(
                method="PUT",
                url=self._url(reference),
                scope=self._repository,
                headers={"Content-Type": media_type},
                body=lambda: [raw],
                size_bytes=len(raw),
                accept_status=frozenset({200, 201, 202}),
            )
        )

    def _url(self, reference: str) -> str:
        return f"{self._http.base}/v2/{self._repository}/manifests/{reference}"
