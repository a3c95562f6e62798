"""Things that take AWS a moment: roles, functions, versions and tables are not there at once."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from tests.doubles import wire
from tests.doubles.server import Forward
from tests.doubles.strict_rules import PassingRule
from tests.doubles.wire import Call, Message

Now = Callable[[], float]

_PENDING = {
    "State": "Pending",
    "StateReason": "The function is being created.",
    "StateReasonCode": "Creating",
}
_IN_PROGRESS = {
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}


def changed(answer: Message, document: Any) -> Message:
    """The answer with another JSON body."""
    headers = tuple(pair for pair in answer.headers if pair[0] not in ("content-length", "x-amz-crc32"))
    return replace(answer, headers=headers, body=json.dumps(document).encode())


def succeeded(answer: Message) -> bool:
    """Whether the endpoint did what was asked."""
    return 200 <= answer.status < 300


class Roles(PassingRule):
    """A role that is new, unknown, or does not trust Lambda cannot be a function's.

    Source: https://repost.aws/knowledge-center/lambda-function-iam-role-assume-error: the trust policy must
    name lambda.amazonaws.com, and a new role takes several seconds to spread; the text is quoted there.
    IAM is eventually consistent:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency.
    """

    _TEXT = "The role defined for the function cannot be assumed by Lambda."

    def __init__(self, now: Now, settle_s: float, refusals: int) -> None:
        self._now = now
        self._settle_s = settle_s
        self._refusals = refusals
        self._usable_at: dict[str, float] = {}
        self._refused: dict[str, int] = {}

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Refuses a role that Lambda cannot assume yet, or ever."""
        if call.operation not in ("CreateFunction", "UpdateFunctionConfiguration"):
            return None
        role = str(call.params.get("Role", "")).rpartition("/")[2]
        is_settled = self._now() >= self._usable_at.get(role, float("inf"))
        if not role or (is_settled and self._refused.get(role, 0) >= self._refusals):
            return None
        self._refused[role] = self._refused.get(role, 0) + 1
        return wire.refusal(call, "InvalidParameterValueException", self._TEXT)

    def after(self, call: Call, answer: Message) -> Message:
        """Remembers since when a role trusts Lambda."""
        if call.service == "iam" and succeeded(answer):
            params = call.params
            if call.operation in ("CreateRole", "UpdateAssumeRolePolicy"):
                trust = params.get("AssumeRolePolicyDocument", params.get("PolicyDocument", ""))
                trusts = "lambda.amazonaws.com" in trust and "sts:AssumeRole" in trust
                at = self._now() + self._settle_s if trusts else float("inf")
                self._usable_at[params["RoleName"]] = at
            elif call.operation == "DeleteRole":
                self._usable_at.pop(params["RoleName"], None)
        return answer


class Functions(PassingRule):
    """A new function or version is Pending, a changed one InProgress, and both refuse what AWS refuses then.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html: "Invocations and other API
    actions that depend on the function return an error if the function state is pending", and "While an
    update is in progress ... UpdateFunctionCode, UpdateFunctionConfiguration, PublishVersion ... fail". Texts
    as the engine has them from recorded answers.
    """

    _CHANGES = ("UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion")
    _CANNOT = "The operation cannot be performed at this time. "

    def __init__(self, now: Now, create_s: float, update_s: float) -> None:
        self._now = now
        self._create_s = create_s
        self._update_s = update_s
        self._pending: dict[tuple[str, str], float] = {}
        self._updating: dict[str, float] = {}

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Refuses changes and invocations of what is not ready."""
        name, qualifier = _named(call)
        if call.service != "lambda" or not name:
            return None
        if call.operation in self._CHANGES:
            if self._is_pending(name, "$LATEST"):
                return self._wrong_state(call)
            if self._now() < self._updating.get(name, 0.0):
                arn = await self._arn(call, name, forward)
                text = f"{self._CANNOT}An update is in progress for resource: {arn}"
                return wire.refusal(call, "ResourceConflictException", text, 409)
        if call.operation == "Invoke" and any(key[0] == name for key in self._pending):
            found = await self._configuration(call, name, qualifier, forward)
            if self._is_pending(name, found.get("Version", "")):
                return self._wrong_state(call)
        return None

    def after(self, call: Call, answer: Message) -> Message:
        """Notes what begins, and shows what is still under way."""
        if call.service != "lambda" or not succeeded(answer) or not answer.body.startswith(b"{"):
            return answer
        document = json.loads(answer.body)
        self._note(call, document)
        configurations = list(_configurations(document))
        if not configurations:
            return answer
        for one in configurations:
            name, version = one["FunctionName"], one.get("Version", "$LATEST")
            if self._is_pending(name, version):
                one.update(_PENDING)
            elif version == "$LATEST" and self._now() < self._updating.get(name, 0.0):
                one.update(_IN_PROGRESS)
        return changed(answer, document)

    def _note(self, call: Call, document: dict[str, Any]) -> None:
        name, version = document.get("FunctionName", ""), document.get("Version", "")
        if call.operation == "CreateFunction":
            self._pending[name, "$LATEST"] = self._now() + self._create_s
        elif call.operation in ("UpdateFunctionCode", "UpdateFunctionConfiguration"):
            self._updating[name] = self._now() + self._update_s
        elif call.operation == "PublishVersion":
            self._pending.setdefault((name, version), self._now() + self._create_s)
        elif call.operation == "DeleteFunction":
            gone, qualifier = _named(call)
            for key in [key for key in self._pending if key[0] == gone and qualifier in ("", key[1])]:
                del self._pending[key]

    def _is_pending(self, name: str, version: str) -> bool:
        return self._now() < self._pending.get((name, version), 0.0)

    def _wrong_state(self, call: Call) -> Message:
        text = f"{self._CANNOT}The function is currently in the following state: Pending"
        return wire.refusal(call, "ResourceConflictException", text, 409)

    async def _arn(self, call: Call, name: str, forward: Forward) -> str:
        found = await self._configuration(call, name, "", forward)
        return str(found.get("FunctionArn", name))

    @staticmethod
    async def _configuration(call: Call, name: str, qualifier: str, forward: Forward) -> dict[str, Any]:
        query = f"?Qualifier={quote(qualifier)}" if qualifier else ""
        start = f"GET /2015-03-31/functions/{name}/configuration{query} HTTP/1.1"
        asked = replace(call, request=replace(call.request, start=start, body=b""))
        found: dict[str, Any] = json.loads((await forward(asked)).body)
        return found


def _named(call: Call) -> tuple[str, str]:
    """Function and qualifier of a call, whether it gave a name, a partial ARN or an ARN."""
    given = unquote(call.labels.get("FunctionName", ""))
    match = re.fullmatch(r"(?:arn:aws:lambda:[^:]*:)?(?:\d{12}:)?(?:function:)?([^:]+)(?::(.+))?", given)
    name, qualifier = (match[1], match[2] or "") if match else ("", "")
    return name, qualifier or str(call.params.get("Qualifier", "") if match else "")


def _configurations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The function configurations in an answer."""
    if "FunctionArn" in document and "FunctionName" in document:
        yield document
    if document.get("Configuration"):
        yield document["Configuration"]
    for name in ("Versions", "Functions"):
        yield from document.get(name) or ()


