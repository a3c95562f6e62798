"""One account and region of AWS, or an endpoint that answers like it: clients, retries and errors.

Clients are made on first use (some 20-60 ms each) under a lock, because making them is not thread-safe
while using them is. What failed for now is asked again by `retries`, and by nothing else.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import botocore.session
from botocore.compat import urlsplit
from botocore.config import Config

from understudy.reconcile import errors, loading, loopback, retries, roles
from understudy.reconcile.clock import SystemClock
from understudy.reconcile.model import Clock

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_iam import IAMClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

T = TypeVar("T")

_CONNECTIONS = 16

_NO_USER_FILES = {
    "profile": (None, None, None, None),
    "config_file": (None, None, "/dev/null", None),
    "credentials_file": (None, None, "/dev/null", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Keys for an endpoint that checks none; AWS's own come from the user's chain."""

    access_key: str = "test"
    secret_key: str = "test"  # noqa: S105 - the dummy that emulators document, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where and as whom calls are made.

    Attributes:
        region: AWS region.
        endpoint_url: an endpoint in the place of AWS.
        credentials: dummy keys; None means the user's own chain.
        profile: profile of the user's own chain.
        role: ARN of a role to assume with the user's own chain.
    """

    region: str
    endpoint_url: str | None = None
    credentials: Credentials | None = None
    profile: str | None = None
    role: str | None = None


class Aws:
    """The clients of one access, made when first needed and shared by all threads."""

    def __init__(self, access: Access, *, clock: Clock | None = None) -> None:
        self.access = access
        self.clock: Clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._clients: dict[str, Any] = {}
        self._session: botocore.session.Session | None = None

    @property
    def session(self) -> botocore.session.Session:
        """The botocore session, whose event hooks see every call."""
        with self._lock:
            if self._session is None:
                dummy = self.access.credentials is not None
                self._session = botocore.session.Session(
                    session_vars=_NO_USER_FILES if dummy else None,
                    profile=None if dummy else self.access.profile,
                )
                self._session.register_component("data_loader", loading.Models())
                self._session.register("needs-retry", cast(Any, retries.Retries(clock=self.clock)))
                if self.access.role:
                    roles.assume(self._session, self.access.role, self._create)
            return self._session

    def _client(self, service: str) -> Any:  # noqa: ANN401 - typed by the methods below
        with self._lock, errors.translated():
            if service not in self._clients:
                self._clients[service] = self._new(service)
            return self._clients[service]

    def _new(self, service: str) -> Any:  # noqa: ANN401 - as above
        dummy = self.access.credentials
        if dummy is None:
            return self._create(service)
        return self._create(
            service, aws_access_key_id=dummy.access_key, aws_secret_access_key=dummy.secret_key
        )

    def _create(self, service: str, **keys: Any) -> Any:  # noqa: ANN401 - as above
        endpoint = self.access.endpoint_url
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=70,
            max_pool_connections=_CONNECTIONS,
            user_agent_extra="understudy",
            proxies={} if loopback.is_loopback(urlsplit(endpoint or "").hostname) else None,
            s3={"addressing_style": "path"} if endpoint else None,
        )
        return self.session.create_client(
            service, region_name=self.access.region, endpoint_url=endpoint, config=config, **keys
        )

    def ecr(self) -> "ECRClient":
        """Client of Elastic Container Registry."""
        client: ECRClient = self._client("ecr")
        return client

    def iam(self) -> "IAMClient":
        """Client of Identity and Access Management."""
        client: IAMClient = self._client("iam")
        return client

    def dynamodb(self) -> "DynamoDBClient":
        """Client of DynamoDB."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    def s3(self) -> "S3Client":
        """Client of S3."""
        client: S3Client = self._client("s3")
        return client

    def sns(self) -> "SNSClient":
        """Client of the Simple Notification Service."""
        client: SNSClient = self._client("sns")
        return client

    def sqs(self) -> "SQSClient":
        """Client of the Simple Queue Service."""
        client: SQSClient = self._client("sqs")
        return client

    def logs(self) -> "CloudWatchLogsClient":
        """Client of CloudWatch Logs."""
        client: CloudWatchLogsClient = self._client("logs")
        return client

    def lambda_(self) -> "LambdaClient":
        """Client of Lambda."""
        client: LambdaClient = self._client("lambda")
        return client

    def apigatewayv2(self) -> "ApiGatewayV2Client":
        """Client of API Gateway's HTTP APIs."""
        client: ApiGatewayV2Client = self._client("apigatewayv2")
        return client

    def apigateway(self) -> Any:  # noqa: ANN401 - its types are not among the locked packages
        """Client of API Gateway's REST APIs."""
        return self._client("apigateway")

    def sts(self) -> "STSClient":
        """Client of the Security Token Service."""
        client: STSClient = self._client("sts")
        return client

    def caller(self) -> tuple[str, str]:
        """The account that the credentials belong to, and the ARN of the user or assumed role.

        Raises:
            AwsError: AWS refused the credentials.
        """
        answer = self.call(self.sts().get_caller_identity)
        return answer["Account"], answer["Arn"]

    def call(self, operation: Callable[..., T], **params: Any) -> T:  # noqa: ANN401 - as botocore takes them
        """The answer of an operation, asked again while AWS says that something still settles.

        Raises:
            AwsError: AWS refused the call.
            EnvironmentProblemError: AWS cannot be reached.
        """
        with errors.translated():
            return operation(**params)

    def find(self, operation: Callable[..., T], **params: Any) -> T | None:  # noqa: ANN401 - as botocore takes them
        """As `call`, and None where AWS says that there is no such thing.

        Raises:
            AwsError: AWS refused the call for another reason.
            EnvironmentProblemError: AWS cannot be reached.
        """
        try:
            return self.call(operation, **params)
        except errors.AwsError as exc:
            if exc.aws_code in errors.ABSENT:
                return None
            raise

    def pages(self, pages: Iterable[T]) -> Iterator[T]:
        """The pages of a paginator, its errors in our types.

        Raises:
            AwsError: AWS refused a call.
            EnvironmentProblemError: AWS cannot be reached.
        """
        with errors.translated():
            yield from pages
