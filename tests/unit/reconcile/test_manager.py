import pytest

from tests.fakes.aws import ScriptedAws
from tests.unit.reconcile.builders import desired
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile import manager, managers
from understudy.reconcile.model import Change


def test_text_is_empty_for_what_is_no_string() -> None:
    assert manager.text({"a": "x", "b": 1}, "a") == "x"
    assert manager.text({"a": "x", "b": 1}, "b") == manager.text({}, "c") == ""


def test_touched_are_the_top_level_fields() -> None:
    paths = ("environment.variables.A", "tags[a].value", "memorySize")
    changes = [Change(path=path, old=None, new=None) for path in paths]
    assert manager.touched(changes) == {"environment", "tags", "memorySize"}


def test_most_kinds_have_nothing_to_wait_for() -> None:
    fake = ScriptedAws()
    managers.of("Role").settle(fake.aws, desired("Role/r", {"name": "r"}))
    assert fake.calls == []


KEY = "arn:aws:kms:us-east-1:1:key/11-22"


@pytest.mark.parametrize(
    ("wanted", "actual", "told"),
    [(KEY, KEY, KEY), ("11-22", KEY, "11-22"), ("33", KEY, KEY), (None, KEY, KEY), (KEY, None, None)],
)
def test_key_is_told_as_the_manifest_names_it(wanted: Json, actual: Json, told: Json) -> None:
    assert manager.same_key(wanted, actual) == told


def test_alias_of_a_key_is_refused() -> None:
    with pytest.raises(UnderstudyError, match="alias/k is an alias"):
        manager.same_key("alias/k", KEY)
