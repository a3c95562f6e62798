"""Recordings and reports of cold starts, written by hand, and what starts images without any isolation."""

from collections.abc import Callable
from typing import Self

from tests.fakes.runtime import FakeSandbox, Program, echo
from understudy.coldstart.model import Condition, Host, Report, Sample, Series
from understudy.coldstart.owners import Owners
from understudy.coldstart.watched import Recording, Span, SpanKind
from understudy.sandbox.model import SandboxSpec

OWNERS = Owners(distributions={"fastapi": "fastapi", "yaml": "PyYAML"})
HOST = Host(machine="x86_64", processors=2, model="a processor", kernel="Linux 6")


def span(
    name: str,
    begin_ms: float,
    end_ms: float,
    *,
    kind: SpanKind = "import",
    parent: int = -1,
    path: str = "",
    compiled_ms: float = 0.0,
) -> Span:
    """Something that took time, asked for in line 3 of `path`."""
    return Span(
        kind=kind,
        name=name,
        parent=parent,
        begin_ms=begin_ms,
        end_ms=end_ms,
        path=path,
        line=3 if path else 0,
        compiled_ms=compiled_ms,
    )


def recording(*spans: Span, used: frozenset[str] = frozenset()) -> Recording:
    """Python up after 10 ms, ready after 100, requests until 120 and 140."""
    return Recording(spans=spans, python_ms=10.0, next_ms=(100.0, 120.0, 140.0, 160.0), used=used)


def report(*init_ms: float) -> Report:
    """A report with these cold starts and nothing else."""
    samples = tuple(
        Sample(init_ms=value, first_ms=value / 10, second_ms=1.0, init_peak_mb=40.0, peak_mb=50.0)
        for value in init_ms
    )
    return Report(
        image="shop",
        digest=f"sha256:{'a' * 64}",
        function="shop",
        event="GET /health",
        stand_in_for="",
        host=HOST,
        series=(Series(condition=Condition(memory_mb=512), samples=samples),),
    )


class Starts:
    """An executor of this machine; `program` says what a start runs, by its spec.

    Attributes:
        specs: every start, in order.
        is_open: whether it was opened and not closed since.
    """

    def __init__(self, program: Callable[[SandboxSpec], Program] = lambda _: echo) -> None:
        self.program = program
        self.specs: list[SandboxSpec] = []
        self.is_open = False

    def make(self, *_: object) -> Self:
        """Stands in the place of `executors.make`."""
        return self

    async def open(self) -> None:
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False

    async def prepare(self, spec: SandboxSpec) -> FakeSandbox:
        assert self.is_open
        self.specs.append(spec)
        return FakeSandbox([self.program(spec)])
