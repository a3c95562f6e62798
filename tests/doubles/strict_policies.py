"""Policy documents as IAM reads them."""

import json
import re
from typing import Any

from tests.doubles import wire
from tests.doubles.server import Forward
from tests.doubles.strict_rules import PassingRule
from tests.doubles.wire import Call, Message

_ACTION = re.compile(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(\d{12}|\*)?:.+")


class PolicyDocuments(PassingRule):
    """Policy documents are JSON in IAM's grammar: versions, effects, actions with a vendor, ARNs.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html; answered with
    MalformedPolicyDocument, https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html.
    """

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Refuses documents that IAM would not keep."""
        if call.service != "iam":
            return None
        params = call.params
        for name in ("PolicyDocument", "AssumeRolePolicyDocument"):
            trusts = name.startswith("Assume") or call.operation == "UpdateAssumeRolePolicy"
            fault = _fault(params[name], trusts=trusts) if name in params else ""
            if fault:
                return wire.refusal(call, "MalformedPolicyDocument", fault)
        return None


def _fault(text: str, *, trusts: bool) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        return "This policy contains invalid Json"
    if not isinstance(document, dict) or document.get("Version") not in ("2012-10-17", "2008-10-17"):
        return "Syntax errors in policy."
    statements = _listed(document.get("Statement"))
    faults = (_statement_fault(one, trusts=trusts) for one in statements)
    return next((fault for fault in faults if fault), "") if statements else "Syntax errors in policy."


def _statement_fault(one: Any, *, trusts: bool) -> str:
    if not isinstance(one, dict) or one.get("Effect") not in ("Allow", "Deny"):
        return "Syntax errors in policy."
    actions = _listed(one.get("Action", one.get("NotAction")))
    resources = _listed(one.get("Resource", one.get("NotResource")))
    facts = {
        "Policy statement must contain actions.": not actions,
        "Actions/Conditions must be prefixed by a vendor, e.g., iam, sdb, ec2, etc.": not all(
            _ACTION.fullmatch(action) for action in actions
        ),
        "Has prohibited field Resource": trusts and bool(resources),
        "Missing required field Principal": trusts and not one.get("Principal"),
        "Policy document should not specify a principal.": not trusts and "Principal" in one,
        "Policy statement must contain resources.": not trusts and not resources,
        f'Resource {resources} must be in ARN format or "*".': not all(
            _RESOURCE.fullmatch(resource) for resource in resources
        ),
    }
    return next((text for text, broken in facts.items() if broken), "")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []
