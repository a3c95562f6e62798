"""Resource-based policies: statements as Lambda renders them.

Pure. Member order and spacing are AWS's, because tools compare the text.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.engine.functions import errors

_ACTION = re.compile(r"lambda:[*]|lambda:[a-zA-Z]+|[*]")
_STATEMENT_ID = re.compile(r"[a-zA-Z0-9-_]+")
_ACCOUNT = re.compile(r"\d{12}")


def statement(resource_arn: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The statement that AddPermission's `params` describe.

    Raises:
        ApiError: the statement id, action or principal is not acceptable.
    """
    sid, action = params["StatementId"], params["Action"]
    if _STATEMENT_ID.fullmatch(sid) is None:
        raise errors.validation(
            "statementId", sid, "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"
        )
    if _ACTION.fullmatch(action) is None:
        raise errors.validation(
            "action",
            action,
            "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])",
        )
    result: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": action,
        "Resource": resource_arn,
    }
    condition = _condition(params)
    if condition:
        result["Condition"] = condition
    return result


def render_statement(item: Mapping[str, Any]) -> str:
    """One statement as AddPermission answers it."""
    return json.dumps(item, separators=(",", ":"))


def render(statements: Sequence[Mapping[str, Any]]) -> str:
    """The whole document as GetPolicy answers it."""
    document = {"Version": "2012-10-17", "Id": "default", "Statement": list(statements)}
    return json.dumps(document, separators=(",", ":"))


def added(statements: Sequence[Mapping[str, Any]], item: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """`statements` with `item` at the end.

    Raises:
        ApiError: its statement id is taken.
    """
    if any(existing["Sid"] == item["Sid"] for existing in statements):
        raise errors.conflict(
            f"The statement id ({item['Sid']}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement."
        )
    return (*statements, item)


def removed(statements: Sequence[Mapping[str, Any]], sid: str) -> tuple[Mapping[str, Any], ...]:
    """`statements` without the one named `sid`.

    Raises:
        ApiError: there is none.
    """
    left = tuple(item for item in statements if item["Sid"] != sid)
    if len(left) == len(statements):
        raise errors.not_found(f"Statement {sid} is not found in resource policy.")
    return left


def _principal(text: str) -> str | dict[str, str]:
    if text == "*":
        return text
    if text.endswith((".amazonaws.com", ".amazon.com")):
        return {"Service": text}
    if _ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if re.match(r"arn:aws[a-zA-Z-]*:(iam|sts):", text):
        return {"AWS": text}
    raise errors.invalid_parameter(
        "The provided principal was invalid. Please check the principal and try again."
    )


def _condition(params: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    equals = {
        "lambda:FunctionUrlAuthType": params.get("FunctionUrlAuthType"),
        "aws:PrincipalOrgID": params.get("PrincipalOrgID"),
        "AWS:SourceAccount": params.get("SourceAccount"),
        "lambda:EventSourceToken": params.get("EventSourceToken"),
    }
    condition: dict[str, dict[str, str]] = {}
    present = {key: value for key, value in equals.items() if value}
    if present:
        condition["StringEquals"] = present
    if params.get("InvokedViaFunctionUrl") is not None:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": str(params["InvokedViaFunctionUrl"]).lower()}
    if params.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    return condition


def permits(statements: Sequence[Mapping[str, Any]], *, principal: str, source_arn: str) -> bool:
    """Whether one of `statements` lets the service `principal` invoke on behalf of `source_arn`."""
    return any(_allows(item, principal, source_arn) for item in statements)


def _allows(item: Mapping[str, Any], principal: str, source_arn: str) -> bool:
    if item["Action"] not in ("lambda:InvokeFunction", "lambda:*", "*"):
        return False
    who = item["Principal"]
    if who != "*" and who.get("Service") != principal:
        return False
    condition = item.get("Condition", {})
    pattern = condition.get("ArnLike", {}).get("AWS:SourceArn")
    if pattern is not None and not arn_like(source_arn, pattern):
        return False
    account = source_arn.split(":")[4] if source_arn.count(":") >= 5 else ""
    wanted = condition.get("StringEquals", {})
    return all(key == "AWS:SourceAccount" and value == account for key, value in wanted.items())


def permits_url(statements: Sequence[Mapping[str, Any]], *, auth_type: str, account_id: str | None) -> bool:
    """Whether `statements` let a caller through a function URL: two actions are asked for since October 2025.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html

    Args:
        statements: of the URL's qualifier.
        auth_type: of the URL.
        account_id: who signed; None for anonymous.
    """
    return all(
        any(_allows_url(item, action, auth_type, account_id) for item in statements)
        for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    )


def _allows_url(item: Mapping[str, Any], action: str, auth_type: str, account_id: str | None) -> bool:
    who = item["Principal"]
    named = who if isinstance(who, str) else who.get("AWS", "")
    if named != "*" and (account_id is None or named.split(":")[4:5] != [account_id]):
        return False
    facts = {
        "lambda:FunctionUrlAuthType": auth_type,
        "lambda:InvokedViaFunctionUrl": "true",
        "AWS:SourceAccount": account_id,
    }
    wanted = [pair for group in item.get("Condition", {}).values() for pair in group.items()]
    return item["Action"] in (action, "lambda:*", "*") and all(
        facts.get(key) == value for key, value in wanted
    )


@functools.lru_cache(maxsize=4096)
def arn_like(arn: str, pattern: str) -> bool:
    """IAM's ArnLike: each of the six parts is matched by itself, `*` and `?` are wildcards.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(
        re.fullmatch(_wildcards(wanted), part) is not None
        for part, wanted in zip(parts, patterns, strict=True)
    )


def _wildcards(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
