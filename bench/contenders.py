"""Who takes part: a contender is opened, driven by wrk at its target, and asked for cold starts."""

from typing import Protocol, Self

from bench.wrk import Target


class Contender(Protocol):
    """One way to serve the same image; a context manager that leaves nothing behind."""

    @property
    def key(self) -> str:
        """Its name in `bench.model`."""
        ...

    @property
    def title(self) -> str:
        """What it is, for people."""
        ...

    @property
    def target(self) -> Target:
        """Its /health; valid while it is open."""
        ...

    def cold(self) -> float | None:
        """The seconds of one request that found no environment; None where there is no such thing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
