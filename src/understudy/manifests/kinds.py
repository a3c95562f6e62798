"""The kinds of ACK resources that a stack may hold, and how each departs from its AWS operation.

A kind's fields are the input members of its create operation, named as ACK names them, minus `absent`
(what ACK does not offer), plus `extra` (what AWS sets by another call). The rest of the departures are
listed here row by row, from NOTES 2.2; an unknown kind is an error, never a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class RefField:
    """A reference that a manifest may write instead of a value.

    Attributes:
        value: path of the field it stands for.
        kind: kind of the resource it names.
        result: field of that resource it resolves to.
        many: whether it is a list of references.
        prefix: text put before the resolved value.
    """

    value: str
    kind: str
    result: str
    many: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraField:
    """A field that AWS sets by an operation of its own.

    Attributes:
        operation: that operation, or empty for a field that ACK invented.
        member: input member that the field stands for; empty means the operation's whole input.
        element: whether the field is a list of such values.
        simple: type of the field where it is no shape of AWS: `string`, or `strings` for a map of texts
            and `list` for a list of texts.
        absent: members of the value that ACK does not offer.
    """

    operation: str = ""
    member: str = ""
    element: bool = False
    simple: str = ""
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind: its API group, AWS operation and departures.

    Attributes:
        name: the kind, as in `kind:`.
        group: API group.
        service: botocore's name of the service.
        create: AWS operation whose input the spec follows.
        identity: spec field that holds the AWS name; empty where AWS invents an id.
        renames: AWS member to ACK field, where the derived name is not used.
        absent: paths of members that ACK does not offer.
        extra: fields that other operations set.
        refs: reference fields by path.
        required: fields without which neither ACK nor AWS accepts the resource.
        documents: fields whose text is JSON; compared as JSON.
    """

    name: str
    group: str
    service: str
    create: str
    identity: str = ""
    renames: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    extra: Mapping[str, ExtraField] = field(default_factory=dict)
    refs: Mapping[str, RefField] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    documents: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        """What a document writes as `apiVersion`."""
        return f"{self.group}/v1alpha1"


_FUNCTION_REF = {"functionRef": RefField(value="functionName", kind="Function", result="name")}
_API_REF = {"apiRef": RefField(value="apiID", kind="API", result="apiID")}
_EVENT_INVOKE = ExtraField(operation="PutFunctionEventInvokeConfig")
_PROVISIONED = ExtraField(operation="PutProvisionedConcurrencyConfig")
_LAMBDA = "lambda.services.k8s.aws"
_GATEWAY = "apigatewayv2.services.k8s.aws"

_FUNCTION = Kind(
    name="Function",
    group=_LAMBDA,
    service="lambda",
    create="CreateFunction",
    identity="name",
    renames={"FunctionName": "name"},
    absent=frozenset(
        [
            "PublishTo",
            "CapacityProviderConfig",
            "RuntimeConfig",
            "AcceleratorConfig",
            "Code.SourceKMSKeyArn",
            "Code.S3ObjectStorageMode",
            "VpcConfig.Ipv6AllowedForDualStack",
            "FileSystemConfigs.S3FilesConfig",
            "DurableConfig.KMSKeyArn",
        ]
    ),
    extra={
        "code.sha256": ExtraField(simple="string"),
        "reservedConcurrentExecutions": ExtraField(
            operation="PutFunctionConcurrency", member="ReservedConcurrentExecutions"
        ),
        "functionEventInvokeConfig": _EVENT_INVOKE,
    },
    refs={
        "roleRef": RefField(value="role", kind="Role", result="arn"),
        "kmsKeyRef": RefField(value="kmsKeyARN", kind="Key", result="arn"),
        "codeSigningConfigRef": RefField(
            value="codeSigningConfigARN", kind="CodeSigningConfig", result="arn"
        ),
        "code.s3BucketRef": RefField(value="code.s3Bucket", kind="Bucket", result="name"),
        "vpcConfig.subnetRefs": RefField(
            value="vpcConfig.subnetIDs", kind="Subnet", result="subnetID", many=True
        ),
        "vpcConfig.securityGroupRefs": RefField(
            value="vpcConfig.securityGroupIDs", kind="SecurityGroup", result="id", many=True
        ),
    },
    required=("name", "code", "role"),
)

_ALIAS = Kind(
    name="Alias",
    group=_LAMBDA,
    service="lambda",
    create="CreateAlias",
    identity="name",
    extra={
        "permissions": ExtraField(
            operation="AddPermission",
            element=True,
            absent=frozenset({"FunctionName", "Qualifier", "InvokedViaFunctionUrl"}),
        ),
        "functionEventInvokeConfig": _EVENT_INVOKE,
        "provisionedConcurrencyConfig": _PROVISIONED,
    },
    refs=_FUNCTION_REF,
    required=("name", "functionName", "functionVersion"),
)

_VERSION = Kind(
    name="Version",
    group=_LAMBDA,
    service="lambda",
    create="PublishVersion",
    absent=frozenset({"PublishTo"}),
    extra={"functionEventInvokeConfig": _EVENT_INVOKE, "provisionedConcurrencyConfig": _PROVISIONED},
    refs=_FUNCTION_REF,
    required=("functionName",),
)

_FUNCTION_URL = Kind(
    name="FunctionURLConfig",
    group=_LAMBDA,
    service="lambda",
    create="CreateFunctionUrlConfig",
    absent=frozenset({"InvokeMode"}),
    refs=_FUNCTION_REF,
    required=("functionName", "authType"),
)

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

_API = Kind(
    name="API",
    group=_GATEWAY,
    service="apigatewayv2",
    create="CreateApi",
    absent=frozenset({"IpAddressType"}),
    extra={
        "body": ExtraField(operation="ImportApi", member="Body"),
        "basepath": ExtraField(operation="ImportApi", member="Basepath"),
        "failOnWarnings": ExtraField(operation="ImportApi", member="FailOnWarnings"),
    },
    documents=frozenset({"body"}),
)

_INTEGRATION = Kind(
    name="Integration",
    group=_GATEWAY,
    service="apigatewayv2",
    create="CreateIntegration",
    refs={
        **_API_REF,
        "connectionRef": RefField(value="connectionID", kind="VPCLink", result="vpcLinkID"),
    },
    required=("apiID", "integrationType"),
)

_ROUTE = Kind(
    name="Route",
    group=_GATEWAY,
    service="apigatewayv2",
    create="CreateRoute",
    refs={
        **_API_REF,
        "authorizerRef": RefField(value="authorizerID", kind="Authorizer", result="authorizerID"),
        "targetRef": RefField(
            value="target", kind="Integration", result="integrationID", prefix="integrations/"
        ),
    },
    required=("apiID", "routeKey"),
)

_STAGE = Kind(
    name="Stage",
    group=_GATEWAY,
    service="apigatewayv2",
    create="CreateStage",
    identity="stageName",
    refs={
        **_API_REF,
        "deploymentRef": RefField(value="deploymentID", kind="Deployment", result="deploymentID"),
    },
    required=("apiID", "stageName"),
)

_DEPLOYMENT = Kind(
    name="Deployment",
    group=_GATEWAY,
    service="apigatewayv2",
    create="CreateDeployment",
    refs=_API_REF,
    required=("apiID",),
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

_ALL = (
    _REPOSITORY,
    _ROLE,
    _POLICY,
    _TABLE,
    _BUCKET,
    _LOG_GROUP,
    _FUNCTION,
    _VERSION,
    _ALIAS,
    _FUNCTION_URL,
    _API,
    _INTEGRATION,
    _ROUTE,
    _DEPLOYMENT,
    _STAGE,
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})
