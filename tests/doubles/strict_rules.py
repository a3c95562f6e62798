"""One rule per documented fact of AWS, and how rules become a double's hook.

A rule looks at a call before it goes on, at its answer afterwards, or both; its docstring names the page that
it comes from.
"""

from collections.abc import Sequence
from typing import Protocol

from tests.doubles.server import Forward
from tests.doubles.wire import Call, Message


class Rule(Protocol):
    """One documented behaviour of AWS."""

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """The answer in the place of the endpoint's; None lets the call go on."""
        ...

    def after(self, call: Call, answer: Message) -> Message:
        """The answer as AWS would give it."""
        ...


class PassingRule:
    """A rule that changes nothing; others override the half that they need."""

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Lets the call go on."""
        return None

    def after(self, call: Call, answer: Message) -> Message:
        """The answer as it came."""
        return answer


class Rules:
    """The hook of a double: every rule in turn. `refused` lists what they answered: operation and status."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self.refused: list[str] = []

    async def __call__(self, call: Call, forward: Forward) -> Message:
        """The strict answer to a call."""
        for rule in self._rules:
            refusal = await rule.before(call, forward)
            if refusal is not None:
                what = call.operation or f"{call.request.method} registry"
                self.refused.append(f"{type(rule).__name__}: {what}")
                return refusal
        answer = await forward(call)
        for rule in self._rules:
            answer = rule.after(call, answer)
        return answer
