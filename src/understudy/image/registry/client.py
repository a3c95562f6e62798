"""A registry as images see it: pull one, push one, look at what is there (OCI distribution spec 1.1).

Moves only blobs that the other side lacks, several at once, and checks every byte against its digest. Refuses
to change a manifest: the bytes that were built are the bytes that are pushed.
"""

from __future__ import annotations

import concurrent.futures
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from understudy.errors import UnderstudyError
from understudy.image import digests, fields, model, reference
from understudy.image.deferred import httpx
from understudy.image.fields import Fields
from understudy.image.model import Descriptor, Image, ImageIndex, ImageManifest, MediaTypeUnsupportedError
from understudy.image.reference import Ref
from understudy.image.registry import errors
from understudy.image.registry.auth import Auth
from understudy.image.registry.blobs import BlobTransfer
from understudy.image.registry.errors import RegistryNotFoundError
from understudy.image.registry.events import BlobDone, Progress, PushReport, silent
from understudy.image.registry.http import Answer, RegistryHttp, Request, Timeouts
from understudy.image.registry.manifests import ACCEPT, ManifestTransfer
from understudy.image.store import DigestMismatchError, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

_PARALLEL = 4
_PAGE = 1000
_NOWHERE: Mapping[str, str] = MappingProxyType({})
DEFAULT_PLATFORM = "linux/amd64"


class PlatformMissingError(UnderstudyError):
    """An image exists, but not for the platform that was asked for."""


