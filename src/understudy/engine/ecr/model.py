"""The words of ECR: registries, repositories, images and the addresses that name them.

Pure records and text; `tables` knows their rows, `repositories` what may happen to them.
"""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from understudy.engine.protocol import DEFAULT_ACCOUNT_ID, DEFAULT_REGION, ApiError
from understudy.image import digests
from understudy.image.model import Image

LOCAL_DOMAIN = "localhost.localstack.cloud"
DEFAULT_PORT = 4566

TagMutability = Literal["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"]

_NAME_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY_NAME = re.compile(rf"{_NAME_PART}(\/{_NAME_PART})*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_ECR_HOST = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr\.(?P<region>[a-z0-9-]+)\."
    r"(?:amazonaws\.com(?:\.cn)?|localhost\.localstack\.cloud|localhost)(?::[0-9]{1,5})?"
)
_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]|localhost\.localstack\.cloud)(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """One account's registry in one region: repositories of two registries never see each other."""

    account_id: str = DEFAULT_ACCOUNT_ID
    region: str = DEFAULT_REGION

    def repository_arn(self, name: str) -> str:
        """Returns the ARN that AWS would give repository `name`."""
        return f"arn:aws:ecr:{self.region}:{self.account_id}:repository/{name}"

    def host(self, port: int = DEFAULT_PORT) -> str:
        """Returns the host, with port, that `docker push` reaches this registry at."""
        return f"{self.account_id}.dkr.ecr.{self.region}.{LOCAL_DOMAIN}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionFilter:
    """Tags to which a repository's mutability does not apply; ``*`` matches any run of characters."""

    pattern: str

    def matches(self, tag: str) -> bool:
        """Whether `tag` is excluded."""
        return wildcard_matches(self.pattern, tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository and everything that its owner set on it.

    Attributes:
        key: the row it is recorded under, zero until it is recorded.
        created_at: seconds since the epoch, as every time in this module.
        lifecycle_policy: the text as it was put, or None.
        lifecycle_evaluated_at: when the policy last ran.
    """

    registry: Registry
    name: str
    created_at: float
    key: int = 0
    mutability: TagMutability = "MUTABLE"
    exclusions: tuple[ExclusionFilter, ...] = ()
    scan_on_push: bool = False
    encryption: Mapping[str, str] = field(default_factory=lambda: {"encryptionType": "AES256"})
    policy: str | None = None
    lifecycle_policy: str | None = None
    lifecycle_evaluated_at: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The repository's ARN."""
        return self.registry.repository_arn(self.name)

    def is_immutable(self, tag: str) -> bool:
        """Whether `tag`, once pushed, must keep pointing to the same image."""
        excluded = any(each.matches(tag) for each in self.exclusions)
        return self.mutability.startswith("IMMUTABLE") != excluded


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One manifest in one repository, as the API lists it; its bytes are in the store.

    Attributes:
        size_bytes: config and layers as stored, compressed; for an index the sum over its images.
        children: digests of the manifests that an index references.
        subject: digest of the manifest that this one is attached to (OCI 1.1 referrers).
    """

    digest: str
    media_type: str
    size_bytes: int
    pushed_at: float
    pulled_at: float | None = None
    artifact_type: str | None = None
    subject: str | None = None
    children: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUri:
    """An image address as Lambda's ``ImageUri`` or ``docker push`` write it.

    Attributes:
        host: the registry part as written, so that an answer can echo it.
    """

    host: str
    registry: Registry
    repository: str
    tag: str | None = None
    digest: str | None = None

    def pinned(self, digest: str) -> str:
        """Returns the same address, by `digest` in place of the tag."""
        return f"{self.host}/{self.repository}@{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EcrImage:
    """An image that a function may be made from.

    Attributes:
        digest: of the image manifest.
        repository: the repository's name.
        resolved_uri: the address it was asked by, with the digest in place of the tag.
        policy: who else may use the repository, as it was put; None when nobody was asked.
    """

    digest: str
    repository: str
    image: Image
    registry: Registry = field(default_factory=Registry)
    resolved_uri: str = ""
    policy: str | None = None


class ImageUriError(ApiError):
    """An image address that no function can be made from; the text is Lambda's."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            "InvalidParameterValueException",
            f"Source image {uri} is not valid. Provide a valid source image.",
            fields={"Type": "User"},
        )


class ImageNotFoundError(ApiError):
    """A well-formed image address that names nothing in this engine; the text is Lambda's."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            "InvalidParameterValueException",
            f"Source image {uri} does not exist. Provide a valid source image.",
            fields={"Type": "User"},
        )


class ImageMediaTypeError(ApiError):
    """An image of a kind that Lambda refuses, an index above all; the text is Lambda's."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            "InvalidParameterValueException",
            f"The image manifest, config or layer media type for the source image {uri} is not supported.",
            fields={"Type": "User"},
        )


def registry_of_host(host: str, *, default: Registry | None = None) -> Registry | None:
    """Returns the registry that a Host header addresses; loopback names mean `default`, others None."""
    match = _ECR_HOST.fullmatch(host.lower())
    if match:
        return Registry(account_id=match["account"], region=match["region"])
    if _LOOPBACK.fullmatch(host.lower()):
        return default or Registry()
    return None


def parse_image_uri(text: str, *, default: Registry | None = None) -> ImageUri | None:
    """Returns the parts of an image address of this engine, or None for anything else.

    Args:
        text: host, repository, and a tag or digest or neither.
        default: the registry that loopback names stand for.
    """
    host, _, rest = text.partition("/")
    registry = registry_of_host(host, default=default)
    if registry is None:
        return None
    name, _, digest = rest.partition("@")
    name, _, tag = name.partition(":")
    well_formed = (
        REPOSITORY_NAME.fullmatch(name) is not None
        and (not digest or digests.is_digest(digest))
        and (not tag or TAG.fullmatch(tag) is not None)
        and "" not in (rest.split("@")[-1], rest.split(":")[-1])
    )
    if not well_formed:
        return None
    return ImageUri(host=host, registry=registry, repository=name, tag=tag or None, digest=digest or None)


def parse_repository_arn(arn: str) -> tuple[Registry, str] | None:
    """Returns registry and repository name of a repository's ARN, or None when it is none."""
    match = re.fullmatch(r"arn:aws[a-z-]*:ecr:([a-z0-9-]+):([0-9]{12}):repository/(.+)", arn)
    if match is None:
        return None
    return Registry(region=match[1], account_id=match[2]), match[3]


def wildcard_matches(pattern: str, tag: str) -> bool:
    """Whether `tag` matches a pattern in which only ``*`` is special, as ECR's filters have it."""
    return fnmatch.fnmatchcase(tag, pattern.replace("[", "[[]").replace("?", "[?]"))
