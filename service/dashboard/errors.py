"""What can go wrong, as types: one per thing that a client can handle differently.

The types carry the HTTP status and a stable machine-readable `code`, so that rendering
(`dashboard.problems`) is one function and no layer between has to know HTTP.
"""

from collections.abc import Mapping
from typing import ClassVar


class DashboardError(Exception):
    """The root of every error that the service answers with on purpose.

    Attributes:
        status: HTTP status of the answer.
        code: stable identifier of the kind of problem.
        detail: what happened, for a human; never holds another tenant's data.
        extensions: further members of the problem document (RFC 9457, section 3.2).
        headers: response headers that belong to this answer.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(
        self,
        detail: str,
        *,
        extensions: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extensions = dict(extensions or {})
        self.headers = dict(headers or {})


class InvalidCursorError(DashboardError):
    """The cursor is none that a list answer gave out."""

    status = 400
    code = "invalid-cursor"


class UnauthenticatedError(DashboardError):
    """The request does not say whose data it is about."""

    status = 401
    code = "unauthenticated"


class ConfigurationNotFoundError(DashboardError):
    """This user has no configuration of that id (another user may)."""

    status = 404
    code = "configuration-not-found"


class ActiveLimitError(DashboardError):
    """The user already has as many active configurations as one may have."""

    status = 409
    code = "active-limit"


class VersionMismatchError(DashboardError):
    """The `If-Match` precondition does not hold for the stored version."""

    status = 412
    code = "version-mismatch"


class UnknownTickersError(DashboardError):
    """A configuration names tickers that the ticker cache does not know."""

    status = 422
    code = "unknown-tickers"


class UnavailableError(DashboardError):
    """Something the service depends on does not answer; trying again later may help."""

    status = 503
    code = "unavailable"

    def __init__(self, detail: str, *, extensions: Mapping[str, object] | None = None) -> None:
        super().__init__(detail, extensions=extensions, headers={"Retry-After": "1"})


class TableUnavailableError(UnavailableError):
    """DynamoDB failed, throttled or did not answer in time."""

    code = "table-unavailable"


class TickersUnavailableError(UnavailableError):
    """No ticker list has been loaded yet and S3 does not deliver one."""

    code = "tickers-unavailable"


class ContentionError(UnavailableError):
    """Concurrent writes of the same user kept winning until the attempts ran out."""

    code = "contention"


class NotConfiguredError(UnavailableError):
    """The deployment lacks a setting that this request needs."""

    code = "not-configured"


class NotReadyError(UnavailableError):
    """At least one readiness check failed."""

    code = "not-ready"
