"""One accepted asynchronous invocation, as the queue and whoever writes of its end know it."""

from dataclasses import dataclass

from understudy.engine.functions.model import FunctionId
from understudy.engine.functions.names import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One accepted asynchronous invocation.

    Attributes:
        attempts: how often the function has failed on it.
        row: its place in the queue's table; 0 before it is stored.
    """

    function: FunctionId
    qualifier: str | None
    request_id: str
    payload: bytes
    accepted_at: float
    client_context: str | None = None
    attempts: int = 0
    row: int = 0

    @property
    def target(self) -> Target:
        """What is invoked."""
        return Target(id=self.function, qualifier=self.qualifier)
