"""The part of the Lambda service that the gateways call."""

from typing import Protocol

PRINCIPAL = "apigateway.amazonaws.com"


class Outcome(Protocol):
    """What an invocation gave back."""

    @property
    def payload(self) -> bytes:
        """The function's answer, or its error document."""
        ...

    @property
    def function_error(self) -> str | None:
        """``Handled`` or ``Unhandled`` when the function failed."""
        ...


class Invoker(Protocol):
    """Invokes functions, and knows who may."""

    async def invoke(self, arn: str, payload: bytes) -> Outcome:
        """Invokes the function, version or alias that `arn` names and waits for its answer.

        Raises:
            ApiError: no such function, throttled, or an update is in progress.
        """
        ...

    def permits(self, arn: str, *, principal: str, source_arn: str) -> bool:
        """Whether the resource policy of `arn` lets `principal` invoke it on behalf of `source_arn`."""
        ...
