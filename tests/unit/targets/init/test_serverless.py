import pytest

from tests.fakes.repository import tree
from understudy.errors import UnderstudyError
from understudy.targets.init import serverless
from understudy.targets.init.model import ImageInput, Options, RouteInput, ServiceInput

FILE = """
service: shop
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  memorySize: 512
  tracing: {lambda: true}
  environment:
    TABLE: ${self:custom.table}
    TOKEN: ${ssm:/shop/token}
  iam:
    role:
      statements:
        - {Effect: Allow, Action: [dynamodb:GetItem], Resource: !GetAtt Orders.Arn}
  ecr:
    images:
      api: {path: ./app, file: Dockerfile.prod, buildArgs: {A: "1"}}
functions:
  api:
    image: {name: api, command: [app.main.handler]}
    timeout: 28
    environment: {STAGE: "${self:provider.stage}"}
    events:
      - httpApi: "*"
      - httpApi: {path: "/users/{id}", method: get}
      - http: GET old
      - sqs: arn:aws:sqs:x
  zipped: {handler: a.b}
plugins: [serverless-python-requirements]
custom: {table: "${self:service}-${sls:stage}"}
resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: ${self:custom.table}
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
        KeySchema: [{AttributeName: pk, KeyType: HASH}]
        StreamSpecification: {StreamViewType: NEW_IMAGE}
"""


@pytest.fixture
def service() -> ServiceInput:
    return serverless.service(FILE, "serverless.yml", tree({}), Options())


def test_a_function_comes_with_its_provider_image_and_environment(service: ServiceInput) -> None:
    (function,) = service.functions

    assert (function.name, function.memory_mb, function.timeout_s) == ("shop-api", 512, 28)
    assert function.image == ImageInput(
        context="app", dockerfile="app/Dockerfile.prod", build_args={"A": "1"}
    )
    assert function.command == ("app.main.handler",)
    assert dict(function.variables) == {"TABLE": "shop-dev", "STAGE": "dev"}
    assert function.statements[0].resources == ("${Table.shop-orders.arn}",)


def test_events_are_routes(service: ServiceInput) -> None:
    assert service.routes == (
        RouteInput(key="$default", function="shop-api"),
        RouteInput(key="GET /users/{id}", function="shop-api"),
        RouteInput(key="GET /old", function="shop-api", payload="1.0"),
    )


def test_a_table_is_carried_with_its_stream(service: ServiceInput) -> None:
    (table,) = service.resources

    assert table.spec["tableName"] == "shop-dev"
    assert table.spec["streamSpecification"] == {"streamEnabled": True, "streamViewType": "NEW_IMAGE"}


def test_what_is_not_carried_is_listed_by_name(service: ServiceInput) -> None:
    told = {f"{note.subject}: {note.text}" for note in service.notes}

    assert told == {
        "api: variable TOKEN is not set, for it needs ${ssm:/shop/token}",
        "api: event sqs is not carried",
        "api: event http of a REST API becomes a route of an HTTP API with payload format 1.0",
        "zipped: not carried: its image is none of provider.ecr.images with a path",
        "plugins: this section of the file is not carried",
        "provider.tracing: not carried",
    }


def test_a_file_without_images_is_refused() -> None:
    with pytest.raises(UnderstudyError) as caught:
        serverless.service("functions: {a: {handler: a.b}}", "serverless.yml", tree({}), Options())

    assert caught.value.code == "init-template"
