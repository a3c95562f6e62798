"""Permissions of a template as statements of a role; SAM's policy templates among them; pure."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from understudy.targets.init import names
from understudy.targets.init.intrinsics import UnresolvedError, Values
from understudy.targets.init.model import Note, Statement

# The log group's own statement stands in every role.
_LOGGING = frozenset({"AWSLambdaBasicExecutionRole", "service-role/AWSLambdaBasicExecutionRole"})
_CARRIED = frozenset({"Sid", "Effect", "Action", "Resource"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What a function may do, and what of it could not be carried."""

    statements: tuple[Statement, ...]
    managed: tuple[str, ...]
    notes: tuple[Note, ...]


@functools.cache
def _templates() -> Mapping[str, list[dict[str, Any]]]:
    """Statements of SAM's policy templates, by name."""
    text = resources.files("understudy.targets.init").joinpath("policy_templates.json").read_text("utf-8")
    found: Mapping[str, list[dict[str, Any]]] = json.loads(text)["templates"]
    return found


def of_policies(function: str, policies: object, values: Values) -> Permissions:
    """The permissions of SAM's ``Policies``: a name, a template, a document, or a list of these."""
    listed = policies if isinstance(policies, list) else [policies] if policies else []
    statements: list[Statement] = []
    managed: list[str] = []
    notes: list[Note] = []
    for policy in listed:
        try:
            if isinstance(policy, dict):
                statements += _of_document(policy, values, len(statements))
            else:
                managed += _managed(str(policy))
        except UnresolvedError as exc:
            text = f"policy not carried, for it needs {exc}: write its statement into the role"
            notes.append(Note(subject=function, text=text))
    return Permissions(statements=tuple(statements), managed=tuple(managed), notes=tuple(notes))


def of_statements(function: str, listed: object, values: Values) -> Permissions:
    """The permissions of a list of IAM statements."""
    return of_policies(function, [{"Statement": listed}] if listed else [], values)


def _managed(name: str) -> Iterator[str]:
    if name.rpartition(":policy/")[2] not in _LOGGING:
        yield name if name.startswith("arn:") else f"arn:${{partition}}:iam::aws:policy/{name}"


def _of_document(policy: Mapping[str, Any], values: Values, before: int) -> list[Statement]:
    """The statements of a policy document, or of a policy template with its parameters."""
    found = policy.get("Statement")
    if found is None and len(policy) == 1:
        ((template, parameters),) = policy.items()
        found = _templates().get(template)
        if found is None:
            raise UnresolvedError(f"policy template {template}, which nobody knows")
        given = {name: str(values.resolve(value)) for name, value in (parameters or {}).items()}
        values = values.with_parameters(given)
    if found is None:
        raise UnresolvedError(", ".join(sorted(policy)))
    listed = found if isinstance(found, list) else [found]
    return [_statement(one, values, before + number) for number, one in enumerate(listed, start=1)]


def _statement(one: Mapping[str, Any], values: Values, number: int) -> Statement:
    if one.get("Effect") != "Allow" or set(one) - _CARRIED:
        raise UnresolvedError(", ".join(sorted(set(one) - _CARRIED)) or f"Effect: {one.get('Effect')}")
    return Statement(
        sid=names.sid(one["Sid"]) if "Sid" in one else f"Statement{number}",
        actions=_texts(values.resolve(one["Action"])),
        resources=_texts(values.resolve(one["Resource"])),
    )


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(map(str, value))
