"""Kinds of API Gateway: HTTP and WebSocket APIs (`apigatewayv2`) and REST APIs (`apigateway`)."""

from understudy.manifests.kind import ExtraField, Kind, RefField

_V2 = "apigatewayv2.services.k8s.aws"
_API_REF = {"apiRef": RefField(value="apiID", kind="API", result="apiID")}

# Names of REST kinds that HTTP APIs have too start with Rest, for plans and references; documents say
# `kind: Stage` with this group's apiVersion, as ACK does.
_V1 = "apigateway.services.k8s.aws"
_REST_REF = {"restAPIRef": RefField(value="restAPIID", kind="RestAPI", result="id")}
_RESOURCE_REF = {"resourceRef": RefField(value="resourceID", kind="Resource", result="id")}

_API = Kind(
    name="API",
    group=_V2,
    service="apigatewayv2",
    create="CreateApi",
    found_by=("apiID",),
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
    group=_V2,
    service="apigatewayv2",
    create="CreateIntegration",
    found_by=("apiID", "integrationID"),
    refs={
        **_API_REF,
        "connectionRef": RefField(value="connectionID", kind="VPCLink", result="vpcLinkID"),
    },
    required=("apiID", "integrationType"),
)

_ROUTE = Kind(
    name="Route",
    group=_V2,
    service="apigatewayv2",
    create="CreateRoute",
    found_by=("apiID", "routeID"),
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
    group=_V2,
    service="apigatewayv2",
    create="CreateStage",
    found_by=("apiID", "stageName"),
    identity="stageName",
    refs={
        **_API_REF,
        "deploymentRef": RefField(value="deploymentID", kind="Deployment", result="deploymentID"),
    },
    required=("apiID", "stageName"),
)

_DEPLOYMENT = Kind(
    name="Deployment",
    group=_V2,
    service="apigatewayv2",
    create="CreateDeployment",
    found_by=("apiID", "deploymentID"),
    refs=_API_REF,
    required=("apiID",),
    after=("Integration", "Route"),
)


_AUTHORIZER = Kind(
    name="Authorizer",
    group=_V2,
    service="apigatewayv2",
    create="CreateAuthorizer",
    found_by=("apiID", "authorizerID"),
    refs=_API_REF,
    required=("apiID", "authorizerType", "identitySource", "name"),
)

_REST_API = Kind(
    name="RestAPI",
    group=_V1,
    service="apigateway",
    create="CreateRestApi",
    found_by=("id",),
    refs={
        "cloneFromRef": RefField(value="cloneFrom", kind="RestAPI", result="id"),
        "endpointConfiguration.vpcEndpointRefs": RefField(
            value="endpointConfiguration.vpcEndpointIDs", kind="VPCEndpoint", result="id", many=True
        ),
    },
    required=("name",),
    documents=frozenset({"policy"}),
)

_RESOURCE = Kind(
    name="Resource",
    group=_V1,
    service="apigateway",
    create="CreateResource",
    found_by=("restAPIID", "id"),
    refs={**_REST_REF, "parentRef": RefField(value="parentID", kind="Resource", result="id")},
    required=("restAPIID", "parentID", "pathPart"),
)

_METHOD = Kind(
    name="Method",
    group=_V1,
    service="apigateway",
    create="PutMethod",
    found_by=("restAPIID", "resourceID", "httpMethod"),
    refs={
        **_REST_REF,
        **_RESOURCE_REF,
        "authorizerRef": RefField(value="authorizerID", kind="RestAuthorizer", result="id"),
    },
    required=("restAPIID", "resourceID", "httpMethod", "authorizationType"),
)

_REST_INTEGRATION = Kind(
    name="RestIntegration",
    document_kind="Integration",
    group=_V1,
    service="apigateway",
    create="PutIntegration",
    found_by=("restAPIID", "resourceID", "httpMethod"),
    refs={
        **_REST_REF,
        **_RESOURCE_REF,
        "connectionRef": RefField(value="connectionID", kind="VPCLink", result="id"),
    },
    required=("restAPIID", "resourceID", "httpMethod", "type"),
    after=("Method",),
)

_REST_DEPLOYMENT = Kind(
    name="RestDeployment",
    document_kind="Deployment",
    group=_V1,
    service="apigateway",
    create="CreateDeployment",
    found_by=("restAPIID", "id"),
    refs=_REST_REF,
    required=("restAPIID",),
    after=("Resource", "Method", "RestIntegration"),
)

_REST_STAGE = Kind(
    name="RestStage",
    document_kind="Stage",
    group=_V1,
    service="apigateway",
    create="CreateStage",
    found_by=("restAPIID", "stageName"),
    identity="stageName",
    refs={
        **_REST_REF,
        "deploymentRef": RefField(value="deploymentID", kind="RestDeployment", result="id"),
    },
    required=("restAPIID", "stageName", "deploymentID"),
)

KINDS = (
    _API,
    _AUTHORIZER,
    _INTEGRATION,
    _ROUTE,
    _DEPLOYMENT,
    _STAGE,
    _REST_API,
    _RESOURCE,
    _METHOD,
    _REST_INTEGRATION,
    _REST_DEPLOYMENT,
    _REST_STAGE,
)
