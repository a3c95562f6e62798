"""The strict double is as strict as AWS: each rule seen from outside, by plain boto3."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract import strict_world
from tests.contract.engine_process import eventually
from tests.contract.lambda_image import put_runtime_image
from tests.contract.strict_world import ACCOUNT, TRUST, StrictWorld, refusal
from tests.doubles.strict import Delays
from tests.unit.image.samples import store_at
from understudy.image import render
from understudy.image.registry.manifests import TagImmutableError
from understudy.image.store import Store
from understudy.manifests.model import ImageBinding
from understudy.reconcile.aws import Access, Aws, Credentials
from understudy.reconcile.promotion import Promoter

KEY = {"AttributeName": "id", "KeyType": "HASH"}
TABLE: dict[str, Any] = {
    "KeySchema": [KEY],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
POLICY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictWorld]:
    # Long enough for a busy machine to look while things settle; tests move the clock on.
    delays = Delays(role_s=60, function_s=60, update_s=60, table_s=60, backups_s=60)
    with strict_world.serving(tmp_path_factory.mktemp("strict"), delays) as found:
        yield found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return store_at(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def promoter(world: StrictWorld, store: Store) -> Promoter:
    keys = Credentials(access_key=ACCOUNT, secret_key="test")
    return Promoter(Aws(Access(region="us-east-1", endpoint_url=world.url, credentials=keys)), store)


@pytest.fixture(scope="module")
def images(world: StrictWorld, store: Store, promoter: Promoter) -> tuple[str, str, str]:
    """A repository's URI, and the digests of two images in it."""
    uri: str = world.client("ecr").create_repository(repositoryName="app")["repository"]["repositoryUri"]
    digests = []
    for text in ("one", "two"):
        digests.append(put_runtime_image(store, text))
        binding = ImageBinding(name="app", repository="app", digest=digests[-1], tags=("latest", text))
        promoter.push(binding, uri)
    return uri, digests[0], digests[1]


def role(world: StrictWorld, name: str, trust: str = TRUST) -> str:
    arn: str = world.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    return arn


def create(world: StrictWorld, name: str, image: str, role_arn: str, **more: Any) -> dict[str, Any]:
    """Creates a function that is Pending for the double, and active for the engine."""
    call = world.client("lambda").create_function
    made: dict[str, Any] = call(
        FunctionName=name, Role=role_arn, PackageType="Image", Code={"ImageUri": image}, **more
    )
    return made


@pytest.fixture(scope="module")
def function(world: StrictWorld, images: tuple[str, str, str]) -> str:
    """A function that has settled."""
    arn = role(world, "settled")
    world.clock.pass_s(60)
    create(world, "settled", f"{images[0]}@{images[1]}", arn)
    world.clock.pass_s(60)
    settle(world, "settled")
    return "settled"


def settle(world: StrictWorld, name: str) -> None:
    """Waits for the engine's own part of what takes time."""
    show = world.client("lambda").get_function_configuration

    def is_settled() -> bool:
        found = show(FunctionName=name)
        return found["State"] == "Active" and found["LastUpdateStatus"] == "Successful"

    eventually(is_settled, f"{name} settles")


def test_credentials_name_the_account_of_every_arn(world: StrictWorld, images: tuple[str, str, str]) -> None:
    assert world.client("sts").get_caller_identity()["Account"] == ACCOUNT
    assert f":{ACCOUNT}:" in role(world, "arns")
    table = world.client("dynamodb").create_table(TableName="arns", **TABLE)["TableDescription"]
    assert f":{ACCOUNT}:" in table["TableArn"]
    assert images[0].startswith(f"{ACCOUNT}.dkr.ecr.us-east-1.")
    assert world.client("dynamodb", account="210987654321").list_tables()["TableNames"] == []


def test_a_new_role_cannot_be_assumed_for_the_first_seconds(
    world: StrictWorld, images: tuple[str, str, str]
) -> None:
    arn, image = role(world, "fresh"), f"{images[0]}@{images[1]}"
    call = world.client("lambda").create_function
    params = {"FunctionName": "fresh", "Role": arn, "PackageType": "Image", "Code": {"ImageUri": image}}
    text = "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda."

    assert refusal(call, **params) == text
    world.clock.pass_s(60)
    assert call(**params)["State"] == "Pending"


