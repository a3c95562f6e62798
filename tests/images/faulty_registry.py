"""What a registry would hold: indexes, compressions, digests, sizes: row A16."""

import gzip
import json
from typing import Any

from tests.images.case import BASE, Case, rules
from understudy.image.model import Image
from understudy.image.store import Store
from understudy.verify.subject import LaunchOverrides

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_BLOCK_BYTES = 1 << 17


def _document(store: Store, digest: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(store.read(digest))
    return document


def _put(store: Store, document: dict[str, Any]) -> dict[str, Any]:
    """Stores a document; returns its descriptor without a type."""
    raw = json.dumps(document).encode()
    return {"digest": store.put(raw), "size": len(raw)}


def _with_attestation(store: Store, image: Image) -> str:
    """What BuildKit makes of one image: an index with the image and its provenance."""
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v0.2",
    }
    unknown = {"architecture": "unknown", "os": "unknown"}
    config = {**unknown, "rootfs": {"type": "layers", "diff_ids": []}, "config": {}}
    provenance = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **_put(store, config)},
        "layers": [{"mediaType": "application/vnd.in-toto+json", **_put(store, statement)}],
    }
    size = len(store.read(image.digest))
    manifests = [
        {"digest": image.digest, "size": size, "platform": {"architecture": "amd64", "os": "linux"}},
        {
            **_put(store, provenance),
            "platform": unknown,
            "annotations": {
                "vnd.docker.reference.digest": image.digest,
                "vnd.docker.reference.type": "attestation-manifest",
            },
        },
    ]
    entries = [{"mediaType": _MANIFEST, **one} for one in manifests]
    return str(_put(store, {"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries})["digest"])


def _zstd(data: bytes) -> bytes:
    """A zstd frame of blocks that are stored as they are, which every zstd decompressor reads."""
    frame = bytes.fromhex("28b52ffda0") + len(data).to_bytes(4, "little")
    for start in range(0, len(data), _BLOCK_BYTES):
        block = data[start : start + _BLOCK_BYTES]
        last = start + _BLOCK_BYTES >= len(data)
        frame += (len(block) << 3 | last).to_bytes(3, "little") + block
    return frame


def _with_zstd(store: Store, image: Image) -> str:
    document = _document(store, image.digest)
    layer = document["layers"][-1]
    raw = store.read(layer["digest"])
    plain = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    packed = _zstd(plain)
    document["layers"][-1] = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+zstd",
        "digest": store.put(packed),
        "size": len(packed),
    }
    return str(_put(store, document)["digest"])


def _with_wrong_diff_id(store: Store, image: Image) -> str:
    document = _document(store, image.digest)
    config = _document(store, document["config"]["digest"])
    config["rootfs"]["diff_ids"][-1] = "sha256:" + "0" * 64
    document["config"] = {**document["config"], **_put(store, config)}
    return str(_put(store, document)["digest"])


CASES = (
    Case(
        name="index-with-attestation",
        row="A16",
        prepare=_with_attestation,
        static=rules("image-index"),
        aws_text="The image manifest, config or layer media type for the source image",
        fix="--provenance=false",
    ),
    Case(
        name="layer-in-zstd",
        row="A16",
        prepare=_with_zstd,
        static=rules("layer-compression-unconfirmed", "layer-unreadable"),
        aws_text="UnsupportedImageLayerDetected",
        fix="compression=gzip",
        skipped="tar+zstd",
    ),
    Case(
        name="layer-of-another-diff-id",
        row="A16",
        prepare=_with_wrong_diff_id,
        static=rules("diff-id-mismatch"),
        aws_text="UnsupportedImageLayerDetected",
        fix="build the image again",
        skipped="cannot be unpacked",
        passed=True,
    ),
    Case(
        name="image-over-budget",
        row="A16",
        launch=LaunchOverrides(size_budget_bytes=1_000_000),
        static=rules("image-over-budget"),
        fix="",
        passed=True,
    ),
    Case(
        name="image-without-python",
        row="A6",
        dockerfile=f'FROM {BASE} AS base\nFROM scratch\nCOPY app.py /\nCMD ["app.handler"]\n',
        static=rules("entrypoint-missing"),
        boot=rules("boot-entrypoint"),
        aws_text="Runtime.InvalidEntrypoint",
        fix="ENTRYPOINT",
    ),
)
