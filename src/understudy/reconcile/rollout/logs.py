"""What the log of a function shows since a moment, read as any client of CloudWatch Logs reads it."""

from understudy.reconcile import function_logs
from understudy.reconcile.aws import Aws
from understudy.reconcile.rollout import plan
from understudy.reconcile.rollout.model import Seen

ARRIVES_S = 20.0
_OWN_S = 3.0
_LOOK_S = 0.5


def group_of(aws: Aws, function: str) -> str:
    """The log group that a function writes to."""
    answer = aws.find(aws.lambda_().get_function_configuration, FunctionName=function)
    configured = answer.get("LoggingConfig", {}).get("LogGroup") if answer else None
    return configured or f"/aws/lambda/{function}"


def since(aws: Aws, function: str, version: str, began_ms: int, request_id: str) -> tuple[Seen, bool]:
    """What a version logged since a moment, and whether a request's own REPORT is among it.

    Lines reach CloudWatch Logs seconds after they were written: this looks until that REPORT is there, or
    for 20 s. MiniStack's log names other request ids: after 3 s any REPORT of the version will do. Without
    a request it looks once.
    """
    group = group_of(aws, function)
    start = aws.clock.now()
    while True:
        found = plan.seen(function_logs.lines(aws, group, since_ms=began_ms), version)
        waited = aws.clock.now() - start
        has_arrived = not request_id or request_id in found.request_ids
        has_arrived = has_arrived or (waited >= _OWN_S and found.invocations > 0)
        if has_arrived or found.fatal or waited >= ARRIVES_S:
            return found, has_arrived
        aws.clock.sleep(_LOOK_S)
