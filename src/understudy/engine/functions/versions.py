"""Operations on published versions and aliases.

A version is published from `$LATEST` as it is; publishing the same code and configuration twice answers with
the version that exists, as Lambda does.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import aliases, errors, names, render
from understudy.engine.functions import lookup as lookups
from understudy.engine.functions.lifecycle import Lifecycle
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import Alias, Function, Version
from understudy.engine.protocol import ApiError, Call, Operation

_MOST_ITEMS = 50
_MOST_ALIASES = 10_000


def publish(function: Function, description: str | None) -> tuple[Function, Version]:
    """`function` with `$LATEST` published, and the version that now stands for it.

    A version published during a change starts as `Pending` and is activated together with `$LATEST`.
    """
    latest = function.latest
    newest = function.versions.get(str(function.next_version - 1))
    if newest is not None and newest.content_id == latest.content_id:
        return function, newest
    settled = not latest.in_transition
    version = replace(
        latest,
        number=str(function.next_version),
        revision_id=lookups.revision(),
        state="Active" if settled else "Pending",
        state_reason=None if settled else "The function is being created.",
        state_reason_code=None if settled else "Creating",
        update_status="Successful" if settled else None,
        update_reason=None,
        update_reason_code=None,
    )
    if description is not None:
        version = replace(version, settings=replace(version.settings, description=description))
    # Publishing moves the RevisionId of $LATEST, too (recorded: test_publish_version_on_create).
    changed = function.with_version(replace(latest, revision_id=lookups.revision()))
    changed = replace(changed.with_version(version), next_version=function.next_version + 1)
    return changed, version


class VersionOperations:
    """PublishVersion, ListVersionsByFunction and the alias operations."""

    def __init__(self, lookup: Lookup, lifecycle: Lifecycle) -> None:
        self._lookup = lookup
        self._lifecycle = lifecycle

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "PublishVersion": self.publish_version,
            "ListVersionsByFunction": self.list_versions,
            "CreateAlias": self.create_alias,
            "GetAlias": self.get_alias,
            "UpdateAlias": self.update_alias,
            "DeleteAlias": self.delete_alias,
            "ListAliases": self.list_aliases,
        }

    async def publish_version(self, call: Call) -> dict[str, Any]:
        """PublishVersion."""
        function = self._lookup.called_function(call)
        lookups.check_settled(function)
        latest, params = function.latest, call.params
        if "Failed" in (latest.state, latest.update_status):
            raise errors.wrong_state("Failed")
        lookups.check_revision(params.get("RevisionId"), latest.revision_id)
        expected = params.get("CodeSha256")
        if expected and expected != latest.code.sha256:
            raise errors.invalid_parameter(
                f"CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST "
                f"({latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST."
            )
        changed, version = publish(function, params.get("Description"))
        if changed is not function:
            self._lookup.table.put(changed)
        return render.configuration(changed, version, qualifier=version.number)

    async def list_versions(self, call: Call) -> dict[str, Any]:
        """ListVersionsByFunction."""
        function = self._lookup.called_function(call)
        found = render.versions(function)
        items = [render.listed(function, version, qualifier=version.number) for version in found]
        keys = [version.number for version in found]
        shown, marker = render.page(
            items, keys, call.params.get("Marker"), call.params.get("MaxItems"), _MOST_ITEMS
        )
        return {"Versions": shown, **({"NextMarker": marker} if marker else {})}

    async def create_alias(self, call: Call) -> dict[str, Any]:
        """CreateAlias."""
        params = call.params
        names.check_alias(params["Name"])
        target = self._lookup.target(call)
        number = params["FunctionVersion"]
        function = self._lookup.table.get(target.id)
        if function is None:
            raise errors.function_not_found(names.arn(target.id, number))
        aliases.check_version(function, number)
        if params["Name"] in function.aliases:
            raise errors.conflict(f"Alias already exists: {names.arn(function.id, params['Name'])}")
        alias = Alias(
            name=params["Name"],
            version=number,
            description=params.get("Description") or "",
            revision_id=lookups.revision(),
            weights=aliases.check_weights(function, number, _weights(params)),
        )
        return self._store(function, alias)

    async def get_alias(self, call: Call) -> dict[str, Any]:
        """GetAlias."""
        function = self._lookup.called_function(call)
        return render.alias(function, self._lookup.alias(function, call.params["Name"]))

    async def update_alias(self, call: Call) -> dict[str, Any]:
        """UpdateAlias."""
        params = call.params
        function = self._lookup.called_function(call)
        alias = self._lookup.alias(function, params["Name"])
        lookups.check_revision(params.get("RevisionId"), alias.revision_id)
        number = params.get("FunctionVersion") or alias.version
        aliases.check_version(function, number)
        weights = _weights(params) if "RoutingConfig" in params else alias.weights
        changed = replace(
            alias,
            version=number,
            weights=aliases.check_weights(function, number, weights),
            revision_id=lookups.revision(),
        )
        if params.get("Description") is not None:
            changed = replace(changed, description=params["Description"])
        return self._store(function, changed)

    async def delete_alias(self, call: Call) -> dict[str, Any]:
        """DeleteAlias; deleting an alias that is not there succeeds."""
        function = self._lookup.called_function(call)
        if call.params["Name"] in function.aliases:
            self._lookup.table.put(function.without(call.params["Name"]))
        return {}

    async def list_aliases(self, call: Call) -> dict[str, Any]:
        """ListAliases."""
        function = self._lookup.called_function(call)
        wanted = call.params.get("FunctionVersion")
        found = sorted(
            (alias for alias in function.aliases.values() if wanted in (None, alias.version)),
            key=lambda alias: alias.name,
        )
        shown, marker = render.page(
            [render.alias(function, alias) for alias in found],
            [alias.name for alias in found],
            call.params.get("Marker"),
            call.params.get("MaxItems"),
            _MOST_ALIASES,
        )
        return {"Aliases": shown, **({"NextMarker": marker} if marker else {})}

    def _store(self, function: Function, alias: Alias) -> dict[str, Any]:
        changed = self._lookup.table.put(function.with_alias(alias))
        self._lifecycle.warm(changed, alias.version)
        return render.alias(changed, alias)


def check_deletable(function: Function, number: str) -> ApiError | None:
    """Why version `number` cannot be deleted; None when it can."""
    users = aliases.referencing(function, number)
    if not users:
        return None
    return errors.conflict(
        f"Unable to delete version because the following aliases reference it: [{', '.join(users)}]"
    )


def _weights(params: Mapping[str, Any]) -> dict[str, float]:
    routing = params.get("RoutingConfig") or {}
    return dict(routing.get("AdditionalVersionWeights") or {})
