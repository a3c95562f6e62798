"""Images of a registry: documents at once, layers into the store, so that the next verification has them.

Unlike a pull it accepts what Lambda refuses, and leaves out what the registry cannot give: both are findings.
Nothing is tagged: a name in the registry may mean another image tomorrow.
"""

import concurrent.futures
import contextlib

from understudy.image import model
from understudy.image.deferred import httpx
from understudy.image.model import Descriptor, Image, ImageIndex
from understudy.image.reference import Ref
from understudy.image.registry import RegistryClient, auth, errors, events
from understudy.image.registry.blobs import BlobTransfer
from understudy.image.registry.errors import RegistryNotFoundError
from understudy.image.registry.http import RegistryHttp
from understudy.image.store import Store
from understudy.verify.sources import documents
from understudy.verify.sources.model import ImageSource

_PARALLEL = 4


def connect(registry: str) -> RegistryHttp:
    """Returns the way to `registry`, with the credentials that ``docker login`` stored; sends nothing."""
    return RegistryHttp(registry, auth=auth.from_docker_config(registry))


def open_image(reference: str, ref: Ref, store: Store, platform: str, http: RegistryHttp) -> ImageSource:
    """Returns the image that `ref` names, with its layers in `store`.

    Raises:
        RegistryUnreachableError: no answer, or the connection kept breaking.
        RegistryUnauthorizedError: not with the stored credentials.
        RegistryNotFoundError: no such image.
        UnderstudyError: a document is damaged or of a foreign kind.
    """
    with RegistryClient(ref.registry, http=http) as client:
        document = client.manifest(ref)
        index = document if isinstance(document, ImageIndex) else None
        if isinstance(document, ImageIndex):
            chosen = documents.choose(document.manifests, platform, reference).descriptor
            document = client.manifest(
                Ref(registry=ref.registry, repository=ref.repository, digest=chosen.digest)
            )
        manifest = document if not isinstance(document, ImageIndex) else model.parse_manifest(document.raw)
        transfer = BlobTransfer(http, ref.repository, store, events.silent)
        with store.session():
            _fetch(transfer, manifest.config, store)
            _fetch_all(transfer, manifest.layers, store, ref.registry)
            store.put(manifest.raw)
        config = model.parse_config(documents.read(store, manifest.config.digest))
    return ImageSource(
        reference=reference,
        image=Image(manifest=manifest, config=config),
        index=index,
        blobs=store,
        trusted=True,
    )


def _fetch(transfer: BlobTransfer, blob: Descriptor, store: Store) -> None:
    if not store.has(blob.digest):
        transfer.pull(blob)


def _fetch_all(transfer: BlobTransfer, layers: tuple[Descriptor, ...], store: Store, registry: str) -> None:
    def one(blob: Descriptor) -> None:
        # A layer that the registry has lost, or never had (foreign layers), is a finding, not an error.
        with contextlib.suppress(RegistryNotFoundError):
            _fetch(transfer, blob, store)

    with concurrent.futures.ThreadPoolExecutor(_PARALLEL, "registry") as pool:
        jobs = [pool.submit(one, blob) for blob in {blob.digest: blob for blob in layers}.values()]
        try:
            for job in concurrent.futures.as_completed(jobs):
                job.result()
        except httpx.TransportError as exc:
            raise errors.unreachable(registry, exc) from exc
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
