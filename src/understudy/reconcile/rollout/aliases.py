"""Reads and points aliases; a write is refused when somebody else moved the alias meanwhile."""

from collections.abc import Mapping
from typing import Any

from understudy.errors import UnderstudyError
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import AwsError
from understudy.reconcile.rollout.model import AliasState


def find(aws: Aws, function: str, alias: str) -> AliasState | None:
    """The alias as it is; None when there is no such function or alias."""
    answer = aws.find(aws.lambda_().get_alias, FunctionName=function, Name=alias)
    return None if answer is None else _state(function, dict(answer))


def get(aws: Aws, function: str, alias: str) -> AliasState:
    """The alias as it is.

    Raises:
        UnderstudyError: there is no such function or alias.
    """
    found = find(aws, function, alias)
    if found is None:
        raise UnderstudyError(
            "alias-absent",
            f"function {function} has no alias {alias}",
            hint="./understudy deploy, with the same --target",
        )
    return found


def point(
    aws: Aws, before: AliasState, version: str, weights: Mapping[str, float] | None = None
) -> AliasState:
    """The alias after it was pointed at `version`, with `weights` for others.

    Raises:
        UnderstudyError: somebody else moved it since `before` was read.
    """
    wanted = dict(weights or {})
    guard: dict[str, Any] = {"RevisionId": before.revision} if before.revision else {}
    try:
        answer = aws.call(
            aws.lambda_().update_alias,
            FunctionName=before.function,
            Name=before.alias,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": wanted},
            **guard,
        )
    except AwsError as exc:
        if exc.aws_code != "PreconditionFailedException":
            raise
        # Our own write may have got through with its answer lost.
        now = get(aws, before.function, before.alias)
        if (now.version, dict(now.weights)) == (version, wanted):
            return now
        raise UnderstudyError(
            "alias-moved",
            f"alias {before} was moved by somebody else, from version {before.version} to {now.version}",
            hint="./understudy rollout status, with the same --target",
            retryable=True,
        ) from exc
    return _state(before.function, dict(answer))


def _state(function: str, answer: Mapping[str, Any]) -> AliasState:
    routing = answer.get("RoutingConfig") or {}
    return AliasState(
        function=function,
        alias=answer["Name"],
        version=answer["FunctionVersion"],
        weights=dict(routing.get("AdditionalVersionWeights") or {}),
        revision=answer.get("RevisionId", ""),
    )
