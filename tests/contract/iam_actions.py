"""Which IAM actions a call needs, on which resources; and what a policy says about them.

Sources: AWS's Service Authorization Reference, service by service (actions, resource types, dependent
actions); for what it leaves open:

- S3: "Policy actions for Amazon S3": HeadBucket is `s3:ListBucket`, GetBucketEncryption is
  `s3:GetEncryptionConfiguration`, ...;
- ECR: "IAM permissions for pushing an image"; a request of the registry's protocol stands for the action
  that it is refused for;
- Lambda: "Amazon ECR permissions" of container images: whoever creates or updates a function needs to read
  the repository, and its policy, which Lambda completes on his behalf;
- CloudWatch Logs: "resources and operations": actions on tags take a group's ARN without `:*`, others with;
- API Gateway: "Actions and resources": verbs and paths; tags at creation are a POST below /tags
  (aws-cloudformation/cloudformation-coverage-roadmap#997).
"""

import fnmatch
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from tests.doubles.wire import Call

TEMPLATE = Path(__file__).parents[2] / "deploy" / "aws-bootstrap.yaml"

# Also the names of operations that later ones took the place of: their requests are the same.
_S3 = {
    "CreateBucket": "CreateBucket",
    "DeleteBucket": "DeleteBucket",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketPolicy": "DeleteBucketPolicy",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketLogging": "GetBucketLogging",
    "GetBucketNotification": "GetBucketNotification",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketOwnershipControls": "GetBucketOwnershipControls",
    "GetBucketPolicy": "GetBucketPolicy",
    "GetBucketTagging": "GetBucketTagging",
    "GetBucketVersioning": "GetBucketVersioning",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketLogging": "PutBucketLogging",
    "PutBucketNotification": "PutBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketOwnershipControls": "PutBucketOwnershipControls",
    "PutBucketPolicy": "PutBucketPolicy",
    "PutBucketTagging": "PutBucketTagging",
    "PutBucketVersioning": "PutBucketVersioning",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
_LAMBDA = {"Invoke": "InvokeFunction"}
_PULLED_BY_LAMBDA = ("BatchGetImage", "GetDownloadUrlForLayer", "GetRepositoryPolicy", "SetRepositoryPolicy")
_REGISTRY = (
    ("(HEAD|GET)", "/manifests/", ("BatchGetImage",)),
    ("PUT", "/manifests/", ("PutImage",)),
    ("HEAD", "/blobs/sha256:", ("BatchCheckLayerAvailability",)),
    ("GET", "/blobs/sha256:", ("GetDownloadUrlForLayer",)),
    ("POST", "/blobs/uploads/", ("InitiateLayerUpload",)),
    ("PATCH", "/blobs/uploads/", ("UploadLayerPart",)),
    ("PUT", "/blobs/uploads/", ("UploadLayerPart", "CompleteLayerUpload")),
    ("GET", "/referrers/", ("BatchGetImage",)),
)


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The account and region that calls went to."""

    account: str
    region: str

    def needs(self, call: Call) -> frozenset[Need]:
        """What the caller must be allowed; nothing for what AWS allows everybody.

        Raises:
            KeyError: nobody has said yet what such a call needs.
        """
        by_service: dict[str, Callable[[Call], Iterator[Need]]] = {
            "": self._registry,
            "apigatewayv2": self._apigateway,
            "dynamodb": self._dynamodb,
            "ecr": self._ecr,
            "iam": self._iam,
            "lambda": self._lambda,
            "logs": self._logs,
            "s3": self._s3,
            "sqs": self._sqs,
            "sts": lambda _: iter(()),
        }
        return frozenset(by_service[call.service](call))

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def _apigateway(self, call: Call) -> Iterator[Need]:
        path = unquote(call.request.target.partition("?")[0]).removeprefix("/v2")
        yield Need(f"apigateway:{call.request.method}", f"arn:aws:apigateway:{self.region}::{path}")
        if call.request.method == "POST" and call.params.get("tags"):
            yield Need("apigateway:POST", f"arn:aws:apigateway:{self.region}::/tags/any")

    def _dynamodb(self, call: Call) -> Iterator[Need]:
        arn = call.params.get("ResourceArn") or self._arn("dynamodb", f"table/{call.params['TableName']}")
        yield Need(f"dynamodb:{call.operation}", arn)
        if call.operation == "CreateTable" and call.params.get("Tags"):
            yield Need("dynamodb:TagResource", arn)

    def _repository(self, name: str) -> str:
        return self._arn("ecr", f"repository/{name}")

    def _ecr(self, call: Call) -> Iterator[Need]:
        if call.operation == "GetAuthorizationToken":
            yield Need("ecr:GetAuthorizationToken", "*")
            return
        params = call.params
        names = params.get("repositoryNames") or [params.get("repositoryName")]
        for arn in [params["resourceArn"]] if "resourceArn" in params else map(self._repository, names):
            yield Need(f"ecr:{call.operation}", arn)
            if call.operation == "CreateRepository" and params.get("tags"):
                yield Need("ecr:TagResource", arn)

    def _registry(self, call: Call) -> Iterator[Need]:
        path = unquote(call.request.target.partition("?")[0])
        if path in ("/v2", "/v2/"):
            return
        for method, part, actions in _REGISTRY:
            if re.fullmatch(method, call.request.method) and part in path:
                name = path.removeprefix("/v2/").partition(part)[0]
                yield from (Need(f"ecr:{action}", self._repository(name)) for action in actions)
                return
        raise KeyError(call.request.start)

    def _iam(self, call: Call) -> Iterator[Need]:
        arn = f"arn:aws:iam::{self.account}:role/{call.params['RoleName']}"
        yield Need(f"iam:{call.operation}", arn)
        if call.operation == "CreateRole" and "Tags.member.1.Key" in call.params:
            yield Need("iam:TagRole", arn)

    def _sqs(self, call: Call) -> Iterator[Need]:
        params = call.params
        arn = self._arn("sqs", params.get("QueueName") or params["QueueUrl"].rpartition("/")[2])
        yield Need(f"sqs:{call.operation}", arn)
        if call.operation == "CreateQueue" and params.get("tags"):
            yield Need("sqs:TagQueue", arn)

    def _lambda(self, call: Call) -> Iterator[Need]:
        params = call.params
        if call.operation in ("CreateEventSourceMapping", "ListEventSourceMappings"):
            yield Need(f"lambda:{call.operation}", "*")
            return
        if "UUID" in params:
            arn = self._arn("lambda", f"event-source-mapping:{params['UUID']}")
        elif "Resource" in params:
            arn = unquote(params["Resource"])
        else:
            name = unquote(params["FunctionName"]).rpartition(":function:")[2]
            qualifier = params.get("Qualifier")
            arn = self._arn("lambda", f"function:{name}" + (f":{qualifier}" if qualifier else ""))
        yield Need(f"lambda:{_LAMBDA.get(call.operation, call.operation)}", arn)
        if call.operation == "CreateFunction" and params.get("Tags"):
            yield Need("lambda:TagResource", arn)
        if call.operation in ("CreateFunction", "UpdateFunctionConfiguration") and "Role" in params:
            yield Need("iam:PassRole", params["Role"])
        image = params.get("ImageUri") or params.get("Code", {}).get("ImageUri")
        if image:
            repository = self._repository(image.partition("@")[0].partition("/")[2])
            yield from (Need(f"ecr:{action}", repository) for action in _PULLED_BY_LAMBDA)

    def _logs(self, call: Call) -> Iterator[Need]:
        if call.operation == "DescribeLogGroups":
            yield Need("logs:DescribeLogGroups", "*")
            return
        params = call.params
        arn = params.get("resourceArn") or self._arn("logs", f"log-group:{params['logGroupName']}")
        bare = arn.removesuffix(":*")
        yield Need(f"logs:{call.operation}", bare if "resourceArn" in params else f"{bare}:*")
        if call.operation == "CreateLogGroup" and params.get("tags"):
            yield Need("logs:TagResource", bare)

    def _s3(self, call: Call) -> Iterator[Need]:
        yield Need(f"s3:{_S3[call.operation]}", f"arn:aws:s3:::{call.params['Bucket']}")


class Policy:
    """A policy document of statements that allow."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._statements = [
            (_listed(one["Action"]), _listed(one["Resource"])) for one in document["Statement"]
        ]

    def missing(self, needs: frozenset[Need]) -> list[str]:
        """What is needed and not allowed: action and resource."""
        return sorted(f"{need.action} {need.resource}" for need in needs if not any(self._used(need)))

    def superfluous(self, needs: frozenset[Need]) -> list[str]:
        """Actions and resources that nothing needs."""
        used = {(index, part) for need in needs for index, *parts in self._used(need) for part in parts}
        return [
            part
            for index, (actions, resources) in enumerate(self._statements)
            for part in (*actions, *resources)
            if (index, part) not in used
        ]

    def _used(self, need: Need) -> Iterator[tuple[int, str, str]]:
        """Where the policy allows it: number of the statement, action, resource."""
        for index, (actions, resources) in enumerate(self._statements):
            for resource in resources:
                if need.action in actions and fnmatch.fnmatchcase(need.resource, resource):
                    yield index, need.action, resource


class _Template(yaml.SafeLoader):
    """CloudFormation's short forms as they are written, to be filled in later."""


def _short_form(loader: _Template, suffix: str, node: yaml.Node) -> Any:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else suffix


_Template.add_multi_constructor("!", _short_form)


def deployer_policy(place: Place) -> dict[str, Any]:
    """The policy document of deploy/aws-bootstrap.yaml, filled in as CloudFormation would there."""
    values = {"AWS::AccountId": place.account, "AWS::Region": place.region, "AWS::Partition": "aws"}
    text = TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    (one,) = yaml.load(text, _Template)["Resources"]["Deployer"]["Properties"]["Policies"]
    found: dict[str, Any] = one["PolicyDocument"]
    return found


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
