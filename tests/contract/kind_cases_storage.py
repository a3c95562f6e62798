"""The lives of what stores: images, rights, logs, items and objects; see `kind_case`."""

from tests.contract.kind_case import ACCOUNT, KEY, Case, policy, to_json, trust
from understudy.manifests.model import Json

_DELEGATED = "the engine hands this service to its delegate, MiniStack, which stands beside it here"


def _tags(**tags: str) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _lifecycle(count: int) -> str:
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count},
        "action": {"type": "expire"},
    }
    return to_json({"rules": [rule]})


_PULL = {
    "Sid": "pull",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
}

REPOSITORY = Case(
    kind="Repository",
    base={
        "name": "kinds/repository",
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "lifecyclePolicy": _lifecycle(5),
        "tags": _tags(a="1", b="2"),
    },
    steps={
        "tags are immutable": {"imageTagMutability": "IMMUTABLE"},
        "some tags are not": {
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filter": "latest", "filterType": "WILDCARD"}],
        },
        "tags are mutable again": {
            "imageTagMutability": None,
            "imageTagMutabilityExclusionFilters": None,
        },
        "no scan on push": {"imageScanningConfiguration": None},
        "another lifecycle": {"lifecyclePolicy": _lifecycle(7)},
        "no lifecycle": {"lifecyclePolicy": None},
        "a policy": {"policy": to_json({"Version": "2012-10-17", "Statement": [_PULL]})},
        "another policy": {
            "policy": to_json({"Version": "2012-10-17", "Statement": [{**_PULL, "Sid": "other"}]})
        },
        "other tags": {"tags": _tags(b="3", c="4")},
    },
    lacks={
        "ministack": {
            "some tags are not": "MiniStack keeps no exclusion filters",
            "imageTagMutabilityExclusionFilters": "MiniStack keeps no exclusion filters",
        }
    },
)

ROLE = Case(
    kind="Role",
    base={
        "name": "kinds-role",
        "path": "/kinds/",
        "description": "first",
        "assumeRolePolicyDocument": trust("lambda.amazonaws.com"),
        "inlinePolicies": {"one": policy("s3:GetObject"), "two": policy("s3:PutObject")},
        "policies": [f"arn:aws:iam::{ACCOUNT}:policy/kinds-attached"],
        "permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/kinds-boundary",
        "maxSessionDuration": 7200,
        "tags": _tags(a="1", b="2"),
    },
    needs=(
        ("Policy", {"name": "kinds-attached", "policyDocument": policy("s3:ListBucket")}),
        ("Policy", {"name": "kinds-boundary", "policyDocument": policy("s3:*")}),
    ),
    steps={
        "another description": {"description": "second"},
        "shorter sessions": {"maxSessionDuration": None},
        "another trust": {"assumeRolePolicyDocument": trust("apigateway.amazonaws.com")},
        "other inline policies": {
            "inlinePolicies": {"two": policy("s3:DeleteObject"), "three": policy("a:B")}
        },
        "no inline policies": {"inlinePolicies": None},
        "another boundary": {"permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/kinds-attached"},
        "no boundary": {"permissionsBoundary": None},
        "another policy": {"policies": [f"arn:aws:iam::{ACCOUNT}:policy/kinds-boundary"]},
        "no policy": {"policies": None},
        "other tags": {"tags": _tags(b="3", c="4")},
    },
    lacks={"engine": {"*": _DELEGATED}},
)

POLICY = Case(
    kind="Policy",
    base={
        "name": "kinds-policy",
        "path": "/kinds/",
        "description": "first",
        "policyDocument": policy("s3:GetObject"),
        "tags": _tags(a="1", b="2"),
    },
    steps={
        **{f"version {number}": {"policyDocument": policy(f"s3:Get{number}")} for number in range(2, 9)},
        "other tags": {"tags": _tags(b="3", c="4")},
    },
    lacks={"engine": {"*": _DELEGATED}},
)

LOG_GROUP = Case(
    kind="LogGroup",
    base={"name": "/kinds/group", "retentionDays": 14, "tags": {"a": "1", "b": "2"}},
    steps={
        "shorter retention": {"retentionDays": 7},
        "kept forever": {"retentionDays": None},
        "a key": {"kmsKeyID": KEY},
        "no key": {"kmsKeyID": None},
        "a subscription": {
            "subscriptionFilters": [
                {"filterName": "errors", "filterPattern": "ERROR", "destinationARN": "${stream}"}
            ]
        },
        "another pattern": {
            "subscriptionFilters": [
                {
                    "filterName": "errors",
                    "filterPattern": "WARN",
                    "destinationARN": "${stream}",
                }
            ]
        },
        "spread over shards": {
            "subscriptionFilters": [
                {
                    "filterName": "errors",
                    "filterPattern": "WARN",
                    "destinationARN": "${stream}",
                    "distribution": "Random",
                }
            ]
        },
        "no subscription": {"subscriptionFilters": None},
        "other tags": {"tags": {"b": "3", "c": "4"}},
    },
    lacks={
        "moto": {
            "kmsKeyID": "moto has no AssociateKmsKey",
            "spread over shards": "moto's filters are always ByLogStream",
        },
        "ministack": {"kmsKeyID": "MiniStack has no AssociateKmsKey"},
        "engine": {
            "kmsKeyID": "the engine's logs lie in the project's own folder; it refuses keys by name",
            "subscriptionFilters": "the engine delivers logs to nobody; it refuses subscriptions by name",
        },
    },
    elsewhere={"kmsKeyID": "test_logs.py::test_key_is_associated_and_taken_away"},
)

