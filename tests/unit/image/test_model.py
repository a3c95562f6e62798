import json
from typing import Any

import pytest

from understudy.image import model, render
from understudy.image.fields import DocumentInvalidError
from understudy.image.model import Descriptor, Healthcheck, HistoryEntry, ImageConfig, Platform

D = "sha256:" + "a" * 64
CONFIG = {"mediaType": model.OCI_CONFIG, "digest": D, "size": 2}
LAYER = {"mediaType": model.OCI_LAYER_GZIP, "digest": D, "size": 3}


def manifest(**changes: Any) -> bytes:
    document = {"schemaVersion": 2, "mediaType": model.OCI_MANIFEST, "config": CONFIG, "layers": [LAYER]}
    return json.dumps(
        {key: value for key, value in (document | changes).items() if value is not None}
    ).encode()


def test_manifest_keeps_the_bytes_it_came_in() -> None:
    raw = b" " + manifest() + b"\n"
    parsed = model.parse_manifest(raw)
    assert parsed.raw == raw
    assert parsed.digest != model.parse_manifest(manifest()).digest
    assert parsed.layers == (Descriptor(media_type=model.OCI_LAYER_GZIP, digest=D, size_bytes=3),)


@pytest.mark.parametrize(
    ("raw", "header", "expected"),
    [
        (manifest(), None, model.OCI_MANIFEST),
        (manifest(mediaType=None), None, model.OCI_MANIFEST),
        (manifest(mediaType=None), model.DOCKER_MANIFEST + "; charset=utf-8", model.DOCKER_MANIFEST),
        (manifest(), "application/octet-stream", model.OCI_MANIFEST),
        (b'{"manifests": []}', None, model.OCI_INDEX),
    ],
)
def test_media_type_comes_from_the_document_then_the_header(
    raw: bytes, header: str | None, expected: str
) -> None:
    assert model.media_type_of(raw, header) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        manifest(config=None),
        manifest(layers={}),
        manifest(layers=[1]),
        manifest(config=CONFIG | {"size": -1}),
        manifest(config=CONFIG | {"size": True}),
        manifest(config=CONFIG | {"mediaType": 5}),
        b"{" + b" " * (4 << 20) + b"}",
    ],
)
def test_broken_manifest_is_named(raw: bytes) -> None:
    with pytest.raises(DocumentInvalidError) as caught:
        model.parse_manifest(raw)
    assert caught.value.code == "image-document-invalid"


def test_document_that_contradicts_its_header_is_refused() -> None:
    with pytest.raises(DocumentInvalidError, match="calls itself"):
        model.parse_manifest(manifest(), model.DOCKER_MANIFEST)


@pytest.mark.parametrize(
    ("raw", "hint"),
    [
        (b'{"schemaVersion": 2, "manifests": []}', "--provenance=false"),
        (b'{"schemaVersion": 1, "fsLayers": []}', "schema 2"),
        (manifest(mediaType="application/vnd.oci.artifact.manifest.v1+json"), "push the image again"),
    ],
)
def test_document_that_is_no_image_says_what_to_do(raw: bytes, hint: str) -> None:
    with pytest.raises(model.MediaTypeUnsupportedError) as caught:
        model.parse_manifest(raw)
    assert hint in caught.value.hint


def test_index_keeps_platforms_and_attestations_apart() -> None:
    entries = [
        CONFIG | {"platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        CONFIG | {"platform": {"os": "unknown", "architecture": "unknown"}},
        CONFIG,
    ]
    index = model.parse_index(json.dumps({"manifests": entries}).encode(), model.DOCKER_LIST)
    assert [entry.platform for entry in index.manifests] == [
        Platform(os="linux", architecture="arm64", variant="v8"),
        Platform(os="unknown", architecture="unknown"),
        None,
    ]
    assert str(index.manifests[0].platform) == "linux/arm64/v8"
    with pytest.raises(model.MediaTypeUnsupportedError):
        model.parse_index(manifest())


def test_config_is_read_whole_and_written_back_equal() -> None:
    config = ImageConfig(
        architecture="arm64",
        os="linux",
        variant="v8",
        env=(("PATH", "/bin"), ("EMPTY", ""), ("A", "b=c")),
        entrypoint=("/lambda-entrypoint.sh",),
        cmd=("handler.lambda_handler",),
        working_dir="/var/task",
        user="993:990",
        labels={"b": "2", "a": "1"},
        exposed_ports=("8080/tcp",),
        volumes=("/data",),
        stop_signal="SIGTERM",
        healthcheck=Healthcheck(test=("CMD", "true"), interval_ns=5, retries=2),
        shell=("/bin/bash", "-c"),
        on_build=("RUN true",),
        diff_ids=(D,),
        history=(HistoryEntry(created="1970-01-01T00:00:00Z", created_by="RUN x", empty_layer=True),),
        created="1970-01-01T00:00:00Z",
    )
    written = render.image_config(config)
    assert model.parse_config(written.raw) == written
    assert written.digest == render.image_config(config).digest


def test_config_with_nulls_as_docker_writes_them() -> None:
    run = {"Env": None, "Cmd": None, "Labels": None}
    document = {"architecture": "amd64", "os": "linux", "config": run, "rootfs": {"diff_ids": None}}
    raw = json.dumps(document).encode()
    config = model.parse_config(raw)
    assert (config.env, config.cmd, dict(config.labels), config.diff_ids) == ((), (), {}, ())


@pytest.mark.parametrize(
    "raw", [b"{}", b'{"architecture":"amd64","os":"linux"}', b'{"architecture":"","os":"x","rootfs":{}}']
)
def test_broken_config_is_named(raw: bytes) -> None:
    with pytest.raises(DocumentInvalidError):
        model.parse_config(raw)


def test_size_is_config_and_layers() -> None:
    parsed = model.parse_manifest(manifest(layers=[LAYER, LAYER]))
    config = ImageConfig(architecture="amd64", os="linux")
    assert model.Image(manifest=parsed, config=config).size_bytes == 8
    assert model.Image(manifest=parsed, config=config).digest == parsed.digest
