"""What exists at an endpoint, read back by plain boto3 and without what every run chooses anew.

Two stacks are the same when their end states are equal. Ids are replaced by what they stand for, so that a
route that points at the wrong integration is seen; times and ids of requests are left out.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

EndState = dict[str, Any]
Client = Callable[[str], Any]

_FUNCTION = ("FunctionName", "PackageType", "MemorySize", "Timeout", "Role", "Architectures", "Environment")
_ABSENT = ("NotFound", "NoSuch", "404")


def reader(url: str, access_key: str = "test") -> "EndReader":
    """Reads the end state of an account at an endpoint."""
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(
                service,
                endpoint_url=url,
                region_name="us-east-1",
                aws_access_key_id=access_key,
                aws_secret_access_key="test",
                config=config,
            )
        return made[service]

    return EndReader(client)


class EndReader:
    """Reads end states with clients that are made once."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self) -> EndState:
        """The end state as it is now."""
        return {
            "apis": sorted((self._api(one) for one in self._items("get_apis")), key=_text),
            "functions": {
                one["FunctionName"]: self._function(one["FunctionName"])
                for one in self._client("lambda").list_functions()["Functions"]
            },
            "repositories": self._repositories(),
            "roles": {one["RoleName"]: self._role(one) for one in self._client("iam").list_roles()["Roles"]},
            "tables": {
                name: self._table(name) for name in self._client("dynamodb").list_tables()["TableNames"]
            },
            "buckets": {
                one["Name"]: self._bucket(one["Name"]) for one in self._client("s3").list_buckets()["Buckets"]
            },
            "log groups": {
                one["logGroupName"]: one.get("retentionInDays")
                for one in self._client("logs").describe_log_groups()["logGroups"]
            },
        }

    def _items(self, operation: str, **params: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = getattr(self._client("apigatewayv2"), operation)(**params)["Items"]
        return found

    def _api(self, api: Mapping[str, Any]) -> dict[str, Any]:
        found = api["ApiId"]
        integrations = {one["IntegrationId"]: one for one in self._items("get_integrations", ApiId=found)}
        names = {
            key: f"{one['IntegrationUri']} {one.get('Description')}" for key, one in integrations.items()
        }
        routes = [
            [one["RouteKey"], names.get(str(one.get("Target")).removeprefix("integrations/"), "nothing")]
            for one in self._items("get_routes", ApiId=found)
        ]
        stages = [[one["StageName"], one.get("AutoDeploy")] for one in self._items("get_stages", ApiId=found)]
        return {
            "name": api["Name"],
            "protocol": api["ProtocolType"],
            "tags": api.get("Tags", {}),
            "integrations": sorted(names.values()),
            "routes": sorted(routes),
            "stages": sorted(stages),
        }

    def _function(self, name: str) -> dict[str, Any]:
        client = self._client("lambda")
        answer = client.get_function(FunctionName=name)
        configuration = answer["Configuration"]
        aliases = client.list_aliases(FunctionName=name)["Aliases"]
        versions = client.list_versions_by_function(FunctionName=name)["Versions"]
        return {
            **{key: configuration.get(key) for key in _FUNCTION},
            "Image": answer["Code"]["ImageUri"].partition("@")[2],
            "Versions": sorted(_version(one) for one in versions),
            "Aliases": {
                one["Name"]: [one["FunctionVersion"], _weights(one), self._policy(one)] for one in aliases
            },
            "Tags": answer.get("Tags", {}),
        }

    def _policy(self, alias: Mapping[str, Any]) -> list[list[str]]:
        name, _, qualifier = alias["AliasArn"].partition("function:")[2].partition(":")
        found = self._maybe(self._client("lambda").get_policy, FunctionName=name, Qualifier=qualifier)
        statements = json.loads(found["Policy"])["Statement"] if found else []
        # A set: where AWS refuses a second statement of the same id, moto keeps both.
        return [list(one) for one in sorted({(one["Sid"], one["Action"]) for one in statements})]

    def _repositories(self) -> dict[str, Any]:
        client = self._client("ecr")
        return {
            one["repositoryName"]: sorted(
                [image.get("imageDigest", ""), image.get("imageTag", "")]
                for image in client.list_images(repositoryName=one["repositoryName"])["imageIds"]
            )
            for one in client.describe_repositories()["repositories"]
        }

    def _role(self, role: Mapping[str, Any]) -> dict[str, Any]:
        client, name = self._client("iam"), role["RoleName"]
        inline = client.list_role_policies(RoleName=name)["PolicyNames"]
        return {
            "trust": role["AssumeRolePolicyDocument"],
            "inline": {
                policy: client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in inline
            },
        }

    def _table(self, name: str) -> dict[str, Any]:
        table = self._client("dynamodb").describe_table(TableName=name)["Table"]
        return {
            "status": table["TableStatus"],
            "keys": table["KeySchema"],
            "billing": table.get("BillingModeSummary", {}).get("BillingMode"),
        }

    def _bucket(self, name: str) -> dict[str, Any]:
        client = self._client("s3")
        block = self._maybe(client.get_public_access_block, Bucket=name) or {}
        tags = self._maybe(client.get_bucket_tagging, Bucket=name) or {}
        return {
            "public access": block.get("PublicAccessBlockConfiguration"),
            "tags": sorted([one["Key"], one["Value"]] for one in tags.get("TagSet", [])),
        }

    @staticmethod
    def _maybe(operation: Callable[..., dict[str, Any]], **params: str) -> dict[str, Any] | None:
        try:
            return operation(**params)
        except ClientError as exc:
            if any(part in exc.response["Error"]["Code"] for part in _ABSENT):
                return None
            raise


def _weights(alias: Mapping[str, Any]) -> dict[str, float]:
    return dict(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))


def _version(version: Mapping[str, Any]) -> str:
    return str(version["Version"])


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