_KEYS: list[Json] = [
    {"attributeName": "pk", "keyType": "HASH"},
    {"attributeName": "sk", "keyType": "RANGE"},
]


def _attributes(*names: str) -> list[Json]:
    return [{"attributeName": name, "attributeType": "S"} for name in names]


def _index(name: str, key: str, capacity: int = 0) -> dict[str, Json]:
    limits: dict[str, Json] = {"readCapacityUnits": capacity, "writeCapacityUnits": capacity}
    return {
        "indexName": name,
        "keySchema": [{"attributeName": key, "keyType": "HASH"}],
        "projection": {"projectionType": "INCLUDE", "nonKeyAttributes": ["b", "a"]},
        **({"provisionedThroughput": limits} if capacity else {}),
    }


TABLE = Case(
    kind="Table",
    base={
        "tableName": "kinds-table",
        "attributeDefinitions": _attributes("pk", "sk", "one"),
        "keySchema": _KEYS,
        "billingMode": "PAY_PER_REQUEST",
        "localSecondaryIndexes": [
            {
                "indexName": "local",
                "keySchema": [
                    {"attributeName": "pk", "keyType": "HASH"},
                    {"attributeName": "one", "keyType": "RANGE"},
                ],
                "projection": {"projectionType": "ALL"},
            }
        ],
        "globalSecondaryIndexes": [_index("by-one", "one")],
        "tableClass": "STANDARD",
        "timeToLive": {"attributeName": "expires", "enabled": True},
        "tags": _tags(a="1", b="2"),
    },
    steps={
        "second and third index": {
            "attributeDefinitions": _attributes("pk", "sk", "one", "two", "three"),
            "globalSecondaryIndexes": [
                _index("by-one", "one"),
                _index("by-two", "two"),
                _index("by-three", "three"),
            ],
        },
        "provisioned": {
            "billingMode": "PROVISIONED",
            "provisionedThroughput": {"readCapacityUnits": 2, "writeCapacityUnits": 2},
            "globalSecondaryIndexes": [
                _index("by-one", "one", 1),
                _index("by-two", "two", 1),
                _index("by-three", "three", 1),
            ],
        },
        "more throughput": {"provisionedThroughput": {"readCapacityUnits": 3, "writeCapacityUnits": 2}},
        "more of an index": {
            "globalSecondaryIndexes": [
                _index("by-one", "one", 1),
                _index("by-two", "two", 4),
                _index("by-three", "three", 1),
            ],
        },
        "fewer indexes": {
            "attributeDefinitions": _attributes("pk", "sk", "one", "two"),
            "globalSecondaryIndexes": [_index("by-two", "two", 4)],
        },
        "on demand again": {
            "billingMode": "PAY_PER_REQUEST",
            "provisionedThroughput": None,
            "globalSecondaryIndexes": [_index("by-two", "two")],
        },
        "bounded": {"onDemandThroughput": {"maxReadRequestUnits": 100, "maxWriteRequestUnits": 50}},
        "no index": {
            "attributeDefinitions": _attributes("pk", "sk", "one"),
            "globalSecondaryIndexes": None,
        },
        "a stream": {"streamSpecification": {"streamEnabled": True, "streamViewType": "KEYS_ONLY"}},
        "another view": {
            "streamSpecification": {"streamEnabled": True, "streamViewType": "NEW_AND_OLD_IMAGES"}
        },
        "stream off": {"streamSpecification": {"streamEnabled": False}},
        "no stream": {"streamSpecification": None, "tags": _tags(a="1")},
        "other expiry": {"timeToLive": {"attributeName": "other", "enabled": True}},
        "no expiry": {"timeToLive": None},
        "backups": {"continuousBackups": {"pointInTimeRecoveryEnabled": True}},
        "no backups": {"continuousBackups": {"pointInTimeRecoveryEnabled": False}},
        "a policy": {
            "resourcePolicy": policy(
                "dynamodb:GetItem",
                f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/kinds-table",
                Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            )
        },
        "no policy": {"resourcePolicy": None},
        "encrypted by KMS": {"sseSpecification": {"enabled": True, "sseType": "KMS"}},
        "encrypted by DynamoDB": {"sseSpecification": {"enabled": False}},
        "rarely read": {"tableClass": "STANDARD_INFREQUENT_ACCESS"},
        "protected": {"deletionProtectionEnabled": True},
        "not protected": {"deletionProtectionEnabled": None},
        "other tags": {"tags": _tags(b="3", c="4")},
    },
    lacks={
        "moto": {
            "onDemandThroughput": "moto's UpdateTable forgets it",
            "sseSpecification": "moto's UpdateTable forgets it",
            "rarely read": "moto's UpdateTable forgets the class",
            "another view": "moto starts no second stream on a table",
        },
        "engine": {"*": _DELEGATED},
    },
)

