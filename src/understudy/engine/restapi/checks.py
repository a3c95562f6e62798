"""What is checked of a REST API's resources, methods and integrations before they are written; pure.

Texts are AWS's where a recording of them is public (LocalStack's apigateway tests).
"""

import re

from understudy.engine.executeapi.store import ApiRecord, Document
from understudy.engine.restapi import http_proxy, mock
from understudy.engine.restapi.lookup import bad_request, conflict

MAX_TIMEOUT_MS = 29_000
_MIN_TIMEOUT_MS = 50
_PART = re.compile(r"[A-Za-z0-9._:-]+|\{[A-Za-z0-9._:-]+\+?\}")
_INVOKE = "path/2015-03-31/functions/"


def check_part(record: ApiRecord, parent: Document, part: str) -> None:
    """Passes when a resource of that name may hang below `parent`.

    Raises:
        ApiError: BadRequestException, ConflictException.
    """
    if _PART.fullmatch(part) is None:
        raise bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly "
            "braces at the beginning and the end."
        )
    if parent.get("pathPart", "").endswith("+}"):
        raise bad_request(
            f"Cannot create a child of a resource with a greedy path variable: {parent['pathPart']}"
        )
    for sibling in [one for one in record.resources.values() if one.get("parentId") == parent["id"]]:
        if sibling["pathPart"] == part:
            raise conflict(f"Another resource with the same parent already has this name: {part}")
        if part.startswith("{") and sibling["pathPart"].startswith("{"):
            raise bad_request(
                f"A sibling ({sibling['pathPart']}) of this resource already has a variable path part -- "
                "only one is allowed"
            )


def check_method(record: ApiRecord, method: Document) -> None:
    """Passes when what guards a method is there.

    Raises:
        ApiError: BadRequestException.
    """
    kind = method["authorizationType"].upper()
    authorizer = record.authorizers.get(method.get("authorizerId", ""), {})
    guards = {"COGNITO_USER_POOLS": ("COGNITO_USER_POOLS",), "CUSTOM": ("TOKEN", "REQUEST")}.get(kind, ())
    if kind not in ("NONE", "AWS_IAM") and authorizer.get("type") not in guards:
        raise bad_request(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
            "COGNITO_USER_POOLS requires a valid authorizer."
        )
    if method.get("requestValidatorId"):
        raise bad_request("Invalid Request Validator identifier specified")


def check_integration(integration: Document) -> None:
    """Passes when understudy can run an integration.

    Raises:
        ApiError: BadRequestException.
    """
    kind = integration["type"]
    if kind not in _OF_KIND:
        raise bad_request(f"understudy runs {', '.join(_OF_KIND)} integrations; got {kind}")
    if integration.get("connectionType", "INTERNET") != "INTERNET":
        raise bad_request("understudy has no VPC links")
    if integration.get("responseTransferMode", "BUFFERED") != "BUFFERED":
        raise bad_request("understudy buffers responses of REST APIs; got responseTransferMode STREAM")
    if not _MIN_TIMEOUT_MS <= integration["timeoutInMillis"] <= MAX_TIMEOUT_MS:
        raise bad_request(f"Timeout should be between {_MIN_TIMEOUT_MS} ms and {MAX_TIMEOUT_MS} ms")
    _OF_KIND[kind](integration)


def _check_function(integration: Document) -> None:
    uri = integration.get("uri", "")
    if not integration.get("httpMethod"):
        raise bad_request("Enumeration value for HttpMethod must be non-empty")
    if not uri.startswith("arn:"):
        raise bad_request("Invalid ARN specified in the request")
    if ":lambda:" not in uri or _INVOKE not in uri:
        raise bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
            "invocations."
        )


def _check_endpoint(integration: Document) -> None:
    http_proxy.check(integration.get("requestParameters"))
    if not integration.get("uri", "").startswith(("http://", "https://")):
        raise bad_request("Invalid HTTP endpoint specified for URI")


def _check_mock(integration: Document) -> None:
    mock.check_templates(integration.get("requestTemplates"))


_OF_KIND = {"AWS_PROXY": _check_function, "HTTP_PROXY": _check_endpoint, "MOCK": _check_mock}
