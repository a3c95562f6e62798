"""The same function and HTTP API on any endpoint that speaks AWS: ours and MiniStack alike."""

import itertools
from typing import Any

import boto3
from botocore.config import Config

from bench.wrk import Target

MEMORY_MB = 1769
"""One vCPU on Lambda: what one uvicorn worker can use, so that no CPU limit is what is measured."""

TIMEOUT_S = 29
VARIABLES = {"CONFIGURATIONS_TABLE": "dashboard-configurations", "TICKERS_BUCKET": "dashboard-tickers"}
NAME = "bench"
_ACCOUNT = "000000000000"
_REGION = "us-east-1"


class Cloud:
    """One endpoint; the constructor connects to nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._round = itertools.count()
        self._session = boto3.Session(
            aws_access_key_id=_ACCOUNT, aws_secret_access_key="test", region_name=_REGION
        )

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients' classes at run time
        """A client for `service`."""
        return self._session.client(
            service,  # type: ignore[call-overload]  # any service
            endpoint_url=f"http://127.0.0.1:{self._port}",
            config=Config(proxies={}, retries={"max_attempts": 1}, read_timeout=60),
        )

    def deploy(self, image_uri: str, *, memory_mb: int = MEMORY_MB) -> Target:
        """Creates the function and an API with one route to it; returns the API's /health."""
        functions, apis = self.client("lambda"), self.client("apigatewayv2")
        self._delete(functions, apis)
        arn = functions.create_function(
            FunctionName=NAME,
            PackageType="Image",
            Code={"ImageUri": image_uri},
            Role=f"arn:aws:iam::{_ACCOUNT}:role/bench",
            MemorySize=memory_mb,
            Timeout=TIMEOUT_S,
            Environment={"Variables": VARIABLES},
        )["FunctionArn"]
        functions.get_waiter("function_active_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})
        api: str = apis.create_api(Name=NAME, ProtocolType="HTTP")["ApiId"]
        integration = apis.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
        )["IntegrationId"]
        apis.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
        apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        functions.add_permission(
            FunctionName=NAME,
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{_REGION}:{_ACCOUNT}:{api}/*/*",
        )
        # By path: MiniStack answers /health on an execute-api host itself.
        return Target(url=f"http://127.0.0.1:{self._port}/_aws/execute-api/{api}/health")

    def renew(self) -> None:
        """Leaves the function without any environment that could serve: its configuration changed."""
        functions = self.client("lambda")
        functions.update_function_configuration(
            FunctionName=NAME, Environment={"Variables": {**VARIABLES, "ROUND": str(next(self._round))}}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})

    def _delete(self, functions: Any, apis: Any) -> None:  # noqa: ANN401
        for api in apis.get_apis()["Items"]:
            if api["Name"] == NAME:
                apis.delete_api(ApiId=api["ApiId"])
        try:
            functions.delete_function(FunctionName=NAME)
        except functions.exceptions.ResourceNotFoundException:
            return
