"""What hangs on a function, version or alias by operations of its own: event retries, warm environments."""

from collections.abc import Mapping
from typing import Any

from understudy.errors import UnderstudyError
from understudy.manifests.model import Json, JsonMap
from understudy.reconcile import clock, convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import mapping

EVENTS = "functionEventInvokeConfig"
PROVISIONED = "provisionedConcurrencyConfig"

_OWNER = ("functionName", "qualifier")  # ACK fills these from the resource that they sit in
_BUDGET_S = 900.0  # Lambda starts some hundred environments a minute


def observe(aws: Aws, where: Mapping[str, str], wanted: JsonMap) -> dict[str, Json]:
    """Both settings of a version or alias, in ACK's names; None where there is none.

    Args:
        aws: where it runs.
        where: FunctionName and Qualifier, as AWS takes them.
        wanted: the manifest's spec.
    """
    return {
        EVENTS: observe_events(aws, where, wanted),
        PROVISIONED: _observe_provisioned(aws, where, mapping(wanted.get(PROVISIONED))),
    }


def observe_events(aws: Aws, where: Mapping[str, str], wanted: JsonMap) -> Json:
    """How asynchronous invocations are retried and where they end; None where nobody has said."""
    answer = aws.find(aws.lambda_().get_function_event_invoke_config, **where)
    if not answer:
        return None
    given = {name: value for name, value in answer.items() if name != "FunctionArn"}
    found = mapping(convert.read("Function", EVENTS, given))
    return {**found, **_owner(mapping(wanted.get(EVENTS)))}


def write(aws: Aws, where: Mapping[str, str], wanted: JsonMap, fields: frozenset[str]) -> None:
    """Brings those of the two settings that are among `fields` to what the manifest says."""
    if EVENTS in fields:
        write_events(aws, where, wanted)
    if PROVISIONED in fields:
        _write_provisioned(aws, where, mapping(wanted.get(PROVISIONED)))


def write_events(aws: Aws, where: Mapping[str, str], wanted: JsonMap) -> None:
    """Sets how asynchronous invocations are retried, whole; takes it away where the manifest has none."""
    given = mapping(wanted.get(EVENTS))
    if given:
        value = convert.value("Function", EVENTS, _without_owner(given))
        aws.call(aws.lambda_().put_function_event_invoke_config, **where, **value)
    else:
        aws.find(aws.lambda_().delete_function_event_invoke_config, **where)


def _observe_provisioned(aws: Aws, where: Mapping[str, str], wanted: JsonMap) -> Json:
    answer = aws.find(aws.lambda_().get_provisioned_concurrency_config, **where)
    # One that failed is asked for again: its reason is told then.
    if not answer or answer.get("Status") == "FAILED":
        return None
    asked = answer.get("RequestedProvisionedConcurrentExecutions")
    return {"provisionedConcurrentExecutions": asked, **_owner(wanted)}


def _write_provisioned(aws: Aws, where: Mapping[str, str], wanted: JsonMap) -> None:
    client = aws.lambda_()
    if not wanted:
        aws.find(client.delete_provisioned_concurrency_config, **where)
        return
    value = convert.value("Alias", PROVISIONED, _without_owner(wanted))
    aws.call(client.put_provisioned_concurrency_config, **where, **value)
    name = ":".join(where.values())

    def ready() -> Mapping[str, Any] | None:
        found: Mapping[str, Any] = aws.call(client.get_provisioned_concurrency_config, **where)
        return None if found.get("Status") == "IN_PROGRESS" else found

    found = clock.until(ready, what=f"provisioned concurrency of {name}", clock=aws.clock, budget_s=_BUDGET_S)
    if found.get("Status") == "FAILED":
        raise UnderstudyError(
            "provisioned-failed",
            f"provisioned concurrency of {name} failed: {found.get('StatusReason', 'AWS gives no reason')}",
            hint="correct what the reason names, then run the same command again",
        )


def _owner(wanted: JsonMap) -> dict[str, Json]:
    return {name: wanted[name] for name in _OWNER if name in wanted}


def _without_owner(wanted: JsonMap) -> dict[str, Json]:
    return {name: value for name, value in wanted.items() if name not in _OWNER}
