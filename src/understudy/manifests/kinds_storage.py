"""Kinds of ECR, IAM, DynamoDB, S3 and CloudWatch Logs."""

from understudy.manifests.kind import ExtraField, Kind, RefField

_REPOSITORY = Kind(
    name="Repository",
    group="ecr.services.k8s.aws",
    service="ecr",
    create="CreateRepository",
    identity="name",
    renames={"repositoryName": "name"},
    extra={
        "policy": ExtraField(operation="SetRepositoryPolicy", member="policyText"),
        "lifecyclePolicy": ExtraField(operation="PutLifecyclePolicy", member="lifecyclePolicyText"),
    },
    refs={
        "encryptionConfiguration.kmsKeyRef": RefField(
            value="encryptionConfiguration.kmsKey", kind="Key", result="arn"
        )
    },
    required=("name",),
    documents=frozenset({"policy", "lifecyclePolicy"}),
)

_TABLE = Kind(
    name="Table",
    group="dynamodb.services.k8s.aws",
    service="dynamodb",
    create="CreateTable",
    identity="tableName",
    absent=frozenset(
        [
            "WarmThroughput",
            "GlobalSecondaryIndexes.WarmThroughput",
            "GlobalTableSourceArn",
            "GlobalTableSettingsReplicationMode",
            "VectorIndexes",
        ]
    ),
    extra={
        "timeToLive": ExtraField(operation="UpdateTimeToLive", member="TimeToLiveSpecification"),
        "continuousBackups": ExtraField(
            operation="UpdateContinuousBackups",
            member="PointInTimeRecoverySpecification",
            absent=frozenset({"RecoveryPeriodInDays"}),
        ),
        "contributorInsights": ExtraField(
            operation="UpdateContributorInsights", member="ContributorInsightsAction"
        ),
        "tableReplicas": ExtraField(
            operation="UpdateTable",
            member="ReplicaUpdates.Create",
            absent=frozenset(
                [
                    "OnDemandThroughputOverride",
                    "GlobalSecondaryIndexes.OnDemandThroughputOverride",
                    "GlobalSecondaryIndexes.WarmThroughput",
                ]
            ),
            element=True,
        ),
    },
    refs={
        "sseSpecification.kmsMasterKeyRef": RefField(
            value="sseSpecification.kmsMasterKeyID", kind="Key", result="arn"
        )
    },
    required=("tableName", "attributeDefinitions", "keySchema"),
    documents=frozenset({"resourcePolicy"}),
)


def _put(operation: str, member: str, *absent: str) -> ExtraField:
    return ExtraField(operation=operation, member=member, absent=frozenset(absent))


def _put_each(operation: str, member: str, *absent: str) -> ExtraField:
    return ExtraField(operation=operation, member=member, absent=frozenset(absent), element=True)


_BUCKET = Kind(
    name="Bucket",
    group="s3.services.k8s.aws",
    service="s3",
    create="CreateBucket",
    identity="name",
    renames={"Bucket": "name", "BucketNamespace": "namespace"},
    absent=frozenset({"CreateBucketConfiguration.Tags"}),
    extra={
        "abac": _put("PutBucketAbac", "AbacStatus"),
        "accelerate": _put("PutBucketAccelerateConfiguration", "AccelerateConfiguration"),
        "analytics": _put_each("PutBucketAnalyticsConfiguration", "AnalyticsConfiguration"),
        "cors": _put("PutBucketCors", "CORSConfiguration"),
        "encryption": _put(
            "PutBucketEncryption", "ServerSideEncryptionConfiguration", "Rules.BlockedEncryptionTypes"
        ),
        "intelligentTiering": _put_each(
            "PutBucketIntelligentTieringConfiguration", "IntelligentTieringConfiguration"
        ),
        "inventory": _put_each(
            "PutBucketInventoryConfiguration",
            "InventoryConfiguration",
            "Destination.S3BucketDestination.Encryption.SSES3",
        ),
        "lifecycle": _put("PutBucketLifecycleConfiguration", "LifecycleConfiguration"),
        "logging": _put("PutBucketLogging", "BucketLoggingStatus", "LoggingEnabled.TargetObjectKeyFormat"),
        "metrics": _put_each("PutBucketMetricsConfiguration", "MetricsConfiguration"),
        "notification": _put(
            "PutBucketNotificationConfiguration", "NotificationConfiguration", "EventBridgeConfiguration"
        ),
        "objectLockConfiguration": _put(
            "PutObjectLockConfiguration",
            "ObjectLockConfiguration",
            "ObjectLockEnabled",
            "Rule.DefaultRetention.DefaultEventHold",
        ),
        "ownershipControls": _put("PutBucketOwnershipControls", "OwnershipControls"),
        "policy": _put("PutBucketPolicy", "Policy"),
        "publicAccessBlock": _put("PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
        "replication": _put("PutBucketReplication", "ReplicationConfiguration"),
        "requestPayment": _put("PutBucketRequestPayment", "RequestPaymentConfiguration"),
        "tagging": _put("PutBucketTagging", "Tagging"),
        "versioning": _put("PutBucketVersioning", "VersioningConfiguration", "MFADelete"),
        "website": _put("PutBucketWebsite", "WebsiteConfiguration"),
    },
    refs={"replication.roleRef": RefField(value="replication.role", kind="Role", result="arn")},
    required=("name",),
    documents=frozenset({"policy"}),
)

_ROLE = Kind(
    name="Role",
    group="iam.services.k8s.aws",
    service="iam",
    create="CreateRole",
    identity="name",
    renames={"RoleName": "name"},
    extra={
        "inlinePolicies": ExtraField(operation="PutRolePolicy", simple="strings"),
        "policies": ExtraField(operation="AttachRolePolicy", simple="list"),
    },
    refs={
        "permissionsBoundaryRef": RefField(value="permissionsBoundary", kind="Policy", result="arn"),
        "policyRefs": RefField(value="policies", kind="Policy", result="arn", many=True),
    },
    required=("name", "assumeRolePolicyDocument"),
    documents=frozenset({"assumeRolePolicyDocument", "inlinePolicies"}),
)

_POLICY = Kind(
    name="Policy",
    group="iam.services.k8s.aws",
    service="iam",
    create="CreatePolicy",
    found_by=("arn",),
    identity="name",
    renames={"PolicyName": "name"},
    required=("name", "policyDocument"),
    documents=frozenset({"policyDocument"}),
)

_LOG_GROUP = Kind(
    name="LogGroup",
    group="cloudwatchlogs.services.k8s.aws",
    service="logs",
    create="CreateLogGroup",
    identity="name",
    renames={"logGroupName": "name"},
    absent=frozenset({"logGroupClass", "deletionProtectionEnabled"}),
    extra={
        "retentionDays": ExtraField(operation="PutRetentionPolicy", member="retentionInDays"),
        "subscriptionFilters": ExtraField(
            operation="PutSubscriptionFilter",
            element=True,
            absent=frozenset(
                ["logGroupName", "applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFields"]
            ),
        ),
    },
    refs={"kmsKeyRef": RefField(value="kmsKeyID", kind="Key", result="arn")},
    required=("name",),
)


KINDS = (_REPOSITORY, _ROLE, _POLICY, _TABLE, _BUCKET, _LOG_GROUP)
