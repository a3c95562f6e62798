"""What hangs on a function beside its code: reserved concurrency, retry settings; and account figures.

A change to one of them leaves code, configuration and environments alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import arns, errors, names, render
from understudy.engine.functions import lookup as lookups
from understudy.engine.functions.concurrency import Concurrency
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import LATEST, EventInvokeConfig, Function
from understudy.engine.functions.names import Target
from understudy.engine.protocol import Call, Operation

_MOST_CONFIGS = 50
_RETRIES = (0, 2)
_AGE_S = (60, 21_600)
_TARGETS = frozenset({"events", "lambda", "sns", "sqs"})
_FAILURES_TO = _TARGETS | {"s3"}


class AttachmentOperations:
    """Concurrency, event invoke configurations and account settings."""

    def __init__(self, lookup: Lookup, concurrency: Concurrency) -> None:
        self._lookup = lookup
        self._concurrency = concurrency

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "PutFunctionConcurrency": self.put_concurrency,
            "GetFunctionConcurrency": self.get_concurrency,
            "DeleteFunctionConcurrency": self.delete_concurrency,
            "GetAccountSettings": self.account_settings,
            "PutFunctionEventInvokeConfig": self.put_event_config,
            "UpdateFunctionEventInvokeConfig": self.update_event_config,
            "GetFunctionEventInvokeConfig": self.get_event_config,
            "DeleteFunctionEventInvokeConfig": self.delete_event_config,
            "ListFunctionEventInvokeConfigs": self.list_event_configs,
        }

    async def put_concurrency(self, call: Call) -> dict[str, Any]:
        """PutFunctionConcurrency."""
        target = self._lookup.target(call)
        if target.qualifier:
            raise errors.invalid_parameter(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support "
                "this operation. Please specify either a function name or an unqualified function ARN."
            )
        function = self._lookup.function(target)
        asked = call.params["ReservedConcurrentExecutions"]
        self._concurrency.check_reservation(function, self._lookup.siblings(function), asked)
        self._lookup.table.put(replace(function, reserved=asked))
        return {"ReservedConcurrentExecutions": asked}

    async def get_concurrency(self, call: Call) -> dict[str, Any]:
        """GetFunctionConcurrency; empty when nothing is reserved."""
        reserved = self._lookup.called_function(call).reserved
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    async def delete_concurrency(self, call: Call) -> dict[str, Any]:
        """DeleteFunctionConcurrency."""
        self._lookup.table.put(replace(self._lookup.called_function(call), reserved=None))
        return {}

    async def account_settings(self, call: Call) -> dict[str, Any]:
        """GetAccountSettings: AWS's default quotas, and what is used here."""
        functions = self._lookup.table.within(call.account_id, call.region)
        return {
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": self._concurrency.account_limit,
                "UnreservedConcurrentExecutions": self._concurrency.unreserved(functions),
            },
            "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": len(functions)},
        }

    async def put_event_config(self, call: Call) -> dict[str, Any]:
        """PutFunctionEventInvokeConfig: replaces what was there."""
        target, function = self._configurable(call)
        empty = EventInvokeConfig(qualifier=target.qualifier or LATEST, last_modified="")
        return self._store_event_config(function, empty, call.params)

    async def update_event_config(self, call: Call) -> dict[str, Any]:
        """UpdateFunctionEventInvokeConfig: changes the members that are given."""
        target, function = self._configurable(call)
        return self._store_event_config(function, _event_config(function, target), call.params)

    async def get_event_config(self, call: Call) -> dict[str, Any]:
        """GetFunctionEventInvokeConfig."""
        target = self._lookup.target(call)
        function = self._lookup.table.get(target.id)
        return self._rendered(function, _event_config(function, target))

    async def delete_event_config(self, call: Call) -> dict[str, Any]:
        """DeleteFunctionEventInvokeConfig."""
        target = self._lookup.target(call)
        function = self._lookup.table.get(target.id)
        gone = _event_config(function, target)
        if function is not None:
            kept = {name: item for name, item in function.event_configs.items() if name != gone.qualifier}
            self._lookup.table.put(replace(function, event_configs=kept))
        return {}

    async def list_event_configs(self, call: Call) -> dict[str, Any]:
        """ListFunctionEventInvokeConfigs."""
        function = self._lookup.table.get(self._lookup.target(call).id)
        if function is None:
            raise errors.not_found("The function doesn't exist.")
        found = sorted(function.event_configs.values(), key=lambda item: item.qualifier)
        shown, marker = render.page(
            [self._rendered(function, item) for item in found],
            [item.qualifier for item in found],
            call.params.get("Marker"),
            call.params.get("MaxItems"),
            _MOST_CONFIGS,
        )
        return {"FunctionEventInvokeConfigs": shown, **({"NextMarker": marker} if marker else {})}

    def _configurable(self, call: Call) -> tuple[Target, Function]:
        params = call.params
        members = ("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig")
        if all(params.get(member) is None for member in members):
            raise errors.invalid_parameter(
                "You must specify at least one of error handling or destination setting."
            )
        target = self._lookup.target(call)
        function = self._lookup.table.get(target.id)
        known = function and (
            names.is_latest(target.qualifier)
            or target.qualifier in function.aliases
            or target.qualifier in function.versions
        )
        if function is None or not known:
            raise errors.not_found("The function doesn't exist.")
        return target, function

    def _store_event_config(
        self, function: Function, current: EventInvokeConfig, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        changes: dict[str, Any] = {"last_modified": self._lookup.date()}
        if params.get("MaximumRetryAttempts") is not None:
            changes["maximum_retries"] = _within(
                "maximumRetryAttempts", params["MaximumRetryAttempts"], _RETRIES
            )
        if params.get("MaximumEventAgeInSeconds") is not None:
            changes["maximum_age_s"] = _within(
                "maximumEventAgeInSeconds", params["MaximumEventAgeInSeconds"], _AGE_S
            )
        if params.get("DestinationConfig") is not None:
            destinations = params["DestinationConfig"]
            changes["on_success"] = (destinations.get("OnSuccess") or {}).get("Destination")
            changes["on_failure"] = (destinations.get("OnFailure") or {}).get("Destination")
            _check_destinations(function.id.name, changes["on_success"], changes["on_failure"])
        changed = replace(current, **changes)
        configs = {**function.event_configs, changed.qualifier: changed}
        return self._rendered(self._lookup.table.put(replace(function, event_configs=configs)), changed)

    def _rendered(self, function: Function | None, item: EventInvokeConfig) -> dict[str, Any]:
        if function is None:
            raise AssertionError("an event invoke config has a function")
        return render.event_config(function, item, lookups.parse_date(item.last_modified))


def _check_destinations(name: str, on_success: str | None, on_failure: str | None) -> None:
    """Passes when Lambda could hand on to both; a bucket takes failures alone."""
    if not (_is_destination(name, on_success, _TARGETS) and _is_destination(name, on_failure, _FAILURES_TO)):
        success = f"OnSuccess(destination={on_success})" if on_success else "null"
        failure = f"OnFailure(destination={on_failure})" if on_failure else "null"
        raise errors.invalid_parameter(
            f"The provided destination config DestinationConfig(onSuccess={success}, onFailure={failure}) "
            "is invalid."
        )


def _is_destination(name: str, text: str | None, services: frozenset[str]) -> bool:
    if not text:
        return True
    arn = arns.parse(text)
    if arn.service == "lambda" and arn.resource.removeprefix("function:").partition(":")[0] == name:
        raise errors.invalid_parameter("You can't specify the function as a destination for itself.")
    return arn.service in services and not arn.resource.endswith(".fifo")


def _event_config(function: Function | None, target: Target) -> EventInvokeConfig:
    qualifier = target.qualifier or LATEST
    found = function.event_configs.get(qualifier) if function else None
    if found is None:
        raise errors.not_found(
            f"The function {names.arn(target.id, qualifier)} doesn't have an EventInvokeConfig"
        )
    return found


def _within(member: str, value: int, limits: tuple[int, int]) -> int:
    low, high = limits
    if value < low:
        raise errors.validation(member, value, f"Member must have value greater than or equal to {low}")
    if value > high:
        raise errors.validation(member, value, f"Member must have value less than or equal to {high}")
    return value
