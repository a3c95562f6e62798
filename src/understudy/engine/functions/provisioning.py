"""Operations on provisioned concurrency: how many environments a version or alias keeps ready.

A configuration is recorded and carried out by `Fleet`; reading it asks the fleet how far that has come.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import errors, names, render
from understudy.engine.functions.concurrency import Concurrency
from understudy.engine.functions.fleet import Fleet
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import Function, ProvisionedConfig
from understudy.engine.protocol import ApiError, Call, Operation

_MOST_ITEMS = 50


class ProvisioningOperations:
    """PutProvisionedConcurrencyConfig and its sisters."""

    def __init__(self, lookup: Lookup, concurrency: Concurrency, fleet: Fleet) -> None:
        self._lookup = lookup
        self._concurrency = concurrency
        self._fleet = fleet

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "PutProvisionedConcurrencyConfig": self.put,
            "GetProvisionedConcurrencyConfig": self.get,
            "ListProvisionedConcurrencyConfigs": self.list,
            "DeleteProvisionedConcurrencyConfig": self.delete,
        }

    async def put(self, call: Call) -> dict[str, Any]:
        """PutProvisionedConcurrencyConfig."""
        if call.params["Qualifier"] == "$LATEST":
            raise errors.invalid_parameter(
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            )
        function, qualifier = self._named(call)
        asked: int = call.params["ProvisionedConcurrentExecutions"]
        _check_alone(function, qualifier)
        self._concurrency.check_provisioned(function, self._lookup.siblings(function), qualifier, asked)
        config = ProvisionedConfig(qualifier=qualifier, count=asked, last_modified=self._lookup.date())
        self._lookup.table.put(replace(function, provisioned={**function.provisioned, qualifier: config}))
        return {**self._progress(function, config), "Status": "IN_PROGRESS"}

    async def get(self, call: Call) -> dict[str, Any]:
        """GetProvisionedConcurrencyConfig."""
        function, qualifier = self._named(call)
        config = function.provisioned.get(qualifier)
        if config is None:
            raise ApiError(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
                status=404,
                fields={"Type": "User"},
            )
        return self._progress(function, config)

    async def list(self, call: Call) -> dict[str, Any]:
        """ListProvisionedConcurrencyConfigs."""
        function = self._lookup.called_function(call)
        found = sorted(function.provisioned.values(), key=lambda config: config.qualifier)
        shown, marker = render.page(
            [
                {
                    "FunctionArn": names.arn(function.id, config.qualifier),
                    **self._progress(function, config),
                }
                for config in found
            ],
            [config.qualifier for config in found],
            call.params.get("Marker"),
            call.params.get("MaxItems"),
            _MOST_ITEMS,
        )
        return {"ProvisionedConcurrencyConfigs": shown, **({"NextMarker": marker} if marker else {})}

    async def delete(self, call: Call) -> dict[str, Any]:
        """DeleteProvisionedConcurrencyConfig; nothing happens when there is none."""
        function, qualifier = self._named(call)
        if qualifier in function.provisioned:
            kept = {name: config for name, config in function.provisioned.items() if name != qualifier}
            self._lookup.table.put(replace(function, provisioned=kept))
        return {}

    def _named(self, call: Call) -> tuple[Function, str]:
        target = self._lookup.target(call)
        qualifier = target.qualifier or "$LATEST"
        if qualifier == "$LATEST":
            raise errors.invalid_parameter(
                "The function resource provided must be an alias or a published version."
            )
        function, _ = self._lookup.version(target)
        return function, qualifier

    def _progress(self, function: Function, config: ProvisionedConfig) -> dict[str, Any]:
        number = function.version_number(config.qualifier)
        kept = self._fleet.provisioned(function, number)
        available = min(kept.available, config.count) if kept else 0
        allocated = min(kept.allocated, config.count) if kept else 0
        answer: dict[str, Any] = {
            "RequestedProvisionedConcurrentExecutions": config.count,
            "AvailableProvisionedConcurrentExecutions": available,
            "AllocatedProvisionedConcurrentExecutions": allocated,
            "Status": "READY" if allocated == config.count else "IN_PROGRESS",
            "LastModified": config.last_modified,
        }
        if kept and kept.problem:
            answer |= {"Status": "FAILED", "StatusReason": kept.problem}
        return answer


def _check_alone(function: Function, qualifier: str) -> None:
    """Passes when no configuration reaches the same version on another way."""
    alias = function.aliases.get(qualifier)
    if alias is not None and alias.version in function.provisioned:
        raise errors.invalid_parameter(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        )
    pointing = (one.name for one in function.aliases.values() if one.version == qualifier)
    if any(name in function.provisioned for name in pointing):
        raise errors.invalid_parameter("Version is pointed by a Provisioned Concurrency alias")
