"""The lives of Lambda's kinds; see `kind_cases`."""

from tests.contract.kind_case import ACCOUNT, KEY, Case, Spec, trust
from understudy.manifests.model import Json

_NO_DOCKER = "MiniStack runs functions in Docker, and without it none leaves Pending; the e2e suite has both"
_ONCE = "test_lambda_.py::test_settings_that_count_when_the_function_is_made"
_NO_QUALIFIER = "moto keeps the first one, per function, whatever the qualifier"
_FORGETS = "moto's UpdateFunctionConfiguration forgets it"
_NOT_HERE = "the engine refuses it by name"
_REST = "test_lambda_.py::test_each_setting_is_written_and_taken_away"

_ROLE: tuple[str, Spec] = (
    "Role",
    {"name": "kinds-lambda", "assumeRolePolicyDocument": trust("lambda.amazonaws.com")},
)
_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/kinds-lambda"

_FILES = f"arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:access-point"


def _function(name: str, **more: Json) -> dict[str, Json]:
    return {"name": name, "packageType": "Image", "code": {"imageURI": "${image}"}, "role": _ROLE_ARN, **more}


def _events(age: int, **more: Json) -> dict[str, Json]:
    return {"maximumEventAgeInSeconds": age, "maximumRetryAttempts": 1, **more}


FUNCTION = Case(
    kind="Function",
    base={
        **_function("kinds-function"),
        "publish": True,
        "architectures": ["x86_64"],
        "description": "first",
        "memorySize": 256,
        "timeout": 10,
        "environment": {"variables": {"AA": "1", "BB": "2"}},
        "ephemeralStorage": {"size": 1024},
        "imageConfig": {"command": ["app.handler"]},
        "loggingConfig": {"logFormat": "JSON", "applicationLogLevel": "INFO", "systemLogLevel": "WARN"},
        "tracingConfig": {"mode": "PassThrough"},
        "reservedConcurrentExecutions": 2,
        "functionEventInvokeConfig": _events(60),
        "tags": {"a": "1", "b": "2"},
    },
    needs=(
        _ROLE,
        ("Role", {"name": "kinds-other", "assumeRolePolicyDocument": trust("lambda.amazonaws.com")}),
    ),
    steps={
        "described": {"description": "second"},
        "more memory and time": {"memorySize": 512, "timeout": 20},
        "another environment": {"environment": {"variables": {"BB": "3", "CC": "4"}}},
        "no environment": {"environment": None},
        "more storage": {"ephemeralStorage": {"size": 2048}},
        "another command": {"imageConfig": {"command": ["app.other"], "workingDirectory": "/var/task"}},
        "no command": {"imageConfig": None},
        "plain logs": {"loggingConfig": {"logFormat": "Text"}},
        "logs elsewhere": {"loggingConfig": {"logFormat": "Text", "logGroup": "/kinds/elsewhere"}},
        "traced": {"tracingConfig": {"mode": "Active"}},
        "other reserve": {"reservedConcurrentExecutions": 3},
        "no reserve": {"reservedConcurrentExecutions": None},
        "stopped": {"reservedConcurrentExecutions": 0},
        "another image": {"code": {"imageURI": "${other-image}"}},
        "image and memory": {"code": {"imageURI": "${image}"}, "memorySize": 300},
        "other retries": {"functionEventInvokeConfig": _events(90)},
        "no retries": {"functionEventInvokeConfig": None},
        "dead letters": {"deadLetterConfig": {"targetARN": "${queue}"}},
        "no dead letters": {"deadLetterConfig": None},
        "a key": {"kmsKeyARN": KEY},
        "no key": {"kmsKeyARN": None},
        "files": {
            "fileSystemConfigs": [
                {
                    "arn": f"{_FILES}/fsap-0123456789abcdef0",
                    "localMountPath": "/mnt/data",
                }
            ]
        },
        "no files": {"fileSystemConfigs": None},
        "another role": {"role": f"arn:aws:iam::{ACCOUNT}:role/kinds-other"},
        "other tags": {"tags": {"b": "3", "c": "4"}},
    },
    lacks={
        "moto": {
            "loggingConfig": "moto keeps no LoggingConfig",
            "other retries": _NO_QUALIFIER,
            "stopped": "moto takes a reserve of 0 for none",
            **dict.fromkeys(("ephemeralStorage", "imageConfig", "tracingConfig"), _FORGETS),
            **dict.fromkeys(("deadLetterConfig", "fileSystemConfigs", "kmsKeyARN"), _FORGETS),
        },
        "ministack": {"*": _NO_DOCKER},
        "engine": {
            "fileSystemConfigs": "the engine refuses it by name: there is no EFS on this machine",
        },
    },
    elsewhere={
        **dict.fromkeys(("fileSystemConfigs", "vpcConfig"), _REST),
        "snapStart": "test_lambda_.py::test_snapshots_are_turned_on_and_off",
        **dict.fromkeys(("durableConfig", "tenancyConfig"), _ONCE),
    },
)

