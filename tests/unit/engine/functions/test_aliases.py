import pytest

from tests.unit.engine.functions.records import function
from understudy.engine.functions import aliases
from understudy.engine.functions.model import Alias
from understudy.engine.protocol import ApiError

FUNCTION = function("dash", "1", "2", "3")


def alias(version: str = "1", **weights: float) -> Alias:
    shares = {number[1:]: share for number, share in weights.items()}
    return Alias(name="live", version=version, description="", revision_id="r", weights=shares)


@pytest.mark.parametrize(
    ("version", "weights", "code", "text"),
    [
        ("1", {"2": 0.1, "3": 0.1}, "InvalidParameterValueException", "cannot be greater than 1"),
        (
            "1",
            {"2": 2.0},
            "ValidationException",
            "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights'",
        ),
        ("1", {"2": -1.0}, "ValidationException", "Value '{2=-1.0}'"),
        (
            "1",
            {"1": 0.5},
            "InvalidParameterValueException",
            "Invalid function version 1. Function version 1 is",
        ),
        ("1", {"9": 0.5}, "ResourceNotFoundException", "function:dash:9"),
        ("1", {"$LATEST": 0.5}, "ValidationException", "regular expression pattern: [0-9]+"),
        ("$LATEST", {"1": 0.5}, "InvalidParameterValueException", "$LATEST is not supported for an alias"),
    ],
)
def test_refuses_weights_as_aws_does(version: str, weights: dict[str, float], code: str, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        aliases.check_weights(FUNCTION, version, weights)
    assert caught.value.code == code
    assert text in caught.value.message


def test_refuses_versions_that_do_not_exist() -> None:
    with pytest.raises(ApiError, match=r"Function not found: .*:dash:10"):
        aliases.check_version(FUNCTION, "10")
    with pytest.raises(ApiError, match="at 'functionVersion'"):
        aliases.check_version(FUNCTION, "live")
    aliases.check_version(FUNCTION, "$LATEST")


@pytest.mark.parametrize(("dice", "version"), [(0.0, "2"), (0.19, "2"), (0.2, "1"), (0.99, "1")])
def test_the_dice_choose_by_weight(dice: float, version: str) -> None:
    assert aliases.chosen(alias(_2=0.2), dice) == version


def test_without_weights_there_is_no_choice() -> None:
    assert aliases.chosen(alias(), 0.0) == "1"


def test_finds_every_alias_that_uses_a_version() -> None:
    used = FUNCTION.with_alias(alias(_2=0.2))
    assert aliases.referencing(used, "1") == ["live"]
    assert aliases.referencing(used, "2") == ["live"]
    assert aliases.referencing(used, "3") == []
