"""An event source mapping as an immutable record; a change makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from understudy.engine.functions.arns import Arn
from understudy.engine.functions.model import FunctionId
from understudy.engine.functions.names import Target

State = Literal["Creating", "Enabling", "Enabled", "Disabling", "Disabled", "Updating", "Deleting"]

SETTLED: frozenset[State] = frozenset({"Enabled", "Disabled"})
NOTHING_YET = "No records processed"
UNLIMITED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """What a user configures of a mapping.

    Attributes:
        patterns: texts of the filter criteria; a record passes when one of them matches, or there is none.
        report_failures: whether the function's answer names the records it failed on.
        maximum_retries: after the first attempt, of a stream; `UNLIMITED` until the record is gone.
        maximum_age_s: of a stream's record; `UNLIMITED` as long as the stream keeps it.
        on_failure: ARN for what a stream's records were given up on.
        maximum_concurrency: batches of a queue under way at once; None for Lambda's own choice.
        parallelization: remembered; batches of one shard are read one after the other here.
    """

    batch_size: int
    window_s: int = 0
    enabled: bool = True
    patterns: tuple[str, ...] = ()
    report_failures: bool = False
    bisect: bool = False
    maximum_retries: int = UNLIMITED
    maximum_age_s: int = UNLIMITED
    on_failure: str | None = None
    maximum_concurrency: int | None = None
    parallelization: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMapping:
    """One event source mapping.

    Attributes:
        function: whose records these are, and in whose name the source is read.
        qualifier: version or alias to invoke; None for `$LATEST` without saying so.
        position: where reading a stream begins; None for a queue.
        modified_at: seconds since the epoch.
        result: `LastProcessingResult`; None for a queue, which has none.
    """

    uuid: str
    source: Arn
    function: FunctionId
    qualifier: str | None
    settings: SourceSettings
    position: str | None
    state: State
    modified_at: float
    result: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        """What is invoked."""
        return Target(id=self.function, qualifier=self.qualifier)

    @property
    def arn(self) -> str:
        """The mapping's own ARN."""
        return (
            f"arn:aws:lambda:{self.function.region}:{self.function.account_id}"
            f":event-source-mapping:{self.uuid}"
        )

    @property
    def is_queue(self) -> bool:
        """Whether the source is an SQS queue; a DynamoDB stream otherwise."""
        return self.source.service == "sqs"
