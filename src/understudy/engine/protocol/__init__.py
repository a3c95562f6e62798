"""The wire of AWS services, read from botocore's models: bytes become a `Call`, answers become bytes again.

Everybody in the engine speaks the words of `call`; the codec is for who serves requests. Refuses to know what
an operation does, and protocols that no owned service speaks (query, XML).
"""

from understudy.engine.protocol.call import (
    BODILESS,
    DEFAULT_ACCOUNT_ID,
    DEFAULT_REGION,
    ApiError,
    Call,
    HttpRequest,
    HttpResponse,
    Message,
    Operation,
    Receive,
    Router,
    Scope,
    Send,
    Service,
    Value,
)

__all__ = [
    "BODILESS",
    "DEFAULT_ACCOUNT_ID",
    "DEFAULT_REGION",
    "ApiError",
    "Call",
    "HttpRequest",
    "HttpResponse",
    "Message",
    "Operation",
    "Receive",
    "Router",
    "Scope",
    "Send",
    "Service",
    "Value",
]
