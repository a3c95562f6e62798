"""Lambda's concurrency limits: reserved per function, the rest shared by an account in a region.

Pure counting, one integer per function and per account; no queue, because Lambda throttles at once.
"""

from dataclasses import dataclass

from understudy.engine.functions import errors
from understudy.engine.functions.model import Function, FunctionId

ACCOUNT_LIMIT = 1000
# AWS keeps at least this much for functions without a reservation.
MINIMUM_UNRESERVED = 100


@dataclass(slots=True, eq=False)
class Counter:
    """Executions under way that share one limit."""

    reason: str
    limit: int
    active: int = 0

    def enter(self) -> None:
        """Counts one more execution.

        Raises:
            ApiError: the limit is reached.
        """
        if self.active >= self.limit:
            raise errors.throttled(self.reason)
        self.active += 1

    def leave(self) -> None:
        """Counts one execution less."""
        self.active -= 1


class Concurrency:
    """The counters of every function."""

    def __init__(self, account_limit: int = ACCOUNT_LIMIT) -> None:
        self.account_limit = account_limit
        self._reserved: dict[FunctionId, Counter] = {}
        self._shared: dict[tuple[str, str], Counter] = {}

    def counter(self, function: Function, siblings: list[Function]) -> Counter:
        """The counter that an execution of `function` is counted with.

        Args:
            function: the function about to run.
            siblings: every function of its account and region, for the sum of reservations.
        """
        key = function.id
        if function.reserved is not None:
            counter = self._reserved.setdefault(
                key, Counter("ReservedFunctionConcurrentInvocationLimitExceeded", function.reserved)
            )
            counter.limit = function.reserved
            return counter
        place = (key.account_id, key.region)
        shared = self._shared.setdefault(place, Counter("ConcurrentInvocationLimitExceeded", 0))
        shared.limit = self.unreserved(siblings)
        return shared

    def unreserved(self, functions: list[Function]) -> int:
        """What is left for functions without a reservation."""
        return self.account_limit - sum(function.claimed for function in functions)

    def check_provisioned(
        self, function: Function, siblings: list[Function], qualifier: str, asked: int
    ) -> None:
        """Passes when `qualifier` of `function` may keep `asked` environments ready.

        Raises:
            ApiError: they exceed the function's reservation, or leave too little for the others.
        """
        others = sum(one.count for name, one in function.provisioned.items() if name != qualifier)
        if function.reserved is not None:
            if others + asked > function.reserved:
                raise errors.invalid_parameter(
                    "Requested Provisioned Concurrency should not be greater than the "
                    "reservedConcurrentExecution for function"
                )
            return
        left = self.unreserved(siblings) + function.claimed - others - asked
        if left < min(MINIMUM_UNRESERVED, self.account_limit):
            raise errors.invalid_parameter(
                "Specified ConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{MINIMUM_UNRESERVED}]."
            )

    def check_reservation(self, function: Function, siblings: list[Function], asked: int) -> None:
        """Passes when `function` may reserve `asked` executions.

        Raises:
            ApiError: too little would be left for the others.
        """
        if asked < 0:
            raise errors.validation(
                "reservedConcurrentExecutions", asked, "Member must have value greater than or equal to 0"
            )
        provisioned = sum(config.count for config in function.provisioned.values())
        if provisioned > asked:
            raise errors.invalid_parameter(
                f" ReservedConcurrentExecutions  {asked} should not be lower than function's total "
                f"provisioned concurrency [{provisioned}]."
            )
        left = self.unreserved(siblings) + function.claimed - asked
        if left < min(MINIMUM_UNRESERVED, self.account_limit):
            raise errors.invalid_parameter(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{MINIMUM_UNRESERVED}]."
            )
