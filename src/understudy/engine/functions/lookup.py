"""Finds what a call names and mints what a change needs: identities, dates, revisions.

Every operation module stands on it. Refuses to change anything.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from understudy.engine.functions import errors, names
from understudy.engine.functions.model import LATEST, Alias, Function, Version
from understudy.engine.functions.names import Target
from understudy.engine.functions.table import FunctionTable
from understudy.engine.protocol import Call


class Lookup:
    """Reads the table on behalf of operations.

    Attributes:
        table: the records.
        now: the wall clock, in seconds since the epoch.
    """

    def __init__(self, table: FunctionTable, now: Callable[[], float]) -> None:
        self.table = table
        self.now = now

    def target(self, call: Call) -> Target:
        """The function, version or alias that the call names.

        Raises:
            ApiError: the name is malformed or contradictory.
        """
        return names.parse(
            call.params["FunctionName"],
            call.params.get("Qualifier"),
            account_id=call.account_id,
            region=call.region,
        )

    def function(self, target: Target) -> Function:
        """The function of `target`, whatever its qualifier.

        Raises:
            ApiError: there is none.
        """
        found = self.table.get(target.id)
        if found is None:
            raise errors.function_not_found(names.arn(target.id))
        return found

    def called_function(self, call: Call) -> Function:
        """The function that the call names.

        Raises:
            ApiError: there is none.
        """
        return self.function(self.target(call))

    def version(self, target: Target) -> tuple[Function, Version]:
        """The version that `target` names, an alias followed.

        Raises:
            ApiError: there is no such function, version or alias.
        """
        function = self.table.get(target.id)
        if function is None:
            raise errors.function_not_found(target.arn)
        number = target.qualifier or LATEST
        if number in function.aliases:
            number = function.aliases[number].version
        found = function.versions.get(number)
        if found is None:
            raise errors.function_not_found(target.arn)
        return function, found

    def alias(self, function: Function, name: str) -> Alias:
        """The alias `name`.

        Raises:
            ApiError: there is none.
        """
        found = function.aliases.get(name)
        if found is None:
            raise errors.not_found(f"Cannot find alias arn: {names.arn(function.id, name)}")
        return found

    def siblings(self, function: Function) -> list[Function]:
        """Every function of the same account and region, `function` included."""
        return self.table.within(function.id.account_id, function.id.region)

    def date(self) -> str:
        """The current time as Lambda renders LastModified."""
        moment = datetime.fromtimestamp(self.now(), UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def revision() -> str:
    """A new RevisionId."""
    return str(uuid.uuid4())


def parse_date(text: str) -> datetime:
    """The moment that `Lookup.date` rendered."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def check_revision(given: str | None, current: str) -> None:
    """Passes when the caller gave no RevisionId or the current one.

    Raises:
        ApiError: somebody else was faster.
    """
    if given and given != current:
        raise errors.revision_mismatch()


def check_settled(function: Function) -> None:
    """Passes when no change of `$LATEST` is under way.

    Raises:
        ApiError: one is.
    """
    latest = function.latest
    if latest.update_status == "InProgress":
        raise errors.update_in_progress(names.arn(function.id))
    if latest.state == "Pending":
        raise errors.wrong_state(latest.state)
