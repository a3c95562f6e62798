"""What Lambda answers to an invocation, as the SDK hands it over."""

import base64
import io
from collections.abc import Callable, Mapping
from typing import Any

TAIL = b"START RequestId: 1\nREPORT RequestId: 1\n"


def answer(payload: bytes, *, error: str = "") -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """An answer with a body that can be read once."""

    def made(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "Payload": io.BytesIO(payload),
            "ExecutedVersion": "3",
            "LogResult": base64.b64encode(TAIL).decode(),
            **({"FunctionError": error} if error else {}),
        }

    return made
