"""Rules of aliases: what they may point at and how traffic is shared.

Pure; the dice are an argument.
"""

from collections.abc import Mapping

from understudy.engine.functions import errors, names
from understudy.engine.functions.model import LATEST, Alias, Function


def check_weights(function: Function, version: str, weights: Mapping[str, float]) -> dict[str, float]:
    """The weights as stored, when an alias of `function` pointing at `version` may carry them.

    Raises:
        ApiError: too many, out of range, unknown or contradicting versions.
    """
    if len(weights) > 1:
        raise errors.invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for number, share in weights.items():
        _check_weight(function, version, number, share)
    return dict(weights)


def check_version(function: Function, version: str) -> None:
    """Passes when an alias of `function` may point at `version`.

    Raises:
        ApiError: there is no such version.
    """
    if version != LATEST and not names.is_version(version):
        raise errors.validation(
            "functionVersion", version, r"Member must satisfy regular expression pattern: (\$LATEST|[0-9]+)"
        )
    if version not in function.versions:
        raise errors.function_not_found(names.arn(function.id, version))


def chosen(alias: Alias, dice: float) -> str:
    """The version that serves one invocation.

    Args:
        alias: the alias that was invoked.
        dice: uniform in [0, 1).
    """
    for number, share in alias.weights.items():
        if dice < share:
            return number
    return alias.version


def referencing(function: Function, version: str) -> list[str]:
    """The names of the aliases that send traffic to `version`."""
    return [
        alias.name
        for alias in function.aliases.values()
        if alias.version == version or version in alias.weights
    ]


def _check_weight(function: Function, version: str, number: str, share: float) -> None:
    shown = f"{{{number}={share}}}"
    member = "routingConfig.additionalVersionWeights"
    if not 0.0 <= share <= 1.0:
        raise errors.validation(
            member,
            shown,
            "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "
            "Member must have value greater than or equal to 0.0, Member must not be null]",
        )
    if not names.is_version(number):
        raise errors.validation(
            member,
            shown,
            "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, "
            "Member must have length greater than or equal to 1, "
            "Member must satisfy regular expression pattern: [0-9]+, Member must not be null]",
        )
    if number == version:
        raise errors.invalid_parameter(
            f"Invalid function version {version}. "
            f"Function version {version} is already included in routing configuration."
        )
    if version == LATEST:
        raise errors.invalid_parameter(
            "$LATEST is not supported for an alias pointing to more than 1 version"
        )
    if number not in function.versions:
        raise errors.function_not_found(names.arn(function.id, number))
