import pytest

from understudy.reconcile import redact
from understudy.reconcile.model import Change


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("environment.variables.API_KEY", True),
        ("environment.variables.dbPassword", True),
        ("environment.variables.SESSION_TOKEN", True),
        ("environment.variables.CLIENT_SECRET", True),
        ("stageVariables.apiKey", True),
        ("environment.variables.STAGE", False),
        ("kmsKeyARN", False),
        ("tags.tokens", False),
    ],
)
def test_variables_are_hidden_by_their_names(path: str, hidden: bool) -> None:
    found = redact.change(Change(path=path, old=None, new="plain"))
    assert (found.old, found.new) == (None, "(hidden)" if hidden else "plain")


def test_a_spec_is_hidden_deep_inside() -> None:
    spec = {"name": "f", "environment": {"variables": {"A": "b", "A_TOKEN": "c"}}}
    assert redact.spec(spec) == {
        "name": "f",
        "environment": {"variables": {"A": "b", "A_TOKEN": "(hidden)"}},
    }
    assert redact.value("environment", {"variables": {"A_TOKEN": "c"}}) == {
        "variables": {"A_TOKEN": "(hidden)"}
    }
