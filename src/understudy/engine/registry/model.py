"""The registry protocol's words: routes, ranges, error codes. Pure; HTTP itself is `wire`.

OCI Distribution Specification 1.1, https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from understudy.engine.protocol import ApiError
from understudy.image import digests

EMPTY_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"

Resource = Literal["ping", "catalog", "tags", "manifest", "blob", "uploads", "upload", "referrers"]

_ROUTES: tuple[tuple[Resource, re.Pattern[str]], ...] = (
    ("ping", re.compile(r"/v2/?")),
    ("catalog", re.compile(r"/v2/_catalog")),
    ("tags", re.compile(r"/v2/(?P<name>.+)/tags/list")),
    ("uploads", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?")),
    ("upload", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<reference>[^/]+)")),
    ("blob", re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]+)")),
    ("manifest", re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")),
    ("referrers", re.compile(r"/v2/(?P<name>.+)/referrers/(?P<reference>[^/]+)")),
)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CONTENT_RANGE = re.compile(r"(?:bytes )?(\d+)-(\d+)(?:/(?:\d+|\*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a path under ``/v2/`` addresses; `reference` is a tag, a digest or an upload id."""

    resource: Resource
    name: str = ""
    reference: str = ""


class RegistryError(Exception):
    """A refusal in the specification's form: one of its codes, with a status and a text."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """Returns the JSON that the specification asks for."""
        return json.dumps({"errors": [{"code": self.code, "message": self.message}]}).encode()


_API_ERRORS: Mapping[str, tuple[int, str]] = {
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "LayersNotFoundException": (400, "MANIFEST_BLOB_UNKNOWN"),
    "ReferencedImagesNotFoundException": (400, "MANIFEST_BLOB_UNKNOWN"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
    "UnsupportedImageTypeException": (400, "MANIFEST_INVALID"),
    "InvalidParameterException": (400, "MANIFEST_INVALID"),
}


def from_api_error(error: ApiError) -> RegistryError:
    """Returns an API refusal as the registry says it: the same text under the specification's code."""
    status, code = _API_ERRORS.get(error.code, (400, "DENIED"))
    return RegistryError(status, code, error.message)


def route(path: str) -> Route | None:
    """Returns what `path` addresses, or None when it is no path of the registry protocol."""
    for resource, pattern in _ROUTES:
        match = pattern.fullmatch(path)
        if match:
            parts = match.groupdict()
            return Route(
                resource=resource, name=parts.get("name") or "", reference=parts.get("reference") or ""
            )
    return None


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Returns first byte and length that a Range header asks for; None means all of it.

    Several ranges, and units other than bytes, are answered in full, as RFC 9110 section 14.2 allows.

    Raises:
        RegistryError: 416, the range starts behind the end.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if first == "":
        length = min(int(last), size)
        start = size - length
    else:
        start = int(first)
        length = min(int(last) + 1 if last else size, size) - start
    if length <= 0 or start >= size:
        raise RegistryError(
            416,
            "SIZE_INVALID",
            f"range {header} is outside the blob",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, length


def parse_content_range(header: str | None) -> int | None:
    """Returns the first byte of an upload's Content-Range (``0-1023``, without unit), or None without one.

    Raises:
        RegistryError: 416, the header is malformed or runs backwards.
    """
    if header is None:
        return None
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None or int(match[2]) < int(match[1]):
        raise RegistryError(416, "BLOB_UPLOAD_INVALID", f"content range {header!r} is malformed")
    return int(match[1])


def upload_range(offset: int) -> str:
    """Returns the Range header that reports `offset` bytes received; it cannot say zero but as ``0-0``."""
    return f"0-{max(offset - 1, 0)}"


def parse_digest(text: str) -> str:
    """Returns `text` when it is a SHA-256 digest.

    Raises:
        RegistryError: 400 DIGEST_INVALID.
    """
    if not digests.is_digest(text):
        raise RegistryError(400, "DIGEST_INVALID", f"digest {text[:100]!r} is not sha256:<64 hex digits>")
    return text


def accepts(accept: str | None, media_type: str) -> bool:
    """Whether a client that sent `accept` takes `media_type`; no header takes everything."""
    if not accept:
        return True
    names = [each.split(";")[0].strip() for each in accept.split(",")]
    return any(name in ("*/*", "application/*", media_type) for name in names)


def basic_password(authorization: str | None) -> str | None:
    """Returns the password of a Basic header whose user is AWS; None without a header.

    Raises:
        RegistryError: 401, another scheme or user, or no base64.
    """
    if not authorization:
        return None
    scheme, _, value = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, password = "", ""
    if scheme.lower() != "basic" or user != "AWS" or not password:
        raise RegistryError(
            401,
            "UNAUTHORIZED",
            "log in as user AWS with the password from `aws ecr get-login-password`, or send no credentials",
            headers={"WWW-Authenticate": 'Basic realm="understudy",service="ecr"'},
        )
    return password
