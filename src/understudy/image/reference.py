"""Image references as Docker writes them: ``[registry/]repository[:tag][@digest]``.

Refuses to guess beyond Docker's own rules (distribution/reference, ``normalize.go``): a first component
without dot, colon or ``localhost`` is a Docker Hub namespace, a lone name lives in ``library/``.
"""

import re
from dataclasses import dataclass

from understudy.errors import UnderstudyError
from understudy.image import digests

_HUB = "docker.io"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NAME_LIMIT = 255


class ReferenceInvalidError(UnderstudyError):
    """A text is no image reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A parsed reference; neither tag nor digest means that none was written."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def selector(self) -> str:
        """What a registry is asked for: the digest, else the tag, else ``latest``."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse(text: str) -> Ref:
    """Returns the reference that `text` names, with Docker's defaults filled in.

    Raises:
        ReferenceInvalidError: `text` breaks the grammar.
        DigestInvalidError: the part after ``@`` is no SHA-256 digest.
    """
    rest, at, digest = text.partition("@")
    if at:
        digests.parse(digest)
    rest, tag = _split_tag(rest)
    registry, repository = _split_registry(rest)
    if tag is not None and _TAG.fullmatch(tag) is None:
        raise _invalid(text, f"tag {tag!r} is not 1 to 128 letters, digits, '_', '.' or '-'")
    if _REGISTRY.fullmatch(registry) is None:
        raise _invalid(text, f"registry {registry!r} is no host name")
    if _REPOSITORY.fullmatch(repository) is None:
        raise _invalid(
            text, f"repository {repository!r} is not lower-case words joined by '/', '.', '_', '-'"
        )
    if len(registry) + 1 + len(repository) > _NAME_LIMIT:
        raise _invalid(text, f"name is longer than {_NAME_LIMIT} characters")
    return Ref(registry=registry, repository=repository, tag=tag, digest=digest or None)


def _split_tag(text: str) -> tuple[str, str | None]:
    head, colon, tail = text.rpartition(":")
    if not colon or "/" in tail:
        return text, None
    return head, tail


def _split_registry(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_registry = "." in first or ":" in first or first == "localhost" or first != first.lower()
    if not slash or not is_registry:
        return _HUB, text if slash else f"library/{text}"
    if first == "index.docker.io":
        first = _HUB
    if first == _HUB and "/" not in rest:
        rest = f"library/{rest}"
    return first, rest


def _invalid(text: str, reason: str) -> ReferenceInvalidError:
    return ReferenceInvalidError(
        "reference-invalid",
        f"image reference {text[:300]!r} is invalid: {reason}",
        hint="write it as registry/repository:tag, for example public.ecr.aws/lambda/python:3.13",
    )