_BUCKET_ARN = "arn:aws:s3:::kinds-bucket"

BUCKET = Case(
    kind="Bucket",
    base={
        "name": "kinds-bucket",
        "versioning": {"status": "Enabled"},
        "encryption": {
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        },
        "publicAccessBlock": {"blockPublicACLs": True, "restrictPublicBuckets": True},
        "ownershipControls": {"rules": [{"objectOwnership": "BucketOwnerEnforced"}]},
        "lifecycle": {
            "rules": [
                {
                    "id": "old",
                    "status": "Enabled",
                    "filter": {"prefix": "tmp/"},
                    "expiration": {"days": 7},
                    "noncurrentVersionExpiration": {"noncurrentDays": 3},
                },
                {
                    "id": "then",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"date": "2030-01-01T00:00:00Z"},
                },
            ]
        },
        "cors": {"corsRules": [{"allowedMethods": ["GET", "PUT"], "allowedOrigins": ["https://a.example"]}]},
        "tagging": {"tagSet": _tags(a="1", b="2")},
    },
    needs=(
        (
            "Bucket",
            {
                "name": "kinds-logs",
                "policy": policy(
                    "s3:PutObject",
                    "arn:aws:s3:::kinds-logs/*",
                    Principal={"Service": "logging.s3.amazonaws.com"},
                ),
            },
        ),
    ),
    steps={
        "versioning suspended": {"versioning": {"status": "Suspended"}},
        "encrypted by a key": {
            "encryption": {
                "rules": [
                    {
                        "applyServerSideEncryptionByDefault": {
                            "sseAlgorithm": "aws:kms",
                            "kmsMasterKeyID": KEY,
                        },
                        "bucketKeyEnabled": True,
                    }
                ]
            }
        },
        "less blocked": {"publicAccessBlock": {"blockPublicACLs": False, "ignorePublicACLs": True}},
        "other owner": {"ownershipControls": {"rules": [{"objectOwnership": "BucketOwnerPreferred"}]}},
        "other lifecycle": {
            "lifecycle": {
                "rules": [
                    {
                        "id": "parts",
                        "status": "Enabled",
                        "filter": {"prefix": ""},
                        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 2},
                    }
                ]
            }
        },
        "no lifecycle": {"lifecycle": None},
        "other cors": {
            "cors": {
                "corsRules": [
                    {
                        "allowedMethods": ["PUT", "GET"],
                        "allowedOrigins": ["https://b.example"],
                        "allowedHeaders": ["*"],
                        "exposeHeaders": ["ETag"],
                        "maxAgeSeconds": 60,
                    }
                ]
            }
        },
        "no cors": {"cors": None},
        "a policy": {
            "policy": policy("s3:GetObject", f"{_BUCKET_ARN}/*", Principal={"AWS": ACCOUNT}),
        },
        "another policy": {
            "policy": policy("s3:PutObject", f"{_BUCKET_ARN}/*", Principal={"AWS": ACCOUNT}),
        },
        "no policy": {"policy": None},
        "a notification": {
            "notification": {
                "queueConfigurations": [
                    {"id": "made", "queueARN": "${queue}", "events": ["s3:ObjectCreated:*"]}
                ]
            }
        },
        "another event": {
            "notification": {
                "queueConfigurations": [
                    {
                        "id": "made",
                        "queueARN": "${queue}",
                        "events": ["s3:ObjectRemoved:*", "s3:ObjectCreated:*"],
                        "filter": {"key": {"filterRules": [{"name": "prefix", "value": "in/"}]}},
                    }
                ]
            }
        },
        "no notification": {"notification": None},
        "logged": {"logging": {"loggingEnabled": {"targetBucket": "kinds-logs", "targetPrefix": "log/"}}},
        "not logged": {"logging": None},
        "other tags": {"tagging": {"tagSet": _tags(b="3", c="4")}},
    },
    lacks={"engine": {"*": _DELEGATED}},
    elsewhere={"createBucketConfiguration": "test_s3.py::test_region_of_a_bucket_is_said_once"},
)

LOCKED_BUCKET = Case(
    name="Bucket-locked",
    kind="Bucket",
    base={"name": "kinds-locked", "objectLockEnabledForBucket": True},
    steps={"tagged": {"tagging": {"tagSet": _tags(a="1")}}},
    lacks={"engine": {"*": _DELEGATED}},
)

CASES: tuple[Case, ...] = (REPOSITORY, ROLE, POLICY, LOG_GROUP, TABLE, BUCKET, LOCKED_BUCKET)
