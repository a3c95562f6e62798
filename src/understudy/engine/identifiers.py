"""Identifiers that name one request: request ids and X-Ray trace ids, in AWS's forms.

They are unique, not secret, so they cost no system call; nothing that guards anything is made here.
"""

import base64
import random

_random = random.Random()  # noqa: S311 - see above


def request_id() -> str:
    """Returns a request id in AWS's form, a version 4 UUID."""
    text = f"{_random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def extended_request_id() -> str:
    """Returns an extended request id as API Gateway makes them, ``JKJaXmPLvHcESHA=``."""
    return base64.b64encode(_random.randbytes(11)).decode()


def trace_root(epoch_s: float) -> str:
    """Returns a new X-Ray trace id, `Root=1-` and so on.

    See https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    return f"Root=1-{int(epoch_s):08x}-{_random.getrandbits(96):024x}"


def trace_header(epoch_s: float) -> str:
    """Returns a new X-Ray header of a request that is not sampled."""
    return f"{trace_root(epoch_s)};Parent={_random.getrandbits(64):016x};Sampled=0"
