import click
import pytest

from understudy.cli import allow_option


def test_rules_come_with_their_reasons() -> None:
    values = ("bytecode-stale=measured: 3 ms", " handler-missing = loaded at run time ")
    assert allow_option.parse(values) == {
        "bytecode-stale": "measured: 3 ms",
        "handler-missing": "loaded at run time",
    }
    assert allow_option.parse(()) == {}


@pytest.mark.parametrize("value", ["bytecode-stale", "bytecode-stale=", "=reason", " = "])
def test_a_rule_without_a_reason_is_usage(value: str) -> None:
    with pytest.raises(click.BadParameter, match="RULE=REASON"):
        allow_option.parse((value,))


def test_an_unknown_rule_is_usage_and_the_nearest_is_named() -> None:
    with pytest.raises(click.BadParameter, match="bytecode-stale"):
        allow_option.parse(("bytecode-stal=typo",))
