"""AWS for tests without a network: the real clients, their answers scripted.

The SDK still validates every parameter against AWS's models, so a call that AWS would reject for its shape
fails here too. What the answers mean over time is the business of the contract tests.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ConnectionClosedError

from understudy.reconcile.aws import Access, Aws, Credentials

Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]

READS = ("Describe", "Get", "Head", "List", "Batch")

_DUMMY = Access(region="us-east-1", endpoint_url="http://127.0.0.1:9", credentials=Credentials())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Exception):  # noqa: N818 - what AWS answers with, raised by nobody
    """An error that AWS answers with."""

    code: str
    message: str = ""
    status: int = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Exception):  # noqa: N818 - as above
    """A connection that closes in the place of an answer; whether the call had an effect stays open."""


Reply = Answer | Refusal | Cut


@dataclass
class FakeClock:
    """Time that passes only when somebody sleeps."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds so far."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Lets time pass at once."""
        self.slept.append(seconds)
        self.time += seconds


@dataclass(frozen=True)
class _Http:
    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)


class ScriptedAws:
    """Clients whose operations answer as told.

    Args:
        answers: per operation an answer, a function from parameters to an answer, a refusal, a cut, or a
            list of those, whose last one stays. An operation that is not named is answered with nothing.
        access: as whom; with dummy keys unless said otherwise.
    """

    def __init__(
        self,
        answers: Mapping[str, Answer | Refusal | Sequence[Answer | Refusal]] | None = None,
        access: Access = _DUMMY,
    ) -> None:
        self.clock = FakeClock()
        self.aws = Aws(access, clock=self.clock)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers = {
            name: iter(_endless(value if isinstance(value, list) else [value]))
            for name, value in (answers or {}).items()
        }
        self.aws.session.register("before-parameter-build", self._note)
        self.aws.session.register("before-call", self._answer)

    @property
    def writes(self) -> list[str]:
        """The operations that change something, in their order."""
        return [name for name, _ in self.calls if not name.startswith(READS)]

    def params(self, operation: str) -> dict[str, Any]:
        """The parameters of the last call of an operation."""
        return next(params for name, params in reversed(self.calls) if name == operation)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, dict(params)))

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[_Http, dict[str, Any]]:
        """What the endpoint of the SDK does: sends, and sends again for as long as somebody wants that."""
        attempts = 1
        while True:
            response, error = self._once(model)
            wanted = self.aws.session.get_component("event_emitter").emit(
                f"needs-retry.{model.service_model.service_id.hyphenize()}.{model.name}",
                response=response,
                endpoint=None,
                operation=model,
                attempts=attempts,
                caught_exception=error,
                request_dict=params,
            )
            if all(delay is None for _, delay in wanted):
                break
            attempts += 1
            self.calls.append(self.calls[-1])
        if response is None:
            raise error or AssertionError(model.name)
        return response

    def _once(self, model: Any) -> tuple[tuple[_Http, dict[str, Any]] | None, Exception | None]:
        answer = next(self._answers[model.name]) if model.name in self._answers else {}
        if isinstance(answer, Cut):
            return None, ConnectionClosedError(endpoint_url="http://127.0.0.1:9")
        if isinstance(answer, Refusal):
            told = {"Code": answer.code, "Message": answer.message}
            meta = {"HTTPStatusCode": answer.status}
            return (_Http(answer.status), {"Error": told, "ResponseMetadata": meta}), None
        # The SDK decodes some answers in place.
        found = copy.deepcopy(answer(self.calls[-1][1]) if callable(answer) else answer)
        return (_Http(200), {**found, "ResponseMetadata": {"HTTPStatusCode": 200}}), None


def _endless(items: Sequence[Any]) -> Iterator[Any]:
    yield from items
    while True:
        yield items[-1]
