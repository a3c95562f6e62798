"""Credentials of a role that is assumed with others, for a botocore session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

if TYPE_CHECKING:
    from collections.abc import Callable

    import botocore.session
    from botocore.client import BaseClient
    from botocore.credentials import Credentials

SESSION_NAME = "understudy"


class _Source(Protocol):
    def load_credentials(self) -> Credentials | None: ...


class _Assumed:
    """A source of credentials: those of a role, asked for with the first call and before they expire."""

    def __init__(self, source: _Source, role: str, create_client: Callable[..., BaseClient]) -> None:
        self._source = source
        self._role = role
        self._create_client = create_client

    def load_credentials(self) -> Credentials | None:
        """The role's credentials; None where there are none to assume it with."""
        source = self._source.load_credentials()
        if source is None:
            return None
        fetcher = AssumeRoleCredentialFetcher(
            self._create_client, source, self._role, extra_args={"RoleSessionName": SESSION_NAME}
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def assume(session: botocore.session.Session, role: str, create_client: Callable[..., BaseClient]) -> None:
    """Makes a session's clients act in a role; nothing is called yet.

    Args:
        session: the session, with credentials that may assume the role.
        role: the role's ARN.
        create_client: makes the client of STS, from its name and keys.
    """
    source = session.get_component("credential_provider")
    session.register_component("credential_provider", _Assumed(source, role, create_client))
