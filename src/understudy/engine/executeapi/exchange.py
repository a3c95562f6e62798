"""How one request to a stage went, for its access log."""

import json
import time

from understudy.engine.executeapi.http import HttpResponse

NO_PERMISSION = (
    "The IAM role configured on the integration or API Gateway doesn't have permissions to call the "
    "integration. Check the permissions and try again."
)
"""AWS's text of ``$context.integrationErrorMessage`` where the function's policy has no word for the API."""


class Exchange:
    """What the access log says beyond the request itself; begins when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._known: dict[str, object] = {}

    def outcome(self, sent: HttpResponse) -> dict[str, object]:
        """Returns the ``$context`` variables of the finished request by their path."""
        return {
            "responseLatency": self._elapsed_ms(self._began),
            "responseLength": len(sent.body),
            "status": sent.status,
            **self._known,
        }

    def integrated(self, began: float, status: int, error: str | None) -> None:
        """Notes how the integration went that was called at `began`."""
        self._known["integrationLatency"] = self._known["integration.latency"] = self._elapsed_ms(began)
        self._known["integrationStatus"] = self._known["integration.status"] = status
        if error:
            self._known["integrationErrorMessage"] = self._known["integration.error"] = error

    def failed(self, text: str | None, *, authorizer: str | None = None) -> None:
        """Notes what an answer of the gateway's own says, and why if an authorizer said no."""
        self._known |= {"error.message": text, "error.messageString": json.dumps(text)}
        if authorizer:
            self._known["authorizer.error"] = authorizer

    @staticmethod
    def _elapsed_ms(since: float) -> int:
        return round((time.perf_counter() - since) * 1000)
