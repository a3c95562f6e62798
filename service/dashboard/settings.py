"""What the environment tells the service, read once when the application is made.

A missing table or bucket is no error here: `/health` must answer on a half-configured function. The
code that needs the name asks for it with `required`, and its absence becomes a 503 that names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard import __version__
from dashboard.errors import NotConfiguredError

_TTL_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The service's settings.

    Attributes:
        configurations_table: DynamoDB table (`CONFIGURATIONS_TABLE`).
        tickers_bucket: S3 bucket of the ticker object (`TICKERS_BUCKET`).
        tickers_key: S3 key of the ticker object (`TICKERS_KEY`).
        tickers_ttl_s: age at which the ticker cache asks S3 again (`TICKERS_TTL_SECONDS`).
        version: release of the service (`SERVICE_VERSION`, set by the image).
        git_sha: commit the image was built from (`GIT_SHA`, set by the image).
        log_level: least severe level that is written (`AWS_LAMBDA_LOG_LEVEL`, then `LOG_LEVEL`).
    """

    configurations_table: str | None = None
    tickers_bucket: str | None = None
    tickers_key: str = "tickers.json.gz"
    tickers_ttl_s: float = _TTL_S
    version: str = __version__
    git_sha: str = "unknown"
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings that the environment variables describe; an empty variable counts as absent."""
        values: dict[str, str] = {
            field: environment[name]
            for field, name in (
                ("configurations_table", "CONFIGURATIONS_TABLE"),
                ("tickers_bucket", "TICKERS_BUCKET"),
                ("tickers_key", "TICKERS_KEY"),
                ("version", "SERVICE_VERSION"),
                ("git_sha", "GIT_SHA"),
                ("log_level", "LOG_LEVEL"),
                ("log_level", "AWS_LAMBDA_LOG_LEVEL"),
            )
            if environment.get(name)
        }
        ttl_s = float(environment.get("TICKERS_TTL_SECONDS") or _TTL_S)
        return cls(tickers_ttl_s=ttl_s, **values)


def required(value: str | None, variable: str) -> str:
    """The value, which the operation at hand cannot do without.

    Raises:
        NotConfiguredError: the environment variable is unset or empty.
    """
    if not value:
        raise NotConfiguredError(f"The environment variable {variable} is not set.")
    return value
