"""AddPermission, RemovePermission and GetPolicy.

A policy hangs on the function, or on one version or alias of it; each has its own RevisionId to guard it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import errors, names
from understudy.engine.functions import lookup as lookups
from understudy.engine.functions import policy as policies
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import LATEST, Function
from understudy.engine.protocol import Call, Operation


class PermissionOperations:
    """The operations on resource-based policies."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "AddPermission": self.add_permission,
            "RemovePermission": self.remove_permission,
            "GetPolicy": self.get_policy,
        }

    async def add_permission(self, call: Call) -> dict[str, Any]:
        """AddPermission."""
        target = self._lookup.target(call)
        if target.qualifier == LATEST:
            raise errors.invalid_parameter("We currently do not support adding policies for $LATEST.")
        function = self._lookup.function(target)
        qualifier = _existing(function, target.qualifier)
        lookups.check_revision(call.params.get("RevisionId"), _revision(function, qualifier))
        item = policies.statement(target.arn, call.params)
        statements = policies.added(function.policies.get(qualifier, ()), item)
        self._store(function, qualifier, statements)
        return {"Statement": policies.render_statement(item)}

    async def remove_permission(self, call: Call) -> dict[str, Any]:
        """RemovePermission."""
        target = self._lookup.target(call)
        function = self._lookup.table.get(target.id)
        if function is None:
            raise errors.not_found(f"No policy found for: {names.arn(target.id)}")
        qualifier = _existing(function, target.qualifier)
        if not function.policies.get(qualifier):
            raise errors.not_found("No policy is associated with the given resource.")
        statements = policies.removed(function.policies[qualifier], call.params["StatementId"])
        lookups.check_revision(call.params.get("RevisionId"), _revision(function, qualifier))
        self._store(function, qualifier, statements)
        return {}

    async def get_policy(self, call: Call) -> dict[str, Any]:
        """GetPolicy."""
        target = self._lookup.target(call)
        function = self._lookup.function(target)
        qualifier = target.qualifier or LATEST
        statements = function.policies.get(qualifier)
        if not statements:
            raise errors.not_found("The resource you requested does not exist.")
        return {"Policy": policies.render(statements), "RevisionId": _revision(function, qualifier)}

    def _store(self, function: Function, qualifier: str, statements: tuple[Mapping[str, Any], ...]) -> None:
        kept = {name: items for name, items in function.policies.items() if name != qualifier}
        if statements:
            kept[qualifier] = statements
        self._lookup.table.put(_revised(replace(function, policies=kept), qualifier))


def _existing(function: Function, qualifier: str | None) -> str:
    if qualifier is None:
        return LATEST
    if qualifier in function.aliases or qualifier in function.versions:
        return qualifier
    arn = names.arn(function.id, qualifier)
    if names.is_alias(qualifier):
        raise errors.not_found(f"Cannot find alias arn: {arn}")
    raise errors.function_not_found(arn)


def _revision(function: Function, qualifier: str) -> str:
    if qualifier in function.aliases:
        return function.aliases[qualifier].revision_id
    return function.versions[qualifier].revision_id


def _revised(function: Function, qualifier: str) -> Function:
    revision_id = lookups.revision()
    if qualifier in function.aliases:
        return function.with_alias(replace(function.aliases[qualifier], revision_id=revision_id))
    return function.with_version(replace(function.versions[qualifier], revision_id=revision_id))
