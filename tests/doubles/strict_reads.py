"""Reads that do not see the latest write yet."""

import json
from typing import Any, ClassVar

from tests.doubles import wire
from tests.doubles.server import Forward
from tests.doubles.strict_rules import PassingRule
from tests.doubles.strict_states import changed, succeeded
from tests.doubles.wire import Call, Message


class StaleReads(PassingRule):
    """The first reads after IAM or API Gateway made something do not find it.

    Source: IAM "is eventually consistent ... changes that you make might not always be immediately visible",
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency.
    For API Gateway AWS promises no consistency of lists after writes.
    """

    _MADE: ClassVar = {"CreateRole": "GetRole", "PutRolePolicy": "GetRolePolicy"}
    _LISTS: ClassVar = {
        "CreateApi": ("GetApis", "ApiId"),
        "CreateIntegration": ("GetIntegrations", "IntegrationId"),
        "CreateRoute": ("GetRoutes", "RouteId"),
    }

    def __init__(self, reads: int) -> None:
        self._reads = reads
        self._missing: dict[tuple[str, str], int] = {}

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Answers the first reads of a new role or policy as if it were not there."""
        if call.operation not in self._MADE.values():
            return None
        key = (call.operation, _name(call))
        if not self._spend(key):
            return None
        what = "role" if call.operation == "GetRole" else "role policy"
        text = f"The {what} with name {key[1]} cannot be found."
        return wire.refusal(call, "NoSuchEntity", text, 404)

    def after(self, call: Call, answer: Message) -> Message:
        """Notes what was made, and leaves it out of the first lists."""
        if not succeeded(answer):
            return answer
        if call.operation in self._MADE:
            self._missing[self._MADE[call.operation], _name(call)] = self._reads
        elif call.operation in self._LISTS:
            operation, field = self._LISTS[call.operation]
            self._missing[operation, _value(json.loads(answer.body), field)] = self._reads
        for operation, field in self._LISTS.values():
            if call.operation == operation:
                return self._without(answer, operation, field)
        return answer

    def _without(self, answer: Message, operation: str, field: str) -> Message:
        document = json.loads(answer.body)
        name = "items" if "items" in document else "Items"
        items = document.get(name, [])
        document[name] = [one for one in items if not self._spend((operation, _value(one, field)))]
        return changed(answer, document)

    def _spend(self, key: tuple[str, str]) -> bool:
        left = self._missing.get(key, 0)
        self._missing[key] = left - 1
        return left > 0


def _name(call: Call) -> str:
    params = call.params
    return f"{params.get('RoleName', '')}/{params.get('PolicyName', '')}".rstrip("/")


def _value(document: dict[str, Any], field: str) -> str:
    return str(document.get(field) or document.get(field[0].lower() + field[1:], ""))
