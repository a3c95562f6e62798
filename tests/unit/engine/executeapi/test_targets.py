import pytest

from understudy.engine.executeapi import targets

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:dash"


@pytest.mark.parametrize(
    ("uri", "function"),
    [
        (FUNCTION, FUNCTION),
        (f"{FUNCTION}:live", f"{FUNCTION}:live"),
        (
            f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}:live/invocations",
            f"{FUNCTION}:live",
        ),
        ("https://a.example/", None),
        (f"{FUNCTION}:", FUNCTION),
    ],
)
def test_a_uri_names_its_function(uri: str, function: str | None) -> None:
    assert targets.function(uri) == function


def test_stage_variables_are_filled_in() -> None:
    uri = "https://${stageVariables.host}/{proxy}?x=${stageVariables.none}"

    assert targets.filled(uri, {"host": "a.example"}) == "https://a.example/{proxy}?x="
