"""What a cold start is measured as; pure.

Times are milliseconds unless the name says otherwise. A sample is a run without instruments: headline figures
come from samples alone.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from understudy.coldstart.watched import Profile, Suggestion
    from understudy.sandbox.model import SandboxSpec

Cache = Literal["warm", "dropped"]

# https://aws.amazon.com/lambda/pricing/, x86, us-east-1, the first 6 billion GB-seconds of a month. Init is
# billed as well (https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/).
USD_PER_GB_S = 0.0000166667


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is measured.

    Attributes:
        image: name of the image.
        digest: of the image.
        function: name of the function; empty for none.
        spec: the execution environment as Lambda would make it.
        event: payload of the first and the second request.
        event_name: ``GET /health``, or the user's file.
        stand_in_for: base image that a stand-in replaces; empty for the real one.
        labels: of the image.
    """

    image: str
    digest: str
    function: str
    spec: SandboxSpec
    event: bytes
    event_name: str
    stand_in_for: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One cold start.

    Attributes:
        init_ms: exec of the entrypoint until ``/next``.
        first_ms: first request.
        second_ms: second request.
        init_peak_mb: highest resident memory until ``/next``.
        peak_mb: highest resident memory after both requests.
        error: AWS's errorType of a request that failed, or ``HTTP 500``; empty otherwise.
    """

    init_ms: float
    first_ms: float
    second_ms: float
    init_peak_mb: float
    peak_mb: float
    error: str = ""

    @property
    def total_ms(self) -> float:
        """What the first caller waits for: init and the first request."""
        return self.init_ms + self.first_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A figure over several runs.

    Attributes:
        median: half of the runs were faster.
        p90: nine of ten were faster.
        low: fastest run.
        high: slowest run.
    """

    median: float
    p90: float
    low: float
    high: float

    @staticmethod
    def of(values: Iterable[float]) -> Spread:
        """The spread of at least one value."""
        found = sorted(values)
        rank = max(0, -(-len(found) * 9 // 10) - 1)
        return Spread(median=statistics.median(found), p90=found[rank], low=found[0], high=found[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Under what a series was measured.

    Attributes:
        memory_mb: of the function; its CPU follows.
        cache: whether the image's files were in the page cache.
        throttled_init: whether init had the invoke phase's share of CPU instead of two vCPUs.
    """

    memory_mb: int
    cache: Cache = "warm"
    throttled_init: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Cold starts under one condition."""

    condition: Condition
    samples: tuple[Sample, ...]

    @property
    def usd_per_million(self) -> float:
        """What a million such cold starts cost, with their first requests."""
        gb_s = self.spread("total_ms").median / 1000 * self.condition.memory_mb / 1024
        return gb_s * USD_PER_GB_S * 1e6

    def spread(self, figure: str) -> Spread:
        """The spread of a figure of `Sample`, by its name."""
        return Spread.of(getattr(one, figure) for one in self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTouched:
    """What a cold start reads of one layer.

    Attributes:
        files: of which something was read.
        blocks: of 512 KiB, within those files.
        touched_bytes: that were read, read-ahead included.
        size_bytes: of all its files.
    """

    files: int
    blocks: int
    touched_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What a cold start reads of an image until ``/next``.

    Attributes:
        layers: from the base up.
    """

    layers: tuple[LayerTouched, ...]

    @property
    def files(self) -> int:
        """Files of which something was read."""
        return sum(layer.files for layer in self.layers)

    @property
    def blocks(self) -> int:
        """Blocks of 512 KiB."""
        return sum(layer.blocks for layer in self.layers)

    @property
    def touched_bytes(self) -> int:
        """Bytes that were read."""
        return sum(layer.touched_bytes for layer in self.layers)

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return sum(layer.size_bytes for layer in self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A change that was made on a scratch copy and measured beside the image as it is.

    Attributes:
        change: as the user wrote it.
        series: cold starts of the copy, under the headline's condition; `None` when it did not start.
        saves_ms: what its init is shorter by, median against median; negative when it is longer.
        p_value: how likely such a difference is where there is none.
        predicted_ms: what the suggestion said, where there was one.
        problem: why it could not be tried.
    """

    change: str
    series: Series | None = None
    saves_ms: float = 0.0
    p_value: float = 1.0
    predicted_ms: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine that the figures are from: they compare only with others of the same."""

    machine: str
    processors: int
    model: str
    kernel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Cold starts of the same image where it is deployed, as Lambda's REPORT lines tell them.

    Attributes:
        target: name in the project file.
        function: AWS name of the function.
        series: one cold start for each scratch version; `init_peak_mb` is 0, for Lambda does not tell it.
    """

    target: str
    function: str
    series: Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one line of the project's budget says about a report.

    Attributes:
        name: of the line.
        passed: whether the report keeps to it; also where there is nothing to hold it against.
        detail: with the figures.
        is_suspect: whether the median is over the line, be that chance or not: worth measuring again.
    """

    name: str
    passed: bool
    detail: str
    is_suspect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A measured cold start.

    Attributes:
        image: name; with its digest, the function that runs it, and the event that was sent.
        host: where.
        series: headline figures first.
        calibration: an empty handler on the same base, under the headline's condition.
        profile: where the time goes; `None` when the image's Python could not be watched.
        overhead_ms: what the instruments added to init: the watched run against the headline's median.
        suggestions: what would make it shorter, the most worthwhile first.
        tried: changes that were made and measured.
        touched: what one cold start reads of the image; `None` when it was not counted.
        notes: what a reader has to know.
        deployed: the same on a target; `None` when only the sandbox was asked.
        verdicts: what the project's budget says; nothing where it has none.
    """

    image: str
    digest: str
    function: str
    event: str
    stand_in_for: str
    host: Host
    series: tuple[Series, ...]
    calibration: Series | None = None
    profile: Profile | None = None
    overhead_ms: float = 0.0
    suggestions: tuple[Suggestion, ...] = ()
    tried: tuple[Tried, ...] = ()
    touched: Touched | None = None
    notes: tuple[str, ...] = ()
    deployed: Deployed | None = None
    verdicts: tuple[Verdict, ...] = ()
