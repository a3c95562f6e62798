"""What a dashboard configuration is: plain values, no I/O."""

from dataclasses import dataclass, replace
from datetime import datetime

ACTIVE_LIMIT = 2
"""How many configurations of one user may be active at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One dashboard configuration in one version."""

    id: str
    name: str
    tickers: tuple[str, ...]
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a user's configurations, oldest first; `cursor` leads to the next one."""

    items: tuple[Configuration, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """New values for some fields of a configuration; None leaves a field as it is."""

    name: str | None = None
    tickers: tuple[str, ...] | None = None
    active: bool | None = None

    def applied_to(self, current: Configuration) -> Configuration:
        """The configuration with the new values, of the same version."""
        return replace(
            current,
            name=current.name if self.name is None else self.name,
            tickers=current.tickers if self.tickers is None else self.tickers,
            active=current.active if self.active is None else self.active,
        )
