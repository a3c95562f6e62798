"""The AWS clients, made on first use and then kept.

boto3 and botocore's service models cost more start-up time than the rest of the service, so nothing is
imported or built until a request needs it: a cold `/health` pays for none of it. boto3 itself honours
`AWS_ENDPOINT_URL` and the credentials that Lambda puts into the environment.
"""

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

_CONNECT_TIMEOUT_S = 1.0
_READ_TIMEOUT_S = 2.0
_ATTEMPTS = 3
# boto3 calls it from the worker threads of concurrent requests (dev server), plus the cache's refresh.
_CONNECTIONS = 50


class Clients:
    """Lazily made, shared, thread-safe AWS clients.

    With the timeouts and attempts above one call takes about ten seconds at worst, back-off included,
    which is below the 30 seconds after which an HTTP API gives up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: Any = None
        self._made: dict[str, Any] = {}

    def dynamodb(self) -> "DynamoDBClient":
        """The DynamoDB client."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    def s3(self) -> "S3Client":
        """The S3 client."""
        client: S3Client = self._client("s3")
        return client

    def _client(self, service: str) -> Any:  # noqa: ANN401 - its type depends on the name; callers narrow it
        client = self._made.get(service)
        if client is not None:
            return client
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> Any:  # noqa: ANN401 - as above
        import boto3.session  # noqa: PLC0415 - keeps boto3 off the cold start of /health
        from botocore.config import Config  # noqa: PLC0415 - as above

        if self._session is None:
            # boto3 itself reads AWS_DEFAULT_REGION only; AWS_REGION is the name that AWS documents.
            self._session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))
        config = Config(
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            max_pool_connections=_CONNECTIONS,
            user_agent_extra="dashboard",
        )
        return self._session.client(service, config=config)


def sdk_errors() -> tuple[type[Exception], ...]:
    """The SDK's error types, for an `except` clause: evaluated only when something was raised."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - keeps botocore lazy

    return (BotoCoreError, ClientError)


def error_code(error: BaseException) -> str:
    """AWS's code of a client error, else the name of the exception's type (`ReadTimeoutError`)."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = response.get("Error", {}).get("Code")
        if code:
            return str(code)
    return type(error).__name__