_TWO_VERSIONS: tuple[tuple[str, Spec], ...] = (
    _ROLE,
    ("Function", _function("kinds-versions", publish=True, description="one")),
    ("Function", _function("kinds-versions", publish=True, description="two")),
    ("Version", {"functionName": "kinds-versions", "description": "two"}),
)

VERSION = Case(
    kind="Version",
    base={
        "functionName": "kinds-versions",
        "description": "three",
        "functionEventInvokeConfig": _events(60),
        "provisionedConcurrencyConfig": {"provisionedConcurrentExecutions": 1},
    },
    needs=_TWO_VERSIONS[:3],
    steps={
        "other retries": {"functionEventInvokeConfig": _events(90)},
        "no retries": {"functionEventInvokeConfig": None},
        "warmer": {"provisionedConcurrencyConfig": {"provisionedConcurrentExecutions": 2}},
        "not warm": {"provisionedConcurrencyConfig": None},
    },
    lacks={
        "moto": {
            "functionEventInvokeConfig": _NO_QUALIFIER,
            "provisionedConcurrencyConfig": "moto has no PutProvisionedConcurrencyConfig",
        },
        "ministack": {"*": _NO_DOCKER},
    },
    elsewhere={
        "codeSHA256": "test_lambda_release.py::test_version_that_stands_still_is_found_by_what_it_says",
        "revisionID": "test_lambda_release.py::test_revision_guards_what_is_published",
    },
)


