"""Downloads packages in parallel and checks each against its hash."""

from __future__ import annotations

import concurrent.futures
import ssl
from typing import TYPE_CHECKING, Final

from understudy.errors import EnvironmentProblemError
from understudy.image import digests
from understudy.image.deferred import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from understudy.image.base.lock import Lock, Package

_THREADS: Final = 8
_READ_S: Final = 30.0
_CONNECT_S: Final = 10.0


class PackageGoneError(EnvironmentProblemError):
    """No mirror has a package any more."""


def read(address: str) -> bytes:
    """Returns the content at `address`.

    Raises:
        httpx.HTTPError: it cannot be read.
    """
    with _client() as client:
        return _get(client, address)


def packages(lock: Lock, wanted: Sequence[Package]) -> Iterator[tuple[Package, bytes]]:
    """Yields each package with its content, in the order of `wanted`.

    Raises:
        PackageGoneError: one is on no mirror, or has another hash there.
    """
    with _client() as client, concurrent.futures.ThreadPoolExecutor(_THREADS, "fetch") as pool:
        jobs = [pool.submit(_package, client, lock, package) for package in wanted]
        try:
            for package, job in zip(wanted, jobs, strict=True):
                yield package, job.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _client() -> httpx.Client:
    # The default context reads SSL_CERT_FILE, which names a company's certificates.
    return httpx.Client(
        verify=ssl.create_default_context(),
        timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
        follow_redirects=True,
        transport=None,
        limits=httpx.Limits(max_connections=_THREADS),
    )


def _get(client: httpx.Client, address: str) -> bytes:
    response = client.get(address)
    response.raise_for_status()
    return response.content


def _package(client: httpx.Client, lock: Lock, package: Package) -> bytes:
    reasons = []
    for address in lock.addresses(package):
        try:
            data = _get(client, address)
        except httpx.HTTPError as exc:
            reasons.append(f"{address}: {exc}")
            continue
        if digests.of(data) == f"sha256:{package.sha256}":
            return data
        reasons.append(f"{address}: it has {digests.of(data)}")
    raise PackageGoneError(
        "base-package-missing",
        f"Debian package {package.name} {package.version} cannot be had: {'; '.join(reasons)}",
        hint=f"check the connection with curl -I {lock.addresses(package)[0]}",
        retryable=True,
    )
