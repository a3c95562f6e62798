"""Manifests over the registry protocol: by tag or digest, byte for byte as they were pushed."""

from understudy.engine.ecr import ImageRecord, Registry, Repositories, Repository, errors, manifests
from understudy.engine.ecr.model import TAG
from understudy.engine.registry import model as registry_model
from understudy.engine.registry import wire
from understudy.engine.registry.model import RegistryError, Route
from understudy.engine.registry.wire import Request, Response
from understudy.image import digests, fields, model
from understudy.image.store import BlobMissingError


class ManifestResource:
    """What ``/v2/NAME/manifests/...`` and ``/v2/NAME/referrers/...`` answer."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    async def get(self, request: Request, registry: Registry, route: Route) -> Response:
        """Answers GET and HEAD of a manifest; only GET counts as a pull."""
        repository = self._repositories.get(registry, route.name)
        record = self._find(repository, route.reference)
        if not registry_model.accepts(request.headers.get("accept"), record.media_type):
            raise RegistryError(
                404, "MANIFEST_UNKNOWN", f"image is {record.media_type}, the Accept header does not name it"
            )
        try:
            raw = self._repositories.store.read(record.digest)
        except BlobMissingError as exc:
            raise RegistryError(404, "MANIFEST_UNKNOWN", exc.message) from exc
        if request.method == "GET":
            self._repositories.record_pull(repository, record)
        headers = {
            "Content-Length": str(len(raw)),
            "Content-Type": record.media_type,
            "Docker-Content-Digest": record.digest,
            "ETag": f'"{record.digest}"',
        }
        return Response(status=200, headers=headers, body=raw)

    async def put(self, request: Request, registry: Registry, route: Route) -> Response:
        """Answers PUT of a manifest, once all it references is here."""
        repository = self._repositories.get(registry, route.name)
        by_digest = ":" in route.reference
        if by_digest:
            registry_model.parse_digest(route.reference)
        elif TAG.fullmatch(route.reference) is None:
            raise RegistryError(400, "TAG_INVALID", f"tag {route.reference!r} does not match {TAG.pattern}")
        raw = await request.read(fields.DOCUMENT_LIMIT_BYTES)
        computed = digests.of(raw)
        if by_digest and computed != route.reference:
            raise registry_model.from_api_error(errors.digest_mismatch(route.reference, computed))
        manifest = self._repositories.admit(repository, raw, request.headers.get("content-type"))
        tag = None if by_digest else route.reference
        record = await self._repositories.put_image(repository, manifest, tag)
        headers = {
            "Location": request.url(f"/v2/{repository.name}/manifests/{record.digest}"),
            "Docker-Content-Digest": record.digest,
        }
        if record.subject:
            headers["OCI-Subject"] = record.subject
        return wire.empty(201, headers)

    async def delete(self, _request: Request, registry: Registry, route: Route) -> Response:
        """Answers DELETE: of a digest the image, of a tag the tag, and the image with its last tag."""
        repository = self._repositories.get(registry, route.name)
        record = self._find(repository, route.reference)
        by_tag = ":" not in route.reference
        if by_tag and record.tags != (route.reference,):
            self._repositories.untag(repository, route.reference)
            return wire.empty(202)
        parents = self._repositories.referencing(repository, record.digest)
        if parents:
            names = ", ".join(parents)
            raise RegistryError(405, "UNSUPPORTED", f"Requested image referenced by manifest list: [{names}]")
        await self._repositories.delete_images(repository, [record.digest])
        return wire.empty(202)

    async def referrers(self, request: Request, registry: Registry, route: Route) -> Response:
        """Answers what is attached to a digest, as an index; an unknown digest has nothing attached."""
        repository = self._repositories.get(registry, route.name)
        subject = registry_model.parse_digest(route.reference)
        entries = [self._entry(record) for record in self._repositories.referrers(repository, subject)]
        headers = {"Content-Type": model.OCI_INDEX}
        wanted = request.query.get("artifactType")
        if wanted:
            entries = [entry for entry in entries if entry["artifactType"] == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        index = {"schemaVersion": 2, "mediaType": model.OCI_INDEX, "manifests": entries}
        return wire.document(200, index, headers)

    def _entry(self, record: ImageRecord) -> dict[str, object]:
        raw = self._repositories.store.read(record.digest)
        manifest = manifests.parse(raw, record.media_type)
        return {
            "mediaType": record.media_type,
            "digest": record.digest,
            "size": len(raw),
            "artifactType": manifest.artifact_type,
            "annotations": dict(manifest.annotations),
        }

    def _find(self, repository: Repository, reference: str) -> ImageRecord:
        if ":" in reference:
            return self._repositories.find(repository, digest=registry_model.parse_digest(reference))
        return self._repositories.find(repository, tag=reference)