def _permission(name: str, **more: Json) -> dict[str, Json]:
    return {
        "statementID": name,
        "action": "lambda:InvokeFunction",
        "principal": "apigateway.amazonaws.com",
        "sourceARN": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:a/*",
        **more,
    }


ALIAS = Case(
    kind="Alias",
    base={
        "functionName": "kinds-versions",
        "name": "live",
        "functionVersion": "1",
        "description": "first",
        "permissions": [_permission("gateway"), _permission("other", sourceAccount=ACCOUNT)],
        "functionEventInvokeConfig": _events(60),
    },
    needs=_TWO_VERSIONS,
    steps={
        "described": {"description": "second"},
        "a tenth": {"routingConfig": {"additionalVersionWeights": {"2": 0.1}}},
        "a half": {"routingConfig": {"additionalVersionWeights": {"2": 0.5}}},
        "back": {"routingConfig": None},
        "moved": {"functionVersion": "2"},
        "other permission": {
            "permissions": [_permission("gateway", sourceARN=f"arn:aws:execute-api:us-east-1:{ACCOUNT}:b/*")]
        },
        "no permission": {"permissions": None},
        "other retries": {"functionEventInvokeConfig": _events(90)},
        "no retries": {"functionEventInvokeConfig": None},
        "warm": {"provisionedConcurrencyConfig": {"provisionedConcurrentExecutions": 1}},
        "warmer": {"provisionedConcurrencyConfig": {"provisionedConcurrentExecutions": 2}},
        "not warm": {"provisionedConcurrencyConfig": None},
    },
    lacks={
        "moto": {
            "functionEventInvokeConfig": _NO_QUALIFIER,
            "provisionedConcurrencyConfig": "moto has no PutProvisionedConcurrencyConfig",
        },
        "ministack": {"*": _NO_DOCKER},
    },
)

URL = Case(
    kind="FunctionURLConfig",
    base={
        "functionName": "kinds-url",
        "authType": "AWS_IAM",
        "cors": {"allowOrigins": ["https://a.example"], "allowMethods": ["GET", "POST"], "maxAge": 60},
    },
    needs=(_ROLE, ("Function", _function("kinds-url"))),
    steps={
        "public": {"authType": "NONE"},
        "other cors": {
            "cors": {
                "allowOrigins": ["https://b.example"],
                "allowMethods": ["GET"],
                "allowHeaders": ["X-A", "x-b"],
                "exposeHeaders": ["X-C"],
                "allowCredentials": True,
            }
        },
        "no cors": {"cors": None},
        "streaming": {"invokeMode": "RESPONSE_STREAM"},
        "buffered": {"invokeMode": None},
    },
    lacks={
        "moto": {
            "no cors": "moto takes an empty Cors for none given",
            **dict.fromkeys(("streaming", "buffered"), "moto keeps the invoke mode of creation"),
        },
        "ministack": {"*": _NO_DOCKER},
    },
    elsewhere={"qualifier": "test_lambda_urls.py::test_url_of_an_alias_is_asked_for_by_it"},
)

_KAFKA = "test_lambda_events.py::test_topics_of_a_cluster_are_part_of_the_source"

MAPPING = Case(
    kind="EventSourceMapping",
    base={
        "functionName": "kinds-events",
        "eventSourceARN": "${queue}",
        "batchSize": 5,
        "maximumBatchingWindowInSeconds": 1,
        "filterCriteria": {"filters": [{"pattern": '{"body": {"kind": ["a"]}}'}]},
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": 2},
    },
    needs=(_ROLE, ("Function", _function("kinds-events", timeout=3))),
    steps={
        "bigger batches": {"batchSize": 8, "maximumBatchingWindowInSeconds": 2},
        "off": {"enabled": False},
        "on": {"enabled": None},
        "another filter": {"filterCriteria": {"filters": [{"pattern": '{"body": {"kind": ["b"]}}'}]}},
        "no filter": {"filterCriteria": None},
        "whole batches": {"functionResponseTypes": None},
        "more at a time": {"scalingConfig": {"maximumConcurrency": 3}},
        "as many as there are": {"scalingConfig": None},
    },
    lacks={
        "ministack": {"*": _NO_DOCKER},
    },
    elsewhere={
        **dict.fromkeys(("topics", "queues", "sourceAccessConfigurations", "selfManagedEventSource"), _KAFKA),
        "amazonManagedKafkaEventSourceConfig": _KAFKA,
        "selfManagedKafkaEventSourceConfig": _KAFKA,
    },
)

STREAM_MAPPING = Case(
    name="EventSourceMapping-stream",
    kind="EventSourceMapping",
    base={
        "functionName": "kinds-stream",
        "eventSourceARN": "${stream}",
        "startingPosition": "AT_TIMESTAMP",
        "startingPositionTimestamp": "2030-01-01T00:00:00Z",
        "batchSize": 10,
        "maximumRetryAttempts": 2,
        "maximumRecordAgeInSeconds": 120,
        "parallelizationFactor": 2,
        "tumblingWindowInSeconds": 10,
        "destinationConfig": {"onFailure": {"destination": "${queue}"}},
    },
    needs=(_ROLE, ("Function", _function("kinds-stream"))),
    steps={
        "halved": {"bisectBatchOnFunctionError": True},
        "other limits": {
            "maximumRetryAttempts": 3,
            "maximumRecordAgeInSeconds": 240,
            "parallelizationFactor": 3,
            "tumblingWindowInSeconds": 20,
        },
        "failures are dropped": {"destinationConfig": None},
    },
    lacks={**MAPPING.lacks, "engine": {"*": "the engine reads queues and tables, no Kinesis streams"}},
)

TABLE_MAPPING = Case(
    name="EventSourceMapping-table",
    kind="EventSourceMapping",
    base={
        "functionName": "kinds-table-stream",
        "eventSourceARN": "${table-stream}",
        "startingPosition": "LATEST",
        "batchSize": 10,
        "maximumRetryAttempts": 2,
        "maximumRecordAgeInSeconds": 120,
        "destinationConfig": {"onFailure": {"destination": "${queue}"}},
    },
    needs=(_ROLE, ("Function", _function("kinds-table-stream"))),
    steps={
        "halved": {"bisectBatchOnFunctionError": True},
        "other limits": {
            "maximumRetryAttempts": 3,
            "maximumRecordAgeInSeconds": 240,
            "parallelizationFactor": 3,
        },
        "failures are dropped": {"destinationConfig": None},
    },
    lacks=MAPPING.lacks,
)

CASES: tuple[Case, ...] = (FUNCTION, VERSION, ALIAS, URL, MAPPING, STREAM_MAPPING, TABLE_MAPPING)
