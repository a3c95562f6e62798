from tests.fakes.aws import ScriptedAws
from tests.unit.reconcile.builders import desired
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
