import pytest

from understudy.targets.init import intrinsics
from understudy.targets.init.intrinsics import Named, UnresolvedError, Values

VALUES = Values(
    stack="shop",
    parameters={"Stage": "dev"},
    resources={"Users": Named(ref="${Table.users.name}", attributes={"Arn": "${Table.users.arn}"})},
)


def _value(text: str) -> object:
    return VALUES.resolve(intrinsics.parse(f"value: {text}", "t.yaml")["value"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Ref Stage", "dev"),
        ("!Ref Users", "${Table.users.name}"),
        ("{Ref: AWS::AccountId}", "${account}"),
        ("!Ref AWS::StackName", "shop"),
        ("!GetAtt Users.Arn", "${Table.users.arn}"),
        ("{'Fn::GetAtt': [Users, Arn]}", "${Table.users.arn}"),
        ("!Sub 'a-${Stage}-${Users}-${Users.Arn}'", "a-dev-${Table.users.name}-${Table.users.arn}"),
        ("!Sub ['${x}-${!Literal}', {x: !Ref Stage}]", "dev-$${Literal}"),
        ("!Join ['-', [a, !Ref Stage]]", "a-dev"),
        ("2012-10-17", "2012-10-17"),
        ("[{a: !Ref Stage}]", [{"a": "dev"}]),
    ],
)
def test_values_become_texts_and_placeholders(text: str, expected: object) -> None:
    assert _value(text) == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("!Ref Nobody", "!Ref Nobody"),
        ("!GetAtt Users.StreamArn", "!GetAtt Users.StreamArn"),
        ("!If [a, b, c]", "Fn::If"),
        ("!Sub '${Nobody.Arn}'", "!GetAtt Nobody.Arn"),
    ],
)
def test_what_only_a_running_stack_knows_is_named(text: str, what: str) -> None:
    with pytest.raises(UnresolvedError, match=what.replace(".", r"\.")):
        _value(text)


def test_a_boolean_is_a_variable_s_text() -> None:
    assert VALUES.text(True) == "true"
