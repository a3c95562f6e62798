"""How the engine's init hooks fare, read from its LocalStack-compatible endpoint."""

import time
from typing import Any

from understudy.targets import http

_WITHIN_S = 60.0
_PAUSE_S = 0.02


def wait_for_ready(endpoint: str) -> list[str]:
    """Returns the names of the ready hooks that failed, once all have ended (or a minute has passed)."""
    deadline = time.monotonic() + _WITHIN_S
    document: dict[str, Any] = http.get_json(f"{endpoint}/_localstack/init/ready")
    while not document["completed"] and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
        document = http.get_json(f"{endpoint}/_localstack/init/ready")
    return [script["name"] for script in document["scripts"] if script["state"] != "SUCCESSFUL"]
