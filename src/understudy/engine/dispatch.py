"""Says which service a request is for: by SigV4 credential scope, then by X-Amz-Target, then by path.

The signature is the only thing that tells API Gateway's ``/v2/apis`` from the registry's ``/v2/``, so it is
looked at first; what is signed for API Gateway and not below ``/v2/`` is for REST APIs. Unsigned requests of
curl and the registry clients are told apart by their paths. Nothing is verified: locally any key is valid, as
on LocalStack.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from understudy.engine.protocol import DEFAULT_ACCOUNT_ID, DEFAULT_REGION

_SIGNED_AS = {"lambda": "lambda", "ecr": "ecr", "logs": "logs"}
_TARGETS = {"AmazonEC2ContainerRegistry_V20150921": "ecr", "Logs_20140328": "logs"}
_API_GATEWAY_PATH = re.compile(r"/v2/(apis|tags|domainnames|vpclinks)(/|$)")
_LAMBDA_PATH = re.compile(r"/20\d\d-\d\d-\d\d/(functions|layers|event-source-mappings|account-settings)(/|$)")
_CREDENTIAL = b"Credential="
_PRESIGNED = b"X-Amz-Credential="


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The part of a SigV4 signature that names its sender and its service."""

    access_key: str
    region: str
    service: str


def signature(headers: Mapping[bytes, bytes], query: bytes) -> Signature | None:
    """Returns whose request this is, from the Authorization header or a presigned query; None if unsigned."""
    authorization = headers.get(b"authorization")
    if authorization is not None:
        start = authorization.find(_CREDENTIAL)
        if start < 0 or not authorization.startswith(b"AWS4-"):
            return None
        return _credential(authorization[start + len(_CREDENTIAL) :].split(b",", 1)[0].decode("latin-1"))
    start = query.find(_PRESIGNED)
    if start < 0:
        return None
    return _credential(unquote(query[start + len(_PRESIGNED) :].split(b"&", 1)[0].decode("latin-1")))


def _credential(text: str) -> Signature | None:
    """Parses ``AKID/20260102/us-east-1/lambda/aws4_request``; SigV4A leaves the region out."""
    parts = text.strip().split("/")
    if len(parts) >= 5:
        return Signature(access_key="/".join(parts[:-4]), region=parts[-3], service=parts[-2])
    if len(parts) == 4:
        return Signature(access_key=parts[0], region=DEFAULT_REGION, service=parts[2])
    return None


def account_id(signed: Signature | None) -> str:
    """Returns the account of a request: an access key of twelve digits names it, as on LocalStack."""
    if signed is not None and len(signed.access_key) == 12 and signed.access_key.isdigit():
        return signed.access_key
    return DEFAULT_ACCOUNT_ID


class Dispatcher:
    """Finds the owned service of a request among those that are really there."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(services)

    def signed(self, signed: Signature | None, target: bytes | None, path: str) -> str | None:
        """Returns the owned service that the signature or the target header names."""
        service = None
        if signed is not None:
            service = _SIGNED_AS.get(signed.service)
            if signed.service == "apigateway":
                service = "apigatewayv2" if path.startswith("/v2/") else "apigateway"
        elif target is not None:
            service = _TARGETS.get(target.decode("latin-1").partition(".")[0])
        return service if service in self._services else None

    def unsigned(self, path: str) -> str | None:
        """Returns the owned service that an unsigned request's path names."""
        service = None
        if _LAMBDA_PATH.match(path):
            service = "lambda"
        elif _API_GATEWAY_PATH.match(path):
            service = "apigatewayv2"
        return service if service in self._services else None
