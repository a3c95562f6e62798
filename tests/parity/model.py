"""A row of the table, what is observed of it, and the verdict that follows."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.parity.world import World


class Verdict(Enum):
    """How an endpoint compares to LocalStack 4.14.0."""

    SAME = "same"
    DIFFERS = "differs"
    REFUSED = "refused by name"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class SkippedError(Exception):
    """The endpoint cannot show this row; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that users rely on.

    Attributes:
        localstack: what LocalStack 4.14.0 does, in the words that `observe` would use of it.
        observe: does what the user does and says what happened, in words that no port or version changes.
            A text that begins with ``refused`` is an error that names what is missing.
        documented: whether `localstack` is taken from its documentation and source alone: to see it takes a
        licence, or
            the whole container image.
    """

    area: str
    name: str
    localstack: str
    observe: "Callable[[World], str]"
    documented: bool = False

    @property
    def key(self) -> str:
        """What tells it from other rows."""
        return f"{self.area}: {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A row, once measured."""

    row: Row
    verdict: Verdict
    observed: str


def judge(row: Row, world: "World") -> Measured:
    """Returns how the world's endpoint does on a row; what goes wrong is never taken for a verdict."""
    try:
        observed = row.observe(world)
    except SkippedError as exc:
        return Measured(row=row, verdict=Verdict.SKIPPED, observed=str(exc))
    except Exception as exc:  # noqa: BLE001 - the table says what was unexpected
        return Measured(row=row, verdict=Verdict.UNKNOWN, observed=f"{type(exc).__name__}: {exc}")
    if observed == row.localstack:
        return Measured(row=row, verdict=Verdict.SAME, observed=observed)
    refused = observed.startswith("refused")
    return Measured(row=row, verdict=Verdict.REFUSED if refused else Verdict.DIFFERS, observed=observed)