@pytest.mark.parametrize(
    "name", [pytest.param("for-ec2", id="trusts another service"), pytest.param("nobody", id="unknown")]
)
def test_a_role_that_does_not_trust_lambda_never_can(
    world: StrictWorld, images: tuple[str, str, str], name: str
) -> None:
    if name == "for-ec2":
        role(world, name, TRUST.replace("lambda.amazonaws.com", "ec2.amazonaws.com"))
    world.clock.pass_s(600)
    refused = refusal(
        world.client("lambda").create_function,
        FunctionName="untrusted",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        PackageType="Image",
        Code={"ImageUri": f"{images[0]}@{images[1]}"},
    )
    assert "cannot be assumed by Lambda" in refused


def test_a_new_function_is_pending_and_refuses_what_needs_it(
    world: StrictWorld, images: tuple[str, str, str]
) -> None:
    arn, client = role(world, "young"), world.client("lambda")
    world.clock.pass_s(60)
    assert create(world, "young", f"{images[0]}@{images[1]}", arn)["State"] == "Pending"

    assert client.get_function(FunctionName="young")["Configuration"]["StateReasonCode"] == "Creating"
    pending = (
        "ResourceConflictException: The operation cannot be performed at this time. "
        "The function is currently in the following state: Pending"
    )
    assert refusal(client.invoke, FunctionName="young") == pending
    assert refusal(client.publish_version, FunctionName="young") == pending
    assert refusal(client.update_function_configuration, FunctionName="young", Timeout=9) == pending
    world.clock.pass_s(60)
    settle(world, "young")
    assert client.invoke(FunctionName="young", Payload=b"{}")["StatusCode"] == 200


def test_a_second_change_waits_for_the_first(
    world: StrictWorld, images: tuple[str, str, str], function: str
) -> None:
    client = world.client("lambda")
    client.update_function_configuration(FunctionName=function, Description="first")
    assert client.get_function_configuration(FunctionName=function)["LastUpdateStatus"] == "InProgress"

    refused = refusal(client.update_function_code, FunctionName=function, ImageUri=f"{images[0]}@{images[2]}")

    assert refused == (
        "ResourceConflictException: The operation cannot be performed at this time. An update is in progress "
        f"for resource: arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}"
    )
    assert client.invoke(FunctionName=function, Payload=b"{}")["StatusCode"] == 200, "served as it was"
    world.clock.pass_s(60)
    settle(world, function)


def test_a_new_version_is_pending_through_its_alias_too(world: StrictWorld, function: str) -> None:
    client = world.client("lambda")
    client.update_function_configuration(FunctionName=function, Description="to be published")
    world.clock.pass_s(60)
    settle(world, function)
    version = client.publish_version(FunctionName=function)["Version"]
    client.create_alias(FunctionName=function, Name="live", FunctionVersion=version)

    shown = client.get_function(FunctionName=function, Qualifier="live")["Configuration"]
    assert (shown["Version"], shown["State"]) == (version, "Pending")
    assert "Pending" in refusal(client.invoke, FunctionName=function, Qualifier="live")
    world.clock.pass_s(60)
    answer = client.invoke(FunctionName=f"{function}:live", Payload=b"{}")
    assert answer["ExecutedVersion"] == version


def test_a_moved_tag_counts_when_the_function_is_updated(
    world: StrictWorld, images: tuple[str, str, str], function: str
) -> None:
    uri, first, second = images
    client, ecr = world.client("lambda"), world.client("ecr")

    def running() -> str:
        found: str = client.get_function(FunctionName=function)["Code"]["ResolvedImageUri"]
        return found.rpartition("@")[2]

    def move(digest: str) -> None:
        [image] = ecr.batch_get_image(repositoryName="app", imageIds=[{"imageDigest": digest}])["images"]
        ecr.put_image(repositoryName="app", imageManifest=image["imageManifest"], imageTag="moving")

    def update() -> None:
        client.update_function_code(FunctionName=function, ImageUri=f"{uri}:moving")
        world.clock.pass_s(60)
        settle(world, function)

    move(first)
    update()
    move(second)
    assert running() == first, "a tag that moves changes nothing"
    update()
    assert running() == second


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        pytest.param("{host}/app@sha256:" + "0" * 64, "does not exist. Provide a valid", id="digest"),
        pytest.param("{host}/none:latest", "does not exist. Provide a valid", id="repository"),
        pytest.param("docker.io/library/python:3.13", "is not valid. Provide a valid", id="not ECR"),
        pytest.param("{abroad}/app:latest", "is not valid. Provide a valid", id="another region"),
        pytest.param("{theirs}/app:latest", "does not have permission to access", id="another account"),
        pytest.param("{host}/app:index", "layer media type for the source image", id="index"),
        pytest.param("{host}/app:attested", "layer media type for the source image", id="attestations"),
    ],
)
def test_images_that_lambda_refuses(
    world: StrictWorld, images: tuple[str, str, str], function: str, uri: str, text: str
) -> None:
    host = images[0].partition("/")[0]
    prepare_images(world, images[1])
    uri = uri.format(
        host=host,
        abroad=host.replace("us-east-1", "eu-west-1"),
        theirs=host.replace(ACCOUNT, "210987654321"),
    )
    assert text in refusal(world.client("lambda").update_function_code, FunctionName=function, ImageUri=uri)