class Tables(PassingRule):
    """A new table is CREATING, a changed one UPDATING, and its backups can be set a moment later still.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html ("returns a
    response with a TableStatus of CREATING ... You can perform read and write operations only on an ACTIVE
    table"), API_UpdateTable.html ("While it's updating ... you can't issue another UpdateTable request":
    ResourceInUseException) and API_UpdateContinuousBackups.html (ContinuousBackupsUnavailableException).
    """

    _CHANGES = ("UpdateTable", "DeleteTable", "UpdateTimeToLive", "UpdateContinuousBackups", "TagResource")
    _DATA = ("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchWriteItem")

    def __init__(self, now: Now, settle_s: float, backups_s: float) -> None:
        self._now = now
        self._settle_s = settle_s
        self._backups_s = backups_s
        self._until: dict[str, tuple[str, float]] = {}
        self._backups_at: dict[str, float] = {}

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Refuses what needs an active table."""
        if call.service != "dynamodb":
            return None
        name = _table(call)
        status = self._status(name)
        if call.operation in self._CHANGES and status:
            verb = "created" if status == "CREATING" else "updated"
            text = f"Attempt to change a resource which is still in use: Table is being {verb}: {name}"
            return wire.refusal(call, "ResourceInUseException", text)
        if call.operation in self._DATA and status == "CREATING":
            return wire.refusal(call, "ResourceNotFoundException", "Requested resource not found")
        if call.operation == "UpdateContinuousBackups" and self._now() < self._backups_at.get(name, 0.0):
            text = f"Backups are being enabled for the table: {name}. Please retry later"
            return wire.refusal(call, "ContinuousBackupsUnavailableException", text)
        return None

    def after(self, call: Call, answer: Message) -> Message:
        """Notes what begins, and shows what is still under way."""
        if call.service != "dynamodb" or not succeeded(answer):
            return answer
        name = _table(call)
        if call.operation == "CreateTable":
            self._until[name] = ("CREATING", self._now() + self._settle_s)
            self._backups_at[name] = self._now() + self._settle_s + self._backups_s
        elif call.operation == "UpdateTable":
            self._until[name] = ("UPDATING", self._now() + self._settle_s)
        elif call.operation == "DeleteTable":
            self._until.pop(name, None)
        status = self._status(name)
        if not status or call.operation not in ("CreateTable", "UpdateTable", "DescribeTable"):
            return answer
        document = json.loads(answer.body)
        document["Table" if call.operation == "DescribeTable" else "TableDescription"]["TableStatus"] = status
        return changed(answer, document)

    def _status(self, name: str) -> str:
        status, until = self._until.get(name, ("", 0.0))
        return status if self._now() < until else ""


def _table(call: Call) -> str:
    params = call.params
    return str(params.get("TableName") or params.get("ResourceArn", "")).rpartition("/")[2]
