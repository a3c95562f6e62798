"""What a run found. Pure: figures in, figures out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench import stats

Series = tuple[float, ...]

UNDERSTUDY = "understudy"
UVICORN = "uvicorn"
SAM = "sam"
MINISTACK = "ministack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One contender's figures, one entry per round.

    Attributes:
        key: stable short name.
        title: what it is, with versions.
        absent: why nothing could be measured; empty when it was.
        cold_s: no execution environment to the first 200.
        warm_p50_ms: median latency of one keep-alive client.
        per_second: requests per second of eight clients.
    """

    key: str
    title: str
    absent: str = ""
    cold_s: Series = ()
    warm_p50_ms: Series = ()
    per_second: Series = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine class, and how busy it was with something else.

    Attributes:
        disturbed: rounds that began although other processes used more CPU than is good for a benchmark.
    """

    date: str
    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    load_before: Series
    load_after: Series
    rounds: int
    disturbed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything that one run measured; an empty series was not measured, `absent` says why.

    Attributes:
        exec_import_s: from exec of the interpreter to the handler's module imported, in the same root.
        edit_live_s: from a save to the first answer of the Lambda that shows it.
        push_s: first `docker push` of the large image.
        push_again_s: the same push, nothing changed.
        rss_mb: resident memory after that push, by process.
        up_first_s: `up` in a clean clone with nothing cached.
        up_second_s: `up` again.
        absent: why a figure is missing, by its name.
    """

    host: Host
    contenders: tuple[Figures, ...]
    exec_import_s: Series = ()
    edit_live_s: Series = ()
    push_s: Series = ()
    push_again_s: Series = ()
    rss_mb: Mapping[str, float] = field(default_factory=dict)
    up_first_s: Series = ()
    up_second_s: Series = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    def of(self, key: str) -> Figures:
        """The figures of one contender; empty ones when it took no part."""
        return next((one for one in self.contenders if one.key == key), Figures(key=key, title=key))


def median(series: Series) -> float | None:
    """The median, or None of nothing."""
    return stats.median(series) if series else None