def prepare_images(world: StrictWorld, digest: str) -> None:
    """Puts the image where a function may not take it from, and indexes of it where it may not either."""
    ecr = world.client("ecr")
    [image] = ecr.batch_get_image(repositoryName="app", imageIds=[{"imageDigest": digest}])["images"]
    raw: str = image["imageManifest"]
    media_type = json.loads(raw)["mediaType"]
    entry = {"mediaType": media_type, "digest": digest, "size": len(raw)}
    for tag, platform in (("index", "linux"), ("attested", "unknown")):
        listed = {**entry, "platform": {"os": platform, "architecture": "amd64"}}
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [listed],
        }
        existing = ecr.describe_images(repositoryName="app")["imageDetails"]
        if not any(tag in one.get("imageTags", []) for one in existing):
            ecr.put_image(repositoryName="app", imageManifest=render.document(index).decode(), imageTag=tag)
    for other in (
        world.client("ecr", region="eu-west-1"),
        world.client("ecr", account="210987654321"),
    ):
        if not other.describe_repositories()["repositories"]:
            other.create_repository(repositoryName="app")
            other.put_image(repositoryName="app", imageManifest=raw, imageTag="latest")


def test_a_stale_revision_is_refused(world: StrictWorld, function: str) -> None:
    refused = refusal(
        world.client("lambda").update_function_configuration,
        FunctionName=function,
        Timeout=7,
        RevisionId="0" * 8 + "-0000-0000-0000-" + "0" * 12,
    )
    assert refused.startswith("PreconditionFailedException: The Revision Id provided does not match")


