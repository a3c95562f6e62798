"""Digest text: the identity of every blob, as OCI writes it.

Knows SHA-256 only: Lambda, ECR and every builder we meet use nothing else, and a second algorithm would give
one blob two names in the store.
"""

import hashlib
import re

from understudy.errors import UnderstudyError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class DigestInvalidError(UnderstudyError):
    """A text is not ``sha256:`` and 64 lower-case hexadecimal digits."""


def parse(text: str) -> str:
    """Returns `text` unchanged when it is a SHA-256 digest.

    Raises:
        DigestInvalidError: it is anything else; the text never reaches a path.
    """
    if _DIGEST.fullmatch(text) is None:
        raise DigestInvalidError(
            "digest-invalid",
            f"digest {text[:100]!r} is not sha256: and 64 lower-case hexadecimal digits",
            hint="copy the whole digest, as in sha256:9f86d081...; `understudy get images` prints them",
        )
    return text


def is_digest(text: str) -> bool:
    """Whether `parse` accepts `text`."""
    return _DIGEST.fullmatch(text) is not None


def of(data: bytes) -> str:
    """Returns the digest of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def hex_of(digest: str) -> str:
    """Returns the 64 hexadecimal digits of a valid digest: a safe file name.

    Raises:
        DigestInvalidError: `digest` is none.
    """
    return parse(digest).removeprefix("sha256:")
