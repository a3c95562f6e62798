"""Kinds of Lambda."""

from understudy.manifests.kind import ExtraField, Kind, RefField

_GROUP = "lambda.services.k8s.aws"
_FUNCTION_REF = {"functionRef": RefField(value="functionName", kind="Function", result="name")}
_EVENT_INVOKE = ExtraField(operation="PutFunctionEventInvokeConfig")
_PROVISIONED = ExtraField(operation="PutProvisionedConcurrencyConfig")

_FUNCTION = Kind(
    name="Function",
    group=_GROUP,
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
    group=_GROUP,
    service="lambda",
    create="CreateAlias",
    found_by=("functionName", "name"),
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
    group=_GROUP,
    service="lambda",
    create="PublishVersion",
    found_by=("functionName", "version"),
    absent=frozenset({"PublishTo"}),
    extra={"functionEventInvokeConfig": _EVENT_INVOKE, "provisionedConcurrencyConfig": _PROVISIONED},
    refs=_FUNCTION_REF,
    required=("functionName",),
)

_FUNCTION_URL = Kind(
    name="FunctionURLConfig",
    group=_GROUP,
    service="lambda",
    create="CreateFunctionUrlConfig",
    found_by=("functionName",),
    absent=frozenset({"InvokeMode"}),
    refs=_FUNCTION_REF,
    required=("functionName", "authType"),
)


_MAPPING = Kind(
    name="EventSourceMapping",
    group=_GROUP,
    service="lambda",
    create="CreateEventSourceMapping",
    found_by=("uuid",),
    absent=frozenset(
        [
            "KMSKeyArn",
            "MetricsConfig",
            "LoggingConfig",
            "Tags",
            "DocumentDBEventSourceConfig",
            "ProvisionedPollerConfig",
            "SelfManagedKafkaEventSourceConfig.ConsumptionMode",
        ]
    ),
    refs={
        **_FUNCTION_REF,
        "eventSourceRef": RefField(value="eventSourceARN", kind="Cluster", result="arn"),
        "queueRefs": RefField(value="queues", kind="Queue", result="name", many=True),
    },
    required=("functionName",),
)

KINDS = (_FUNCTION, _VERSION, _ALIAS, _FUNCTION_URL, _MAPPING)