class RegistryClient:
    """One registry; the connections open with the first request and close with the context.

    Args:
        registry: host and port, as in a reference; ``docker.io`` is known.
        auth: credentials; `auth.from_docker_config` finds the stored ones.
        insecure_http: plain HTTP; for this machine it is used in any case.
        timeouts: how long to wait; a host that is not there fails after `connect_s`.
    """

    def __init__(
        self,
        registry: str,
        *,
        auth: Auth | None = None,
        insecure_http: bool = False,
        timeouts: Timeouts | None = None,
        http: RegistryHttp | None = None,
    ) -> None:
        self.registry = registry
        self._http = http or RegistryHttp(
            registry, auth=auth or Auth.anonymous(), insecure_http=insecure_http, timeouts=timeouts
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def head(self, ref: Ref | str) -> Descriptor | None:
        """Returns what `ref` names without fetching it, None when the registry has no such thing.

        Raises:
            RegistryUnreachableError: no answer.
            RegistryUnauthorizedError: not with these credentials.
        """
        wanted = self._ref(ref)
        try:
            answer = self._get("HEAD", wanted)
        except RegistryNotFoundError:
            return None
        digest = answer.headers.get("docker-content-digest", "")
        if not digest:
            return self._descriptor(self._get("GET", wanted))
        return Descriptor(
            media_type=answer.headers.get("content-type", model.OCI_MANIFEST).partition(";")[0],
            digest=digests.parse(digest),
            size_bytes=int(answer.headers.get("content-length") or 0),
        )

    def manifest(self, ref: Ref | str) -> ImageManifest | ImageIndex:
        """Returns the document that `ref` names, an index as such.

        Raises:
            RegistryNotFoundError: no such image.
            DigestMismatchError: the registry sent other bytes than asked for.
            MediaTypeUnsupportedError: it is neither manifest nor index.
        """
        wanted = self._ref(ref)
        answer = self._get("GET", wanted)
        actual = digests.of(answer.body)
        expected = wanted.digest or answer.headers.get("docker-content-digest") or actual
        if actual != expected:
            raise DigestMismatchError(
                "digest-mismatch",
                f"manifest of {wanted} has digest {actual}, expected {expected}",
                hint="pull again; if it repeats, something between here and the registry changes it",
                where=answer.url,
            )
        media_type = model.media_type_of(answer.body, answer.headers.get("content-type"))
        if media_type in model.INDEX_TYPES:
            return model.parse_index(answer.body, media_type)
        return model.parse_manifest(answer.body, media_type)

    def tags(self, repository: str) -> tuple[str, ...]:
        """Returns the repository's tags.

        Raises:
            RegistryNotFoundError: no such repository.
        """
        found: list[str] = []
        url = f"{self._http.base}/v2/{repository}/tags/list?n={_PAGE}"
        while url:
            answer = self._http.send(Request(method="GET", url=url, scope=repository, headers={}))
            page = Fields(fields.document(answer.body, "tag list"), "tag list").texts("tags")
            found += page
            url = _next_page(answer) if page else ""
        return tuple(found)

    def pull(
        self,
        ref: Ref | str,
        store: Store,
        *,
        platform: str = DEFAULT_PLATFORM,
        progress: Progress = silent,
    ) -> Image:
        """Brings an image into the store and returns it; of an index, the manifest for `platform`.

        Raises:
            RegistryUnreachableError: no answer, or the connection kept breaking.
            RegistryUnauthorizedError: not with these credentials.
            RegistryNotFoundError: no such image.
            PlatformMissingError: not for this platform.
            DigestMismatchError: the registry sent other bytes than promised.
            MediaTypeUnsupportedError: Lambda could not run it.
        """
        wanted = self._ref(ref)
        document = self.manifest(wanted)
        if isinstance(document, ImageIndex):
            chosen = choose(document, platform)
            wanted = Ref(registry=wanted.registry, repository=wanted.repository, digest=chosen.digest)
            document = self.manifest(wanted)
        if isinstance(document, ImageIndex):
            raise MediaTypeUnsupportedError(
                "media-type-unsupported",
                f"image {wanted} is an index within an index",
                hint="docker buildx build --provenance=false --push the image again",
            )
        _check_layers(document)
        transfer = BlobTransfer(self._http, wanted.repository, store, progress)
        with store.session():
            self._each(
                (document.config, *document.layers), lambda blob: _pull_one(transfer, blob, store, progress)
            )
            config = model.parse_config(store.read(document.config.digest))
            _check_platform(config.os, config.architecture, platform, wanted)
            store.put_image(document)
        return Image(manifest=document, config=config)

    def push(
        self,
        image: Image,
        store: Store,
        ref_repository: str,
        tags: Sequence[str] = (),
        *,
        mount_from: Mapping[str, str] = _NOWHERE,
        progress: Progress = silent,
    ) -> PushReport:
        """Brings an image into a repository under its digest and `tags`.

        Args:
            image: with every blob in `store`.
            store: where the blobs are.
            ref_repository: the repository's name, without the registry.
            tags: names to give it; one that already means this image is left alone.
            mount_from: repositories of the same registry that have blobs of it, by the blob's digest.
            progress: told about every blob.

        Raises:
            BlobMissingError: the store lacks a blob.
            RegistryUnreachableError: no answer, or the connection kept breaking.
            RegistryUnauthorizedError: not with these credentials.
            RegistryDigestError: the registry keeps it under another digest; nothing was tagged.
            TagImmutableError: a tag is another image's and must not move.
            RegistryRejectedError: the registry refuses it.
        """
        transfer = BlobTransfer(self._http, ref_repository, store, progress)
        outcomes: dict[str, str] = {}

        def push_one(blob: Descriptor) -> None:
            outcome = transfer.push(blob, mount_from=mount_from.get(blob.digest))
            outcomes[blob.digest] = outcome
            progress(BlobDone(digest=blob.digest, size_bytes=blob.size_bytes, outcome=outcome))

        blobs = {blob.digest: blob for blob in (image.manifest.config, *image.manifest.layers)}
        with store.session():
            self._each(blobs.values(), push_one)
        ManifestTransfer(self._http, ref_repository).push(image.manifest, tags)
        sent = [blobs[digest] for digest, outcome in outcomes.items() if outcome == "sent"]
        return PushReport(
            digest=image.digest,
            blobs_sent=len(sent),
            bytes_sent=sum(blob.size_bytes for blob in sent),
            blobs_skipped=sum(outcome == "present" for outcome in outcomes.values()),
            blobs_mounted=sum(outcome == "mounted" for outcome in outcomes.values()),
        )

    def _each(self, blobs: Iterable[Descriptor], work: Callable[[Descriptor], None]) -> None:
        with concurrent.futures.ThreadPoolExecutor(_PARALLEL, "registry") as pool:
            jobs = [pool.submit(work, blob) for blob in {blob.digest: blob for blob in blobs}.values()]
            try:
                for job in concurrent.futures.as_completed(jobs):
                    job.result()
            except httpx.TransportError as exc:
                raise errors.unreachable(self.registry, exc) from exc
            finally:
                # The first error ends the rest: what has not begun never begins.
                pool.shutdown(wait=True, cancel_futures=True)

    def _get(self, method: str, ref: Ref) -> Answer:
        request = Request(method=method, url=self._url(ref), scope=ref.repository, headers={"Accept": ACCEPT})
        return self._http.send(request)

    def _url(self, ref: Ref) -> str:
        return f"{self._http.base}/v2/{ref.repository}/manifests/{ref.selector}"

    def _ref(self, ref: Ref | str) -> Ref:
        if isinstance(ref, Ref):
            return ref
        prefix = "" if ref.startswith(f"{self.registry}/") else f"{self.registry}/"
        return reference.parse(prefix + ref)

    def _descriptor(self, answer: Answer) -> Descriptor:
        return Descriptor(
            media_type=model.media_type_of(answer.body, answer.headers.get("content-type")),
            digest=digests.of(answer.body),
            size_bytes=len(answer.body),
        )


def choose(index: ImageIndex, platform: str) -> Descriptor:
    """Returns the manifest of `index` for `platform`; without a variant in it any variant will do.

    Raises:
        PlatformMissingError: there is none.
    """
    named = [entry for entry in index.manifests if entry.platform is not None]
    for entry in named:
        offered = str(entry.platform)
        if offered == platform or offered.startswith(f"{platform}/"):
            return entry.descriptor
    offers = sorted({str(entry.platform) for entry in named} - {"unknown/unknown"})
    raise _platform_missing(index.digest, platform, ", ".join(offers) or "no platform at all")


def _pull_one(transfer: BlobTransfer, blob: Descriptor, store: Store, progress: Progress) -> None:
    present = store.has(blob.digest)
    if not present:
        transfer.pull(blob)
    progress(
        BlobDone(digest=blob.digest, size_bytes=blob.size_bytes, outcome="present" if present else "received")
    )


def _check_layers(manifest: ImageManifest) -> None:
    for layer in manifest.layers:
        if layer.media_type not in model.LAYER_TYPES:
            raise MediaTypeUnsupportedError(
                "media-type-unsupported",
                f"layer {layer.digest} is {layer.media_type[:100]}, expected {model.OCI_LAYER_GZIP}",
                hint="build with --output type=image,compression=gzip,force-compression=true",
            )


def _check_platform(os_name: str, architecture: str, platform: str, ref: Ref) -> None:
    actual = f"{os_name}/{architecture}"
    if actual != platform and not platform.startswith(f"{actual}/"):
        raise _platform_missing(str(ref), platform, actual)


def _platform_missing(what: str, platform: str, offers: str) -> PlatformMissingError:
    return PlatformMissingError(
        "platform-missing",
        f"image {what} is not made for {platform}, only for {offers}",
        hint=f"name another image, or build it with --platform {platform}",
    )


def _next_page(answer: Answer) -> str:
    link = answer.headers.get("link", "")
    target = link.partition("<")[2].partition(">")[0]
    return str(httpx.URL(answer.url).join(target)) if target and 'rel="next"' in link else ""
