"""What a rollout is asked for, what it sees, and how it can end: frozen data and errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.errors import UnderstudyError
from understudy.manifests.model import ResourceKey


class RolloutError(UnderstudyError):
    """A new version failed; the message says which version serves now."""


class InterruptedRolloutError(UnderstudyError):
    """The user stopped a rollout; the alias is where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A part of the traffic for a while, before all of it.

    Attributes:
        share: of the requests, above 0 and below 1.
        seconds: how long.
    """

    share: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A function of a stack, and what it should run.

    Attributes:
        key: of its document.
        function: its name.
        digest: of the image.
        aliases: those that follow its newest version.
        door: the API or function URL that leads HTTP requests to it, so that it can be asked for its health.
        stage: of that API.
        is_whole: whether the door leads every path to it: behind single ones it is not asked for its health.
    """

    key: ResourceKey
    function: str
    digest: str
    aliases: tuple[str, ...] = ()
    door: ResourceKey | None = None
    stage: str = "$default"
    is_whole: bool = True

    @property
    def path(self) -> str:
        """What its paths start with at the API; empty for the stage that needs no name."""
        return "" if self.stage == "$default" else f"/{self.stage}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasState:
    """An alias as AWS has it.

    Attributes:
        version: what it points at.
        weights: share per further version.
        revision: of the alias; a write that names another one is refused.
    """

    function: str
    alias: str
    version: str
    weights: Mapping[str, float] = field(default_factory=dict)
    revision: str = ""

    def __str__(self) -> str:
        return f"{self.function}:{self.alias}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An alias that a rollout moved.

    Attributes:
        old: version that it pointed at.
        new: version that it points at.
    """

    function: str
    alias: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the log of one version shows.

    Attributes:
        invocations: REPORT lines.
        errors: lines of failed invocations and of logged errors.
        fatal: lines that say the version cannot start, or ended itself.
        cold_start_s: the longest init phase; 0 when there was none.
        request_ids: of the invocations whose REPORT was seen.
    """

    invocations: int = 0
    errors: tuple[str, ...] = ()
    fatal: tuple[str, ...] = ()
    cold_start_s: float = 0.0
    request_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One version that an alias points at, or pointed at.

    Attributes:
        version: its number.
        digest: of the image that it runs; empty when the version is gone.
        description: what the deploy that published it wrote: commit and proof.
        published: when, as AWS writes it.
        is_live: whether the alias points at it now.
    """

    version: str
    digest: str
    description: str
    published: str
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The releases of one function behind one alias.

    Attributes:
        alias: where it points.
        revisions: what it points at and pointed at, newest first.
        without_proof: the reason, when the live version was deployed without proof.
    """

    alias: AliasState
    revisions: tuple[Revision, ...]
    without_proof: str = ""