def test_a_new_table_is_creating_and_its_backups_come_later(world: StrictWorld) -> None:
    client = world.client("dynamodb")
    assert client.create_table(TableName="young", **TABLE)["TableDescription"]["TableStatus"] == "CREATING"
    recover = {
        "TableName": "young",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }

    assert client.describe_table(TableName="young")["Table"]["TableStatus"] == "CREATING"
    assert refusal(client.put_item, TableName="young", Item={"id": {"S": "1"}}) == (
        "ResourceNotFoundException: Requested resource not found"
    )
    assert "ResourceInUseException" in refusal(client.update_continuous_backups, **recover)
    world.clock.pass_s(61)
    assert client.describe_table(TableName="young")["Table"]["TableStatus"] == "ACTIVE"
    assert "ContinuousBackupsUnavailableException" in refusal(client.update_continuous_backups, **recover)
    world.clock.pass_s(60)
    client.update_continuous_backups(**recover)


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        pytest.param(
            "iam",
            "create_role",
            {"RoleName": "x" * 65, "AssumeRolePolicyDocument": TRUST},
            "ValidationError",
            id="role name too long",
        ),
        pytest.param(
            "iam",
            "create_role",
            {"RoleName": "a/b", "AssumeRolePolicyDocument": TRUST},
            "ValidationError",
            id="role name with slash",
        ),
        pytest.param(
            "dynamodb",
            "create_table",
            {**TABLE, "TableName": "a b c"},
            "ValidationException",
            id="table name",
        ),
        pytest.param(
            "lambda",
            "update_function_configuration",
            {"FunctionName": "settled", "Description": "x" * 257},
            "ValidationException",
            id="description",
        ),
        pytest.param(
            "ecr",
            "create_repository",
            {"repositoryName": "Upper"},
            "InvalidParameterException",
            id="repository name",
        ),
        pytest.param(
            "iam",
            "create_role",
            {"RoleName": "r", "AssumeRolePolicyDocument": "{"},
            "MalformedPolicyDocument",
            id="trust policy is no JSON",
        ),
        pytest.param(
            "iam",
            "put_role_policy",
            {
                "RoleName": "arns",
                "PolicyName": "p",
                "PolicyDocument": json.dumps(
                    {
                        **POLICY,
                        "Statement": [
                            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "${Bucket.x.arn}"}
                        ],
                    }
                ),
            },
            "MalformedPolicyDocument",
            id="placeholder in a policy",
        ),
    ],
)
def test_input_that_botocore_lets_through_is_refused(
    world: StrictWorld, function: str, service: str, operation: str, params: dict[str, Any], code: str
) -> None:
    assert refusal(getattr(world.client(service), operation), **params).startswith(f"{code}: ")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("aws:mine", "1", id="reserved prefix"),
        pytest.param("why", "it's broken, but urgent", id="comma and quote"),
        pytest.param("k" * 129, "1", id="long key"),
        pytest.param("k", "v" * 257, id="long value"),
    ],
)
def test_tags_that_aws_would_not_keep_are_refused_everywhere(
    world: StrictWorld, function: str, key: str, value: str
) -> None:
    pair, mapped = [{"Key": key, "Value": value}], {key: value}
    arn = world.client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    table = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/arns"
    repository = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app"
    before = len(world.refused)

    for operation, params in (
        (world.client("iam").tag_role, {"RoleName": "arns", "Tags": pair}),
        (world.client("dynamodb").tag_resource, {"ResourceArn": table, "Tags": pair}),
        (world.client("ecr").tag_resource, {"resourceArn": repository, "tags": pair}),
        (world.client("lambda").tag_resource, {"Resource": arn, "Tags": mapped}),
        (world.client("logs").create_log_group, {"logGroupName": "tagged", "tags": mapped}),
        (world.client("apigatewayv2").create_api, {"Name": "a", "ProtocolType": "HTTP", "Tags": mapped}),
    ):
        refusal(operation, **params)

    assert len(world.refused) - before >= 4, "the rest was refused by the engine's own checks"


def test_iam_and_api_gateway_do_not_see_the_latest_write_at_once(world: StrictWorld) -> None:
    iam, gateway = world.client("iam"), world.client("apigatewayv2")
    role(world, "hidden")
    api = gateway.create_api(Name="hidden", ProtocolType="HTTP")["ApiId"]

    assert refusal(iam.get_role, RoleName="hidden").startswith("NoSuchEntity")
    assert iam.get_role(RoleName="hidden")["Role"]["RoleName"] == "hidden"
    assert api not in [one["ApiId"] for one in gateway.get_apis()["Items"]]
    assert api in [one["ApiId"] for one in gateway.get_apis()["Items"]]


def test_the_registry_lets_nobody_in_without_its_token(
    world: StrictWorld, images: tuple[str, str, str]
) -> None:
    host = images[0].partition("/")[0]
    url, headers = f"{world.url}/v2/app/manifests/latest", {"Host": host}
    assert httpx.head(url, headers=headers, trust_env=False, timeout=60).status_code == 401
    [data] = world.client("ecr").get_authorization_token()["authorizationData"]
    headers["Authorization"] = f"Basic {data['authorizationToken']}"
    assert httpx.head(url, headers=headers, trust_env=False, timeout=60).status_code == 200


def test_an_immutable_tag_moves_only_where_the_repository_excepts_it(
    world: StrictWorld, images: tuple[str, str, str], promoter: Promoter
) -> None:
    ecr = world.client("ecr")
    made = ecr.create_repository(repositoryName="frozen", imageTagMutability="IMMUTABLE")
    uri = made["repository"]["repositoryUri"]
    first, second = (
        ImageBinding(name="frozen", repository="frozen", digest=digest, tags=("latest",))
        for digest in images[1:]
    )
    promoter.push(first, uri)
    promoter.push(first, uri)

    with pytest.raises(TagImmutableError, match=f"tag latest of repository frozen names {images[1]}"):
        promoter.push(second, uri)

    ecr.put_image_tag_mutability(
        repositoryName="frozen",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "latest"}],
    )
    promoter.push(second, uri)
    tagged = ecr.batch_get_image(repositoryName="frozen", imageIds=[{"imageTag": "latest"}])["images"]
    assert [one["imageId"]["imageDigest"] for one in tagged] == [images[2]]
