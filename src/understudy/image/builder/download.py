"""ADD from an address: only with a checksum, because a build's inputs must be known."""

from __future__ import annotations

import hashlib
import os
import posixpath
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from understudy.image import digests
from understudy.image.builder.files import Inline
from understudy.image.deferred import httpx

if TYPE_CHECKING:
    from understudy.image.builder.state import Scope
    from understudy.image.dockerfile.model import Copy

_LIMIT_BYTES: Final = 1 << 30
_TIMEOUT_S: Final = 60.0


def is_address(source: str) -> bool:
    """Whether a source of ADD is no path."""
    return source.startswith(("http://", "https://", "git@", "git://", "ssh://"))


def download(scope: Scope, instruction: Copy, address: str) -> Inline:
    """Returns the file at `address`, checked against `--checksum`.

    Raises:
        DockerfileError: there is no checksum, it differs, or the address cannot be read.
    """
    if not address.startswith("http") or address.endswith(".git"):
        raise scope.fail(
            instruction, f"ADD from {address} is not supported", "clone it before the build and COPY it"
        )
    checksum = instruction.checksum
    if checksum is None or not digests.is_digest(checksum):
        raise scope.fail(
            instruction,
            f"ADD {address} has no checksum: the same Dockerfile could build another image tomorrow",
            "add --checksum=sha256:...",
        )
    data = _read(scope, instruction, address)
    actual = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if actual != checksum:
        raise scope.fail(
            instruction,
            f"ADD {address} has {actual}, expected {checksum}",
            f"write --checksum={actual} if you trust it",
        )
    # Docker gives downloaded files mode 0600.
    return Inline(name=posixpath.basename(urlsplit(address).path) or "index", data=data, mode=0o600)


def _read(scope: Scope, instruction: Copy, address: str) -> bytes:
    found = bytearray()
    bundle = os.environ.get("SSL_CERT_FILE")
    context = ssl.create_default_context(cafile=bundle)
    try:
        with (
            httpx.Client(verify=context, follow_redirects=True, timeout=_TIMEOUT_S) as client,
            client.stream("GET", address) as response,
        ):
            response.raise_for_status()
            for piece in response.iter_bytes():
                found += piece
                if len(found) > _LIMIT_BYTES:
                    raise scope.fail(
                        instruction, f"ADD {address} is larger than 1 GiB", "download it in a RUN"
                    )
    except httpx.HTTPError as exc:
        raise scope.fail(instruction, f"ADD {address} failed: {exc}", f"try curl -fL {address}") from exc
    return bytes(found)
