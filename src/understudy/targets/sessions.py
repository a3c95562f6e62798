"""Clients of a target; the SDK is loaded with the first of them, for many commands make none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.reconcile.aws import Aws


def of_account(region: str, *, profile: str | None, role: str | None, endpoint_url: str | None) -> Aws:
    """Clients of AWS, or of an endpoint in its place, with the user's own chain of credentials."""
    from understudy.reconcile.aws import Access, Aws  # noqa: PLC0415 - the module says why

    return Aws(Access(region=region, endpoint_url=endpoint_url, profile=profile, role=role))


def of_endpoint(region: str, endpoint_url: str) -> Aws:
    """Clients of an endpoint that checks no credentials, with dummy keys."""
    from understudy.reconcile.aws import Access, Aws, Credentials  # noqa: PLC0415 - as above

    return Aws(Access(region=region, endpoint_url=endpoint_url, credentials=Credentials()))
