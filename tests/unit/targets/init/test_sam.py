import pytest

from tests.fakes.repository import tree
from understudy.errors import UnderstudyError
from understudy.targets.init import sam
from understudy.targets.init.model import ImageInput, Options, RouteInput, ServiceInput

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 20
    MemorySize: 512
    Environment: {Variables: {STAGE: !Ref Stage}}
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Api:
    Type: AWS::Serverless::Function
    Metadata: {Dockerfile: Dockerfile, DockerContext: ./app, DockerTag: v1}
    Properties:
      PackageType: Image
      Architectures: [arm64]
      Tracing: Active
      Environment:
        Variables:
          ORDERS_TABLE: !Ref Orders
          FILES_ARN: !GetAtt Files.Arn
          URL: !Sub "https://${AWS::Region}.example.com/${Orders}"
          SECRET: !ImportValue other
      Policies:
        - AWSLambdaBasicExecutionRole
        - AmazonSSMReadOnlyAccess
        - DynamoDBReadPolicy: {TableName: !Ref Orders}
        - Version: 2012-10-17
          Statement:
            - {Effect: Allow, Action: "s3:GetObject", Resource: !Sub "${Files.Arn}/*"}
        - Statement: [{Effect: Deny, Action: "*", Resource: "*"}]
      Events:
        All: {Type: HttpApi}
        One: {Type: Api, Properties: {Path: /old, Method: get}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  Zipped:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.13}
  Orders:
    Type: AWS::Serverless::SimpleTable
    Properties: {PrimaryKey: {Name: id, Type: Number}}
  Files:
    Type: AWS::S3::Bucket
    Properties: {LifecycleConfiguration: {Rules: []}}
  Jobs:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 60, RedrivePolicy: {maxReceiveCount: 3}}
  News: {Type: AWS::SNS::Topic}
  Pool: {Type: AWS::Cognito::UserPool}
Outputs: {Url: {Value: x}}
"""


@pytest.fixture
def service() -> ServiceInput:
    return sam.service(TEMPLATE, "template.yaml", tree({"app/Dockerfile": ""}), Options())


def test_a_function_comes_with_its_globals_image_and_environment(service: ServiceInput) -> None:
    (function,) = service.functions

    assert function.name == "orders-api"
    assert function.image == ImageInput(context="app", dockerfile="app/Dockerfile")
    assert (function.memory_mb, function.timeout_s, function.architecture) == (512, 20, "arm64")
    assert dict(function.variables) == {
        "STAGE": "dev",
        "ORDERS_TABLE": "${Table.orders-orders.name}",
        "FILES_ARN": "${Bucket.orders-files.arn}",
        "URL": "https://${region}.example.com/${Table.orders-orders.name}",
    }


def test_policies_are_statements_and_managed_policies(service: ServiceInput) -> None:
    (function,) = service.functions
    read, files = function.statements

    assert "dynamodb:Query" in read.actions
    assert "dynamodb:PutItem" not in read.actions
    assert read.resources[0] == (
        "arn:${partition}:dynamodb:${region}:${account}:table/${Table.orders-orders.name}"
    )
    assert (files.actions, files.resources) == (("s3:GetObject",), ("${Bucket.orders-files.arn}/*",))
    assert function.managed_policies == ("arn:${partition}:iam::aws:policy/AmazonSSMReadOnlyAccess",)


def test_events_are_routes(service: ServiceInput) -> None:
    assert service.routes == (
        RouteInput(key="$default", function="orders-api"),
        RouteInput(key="GET /old", function="orders-api", payload="1.0"),
    )


def test_what_is_not_carried_is_listed_by_name(service: ServiceInput) -> None:
    told = {f"{note.subject}: {note.text}" for note in service.notes}

    for start in (
        "Stage: parameter: its default 'dev' is written",
        "Api: Tracing is not carried",
        "Api: variable SECRET is not set, for it needs Fn::ImportValue",
        "Api: policy not carried, for it needs Effect: Deny",
        "Api: event Nightly of type Schedule is not carried",
        "Zipped: not carried: only PackageType: Image",
        "Files: LifecycleConfiguration is not carried",
        "Jobs: RedrivePolicy is not carried",
        "Pool: AWS::Cognito::UserPool is not carried",
        "Outputs: this section",
    ):
        assert any(line.startswith(start) for line in told), (start, told)


def test_resources_have_their_keys(service: ServiceInput) -> None:
    table, bucket, queue, topic = service.resources

    assert table.spec["keySchema"] == [{"attributeName": "id", "keyType": "HASH"}]
    assert table.spec["attributeDefinitions"] == [{"attributeName": "id", "attributeType": "N"}]
    assert bucket.spec["name"] == "orders-files"
    assert (queue.spec["queueName"], queue.spec["visibilityTimeout"]) == ("orders-jobs", "60")
    assert topic.spec["name"] == "orders-news"


@pytest.mark.parametrize("text", ["- a list", "Resources: {}", "a: b: c"], ids=["list", "nothing", "no yaml"])
def test_what_is_no_template_of_images_is_refused(text: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        sam.service(text, "template.yaml", tree({}), Options())

    assert caught.value.code == "init-template"
