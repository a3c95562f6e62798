"""What may differ between two runs of the local stack."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.targets.builders import Builder


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What may differ between runs.

    Attributes:
        port: of the local endpoint; None takes the project file's, 0 lets the kernel choose.
        dev_port: of the development server; None takes the project file's.
        dev: whether there is a development server.
        watch: whether a saved file is rebuilt and released.
        engine: ``HOST:PORT`` of an engine that somebody else runs; None starts one.
        builder: builds every image; None for what the project file says of each.
        allowed: rules of `verify` whose findings may pass, with the reasons.
    """

    port: int | None = None
    dev_port: int | None = None
    dev: bool = True
    watch: bool = True
    engine: tuple[str, int] | None = None
    builder: Builder | None = None
    allowed: Mapping[str, str] = field(default_factory=dict)
