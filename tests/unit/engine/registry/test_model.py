"""Routes, ranges and refusals of the registry protocol."""

import base64
import json

import pytest

from understudy.engine.ecr import Registry, Repository, errors
from understudy.engine.protocol import ApiError
from understudy.engine.registry import model
from understudy.engine.registry.model import RegistryError

APP = Repository(registry=Registry(), name="app", created_at=0)
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("path", "resource", "name", "reference"),
    [
        ("/v2", "ping", "", ""),
        ("/v2/", "ping", "", ""),
        ("/v2/_catalog", "catalog", "", ""),
        ("/v2/a/b/tags/list", "tags", "a/b", ""),
        ("/v2/a/manifests/v1", "manifest", "a", "v1"),
        ("/v2/a/blobs/uploads/", "uploads", "a", ""),
        ("/v2/a/blobs/uploads", "uploads", "a", ""),
        ("/v2/a/blobs/uploads/123", "upload", "a", "123"),
        (f"/v2/a/blobs/{DIGEST}", "blob", "a", DIGEST),
        (f"/v2/a/referrers/{DIGEST}", "referrers", "a", DIGEST),
        ("/v2/blobs/uploads/tags/list", "tags", "blobs/uploads", ""),
    ],
)
def test_routes(path: str, resource: str, name: str, reference: str) -> None:
    found = model.route(path)
    assert found is not None
    assert (found.resource, found.name, found.reference) == (resource, name, reference)


@pytest.mark.parametrize(
    "path",
    ["/v2/apis", "/v2/apis/abc/routes", "/v2/tags/arn%3Aaws", "/v1/_catalog", "/v2x", "/v2/domainnames", "/"],
)
def test_leaves_other_paths_alone(path: str) -> None:
    assert model.route(path) is None


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 10)),
        ("bytes=-10", (90, 10)),
        ("bytes=-1000", (0, 100)),
        ("bytes=50-1000", (50, 50)),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=-", None),
    ],
)
def test_ranges(header: str | None, span: tuple[int, int] | None) -> None:
    assert model.parse_range(header, 100) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=200-300", "bytes=9-5", "bytes=-0"])
def test_unsatisfiable_range_is_416(header: str) -> None:
    with pytest.raises(RegistryError) as caught:
        model.parse_range(header, 100)
    assert (caught.value.status, caught.value.headers) == (416, {"Content-Range": "bytes */100"})


def test_content_range_of_an_upload() -> None:
    assert model.parse_content_range(None) is None
    assert model.parse_content_range("10-19") == 10
    assert model.parse_content_range("bytes 10-19/20") == 10
    for wrong in ("x", "5-1", "-5"):
        with pytest.raises(RegistryError, match="malformed"):
            model.parse_content_range(wrong)


def test_progress_of_an_empty_upload_reads_as_the_specification_has_it() -> None:
    assert [model.upload_range(offset) for offset in (0, 1, 10)] == ["0-0", "0-0", "0-9"]


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        (None, True),
        ("*/*", True),
        ("a/b", True),
        ("x/y, a/b;q=0.5", True),
        ("application/*", True),
        ("x/y", False),
    ],
)
def test_accept(accept: str | None, *, taken: bool) -> None:
    assert model.accepts(accept, "a/b") is taken


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_login_is_optional_but_must_be_ecrs() -> None:
    assert model.basic_password(None) is None
    assert model.basic_password(basic("AWS:token:with:colons")) == "token:with:colons"
    for wrong in (basic("root:x"), basic("AWS:"), "Bearer x", "Basic ???", "Basic /w=="):
        with pytest.raises(RegistryError) as caught:
            model.basic_password(wrong)
        assert (caught.value.status, caught.value.code) == (401, "UNAUTHORIZED")
        assert caught.value.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.repository_not_found("app", "0"), 404, "NAME_UNKNOWN"),
        (errors.tag_immutable(APP, "v1"), 400, "TAG_INVALID"),
        (errors.layers_not_found(APP, []), 400, "MANIFEST_BLOB_UNKNOWN"),
        (errors.image_not_found(APP, digest=None, tag="x"), 404, "MANIFEST_UNKNOWN"),
        (ApiError("Other", "text"), 400, "DENIED"),
    ],
)
def test_api_refusals_keep_their_text(error: ApiError, status: int, code: str) -> None:
    refusal = model.from_api_error(error)
    assert (refusal.status, refusal.code) == (status, code)
    assert json.loads(refusal.body()) == {"errors": [{"code": code, "message": error.message}]}
