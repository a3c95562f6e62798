"""The places in MiniStack that lead to functions are changed while their modules load, and no others."""

import sys
from pathlib import Path

import pytest

from understudy.engine.delegate import deliveries

_MODULE = "ministack.services.s3"


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package `ministack.services` that is found first, with the finder before it."""
    folder = tmp_path / "ministack" / "services"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [deliveries.Finder(), *sys.meta_path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "ministack"]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def _import(name: str) -> object:
    try:
        return __import__(name, fromlist=["_"])
    finally:
        for loaded in [each for each in sys.modules if each.partition(".")[0] == "ministack"]:
            del sys.modules[loaded]


def test_a_place_is_changed_when_its_module_loads(services: Path) -> None:
    (services / "s3.py").write_text("KEPT = 1\n\ndef _deliver_event_to_lambda(*_):\n    pass\n")
    module = _import(_MODULE)
    assert getattr(module, "_deliver_event_to_lambda") is deliveries.of_bucket  # noqa: B009 - mypy knows no such module
    assert vars(module)["KEPT"] == 1


def test_other_modules_are_left_alone(services: Path) -> None:
    (services / "sqs.py").write_text("def _deliver_event_to_lambda(*_):\n    return 1\n")
    module = _import("ministack.services.sqs")
    assert vars(module)["_deliver_event_to_lambda"]() == 1
    assert deliveries.Finder().find_spec("json", None) is None


def test_another_ministack_is_told_at_once(services: Path) -> None:
    (services / "s3.py").write_text("")
    with pytest.raises(ImportError, match="has no _deliver_event_to_lambda"):
        _import(_MODULE)
