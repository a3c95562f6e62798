"""What registries answer when they do not do what was asked, one class per thing a caller can do about it."""

import json
from collections.abc import Mapping

from understudy.errors import EnvironmentProblemError, UnderstudyError

_TEXT_LIMIT = 300


class RegistryUnreachableError(EnvironmentProblemError):
    """No connection to the registry's host, or the connection kept breaking."""


class RegistryUnauthorizedError(EnvironmentProblemError):
    """The registry wants other credentials, or none are known."""


class RegistryNotFoundError(UnderstudyError):
    """The registry has no such repository, tag, digest or upload."""


class RegistryRejectedError(UnderstudyError):
    """The registry refused a request for a reason of its own.

    Attributes:
        status: the HTTP status.
        reason: the registry's error code, such as ``TAG_INVALID``.
    """

    def __init__(self, message: str, *, status: int, reason: str, where: str) -> None:
        super().__init__(
            "registry-rejected",
            message,
            hint="./understudy doctor",
            where=where,
            retryable=status in RETRYABLE_STATUS,
        )
        self.status = status
        self.reason = reason


class RegistryDigestError(UnderstudyError):
    """The registry says that it keeps other bytes than were sent."""


RETRYABLE_STATUS = frozenset({408, 429, 500, 502, 503, 504})


def unreachable(host: str, exc: Exception) -> RegistryUnreachableError:
    """Returns the error for a host that does not answer."""
    return RegistryUnreachableError(
        "registry-unreachable",
        f"registry {host} does not answer: {str(exc) or type(exc).__name__}",
        hint=f"curl -sS https://{host}/v2/ and set HTTPS_PROXY where the network needs a proxy",
        where=host,
        retryable=True,
    )


def unauthorized(host: str, url: str, *, known: bool) -> RegistryUnauthorizedError:
    """Returns the error for credentials that are missing (not `known`) or wrong."""
    fault = "refused the credentials" if known else "wants credentials and none are stored"
    return RegistryUnauthorizedError(
        "registry-unauthorized",
        f"registry {host} {fault}",
        hint=_login(host),
        where=url,
    )


def check_digest(headers: Mapping[str, str], digest: str, *, what: str, where: str, tag: str = "") -> None:
    """Returns when an answer to an upload names no other digest than the one that was sent.

    Args:
        headers: the answer's.
        digest: of what was sent.
        what: kind of what was sent, `blob` or `manifest`.
        where: its URL.
        tag: the tag that it was sent under; empty while no tag can name it.

    Raises:
        RegistryDigestError: it does.
    """
    found = headers.get("docker-content-digest", digest)
    if found != digest:
        outcome = f"tag {tag} may name that" if tag else "nothing was tagged"
        raise RegistryDigestError(
            "registry-digest",
            f"the registry answered {what} {digest} with digest {found[:_TEXT_LIMIT]}; {outcome}",
            hint="push to another registry: one that changes what it is given cannot hold a proven image",
            where=where,
        )


def refused(status: int, body: bytes, *, host: str, url: str) -> UnderstudyError:
    """Returns the error that an answer other than success stands for."""
    reason, text = _first(body)
    if status == 404:
        return RegistryNotFoundError(
            "registry-not-found",
            f"registry {host} has no such image or repository ({reason or status})",
            hint="check the name with: skopeo list-tags docker://REGISTRY/REPOSITORY",
            where=url,
        )
    if status == 403:
        return RegistryUnauthorizedError(
            "registry-forbidden",
            f"registry {host} forbids this to the stored credentials: {text or reason or status}",
            hint=_login(host),
            where=url,
        )
    message = f"registry {host} answered {status} {reason}: {text}".strip(": ")
    return RegistryRejectedError(message, status=status, reason=reason, where=url)


def _login(host: str) -> str:
    if ".ecr." in host:
        return f"aws ecr get-login-password | docker login --username AWS --password-stdin {host}"
    return f"docker login {host}"


def _first(body: bytes) -> tuple[str, str]:
    try:
        document = json.loads(body)
    except ValueError:
        return "", body[:_TEXT_LIMIT].decode("utf-8", "replace").strip()
    problems = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(problems, list) or not problems or not isinstance(problems[0], Mapping):
        return "", ""
    first = problems[0]
    return str(first.get("code") or "")[:_TEXT_LIMIT], str(first.get("message") or "")[:_TEXT_LIMIT]
