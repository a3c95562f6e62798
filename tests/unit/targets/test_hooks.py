from typing import Any

import pytest

from understudy.targets import hooks


def answers(monkeypatch: pytest.MonkeyPatch, *documents: dict[str, Any]) -> list[str]:
    """Scripts the engine's answers; the contract tests ask a real one."""
    asked: list[str] = []
    left = iter(documents)

    def get(url: str) -> dict[str, Any]:
        asked.append(url)
        return next(left)

    monkeypatch.setattr(hooks.http, "get_json", get)
    monkeypatch.setattr(hooks.time, "sleep", lambda _: None)
    return asked


def script(name: str, state: str) -> dict[str, str]:
    return {"stage": "READY", "name": name, "state": state}


def test_waits_until_all_have_ended_and_names_those_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(
        monkeypatch,
        {"completed": False, "scripts": [script("a.sh", "RUNNING"), script("b.py", "UNKNOWN")]},
        {"completed": False, "scripts": [script("a.sh", "SUCCESSFUL"), script("b.py", "RUNNING")]},
        {"completed": True, "scripts": [script("a.sh", "SUCCESSFUL"), script("b.py", "ERROR")]},
    )

    assert hooks.wait_for_ready("http://localhost:1") == ["b.py"]
    assert asked == ["http://localhost:1/_localstack/init/ready"] * 3


def test_no_hooks_are_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, {"completed": True, "scripts": []})

    assert hooks.wait_for_ready("http://localhost:1") == []
    assert len(asked) == 1


def test_a_hook_that_hangs_is_given_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = {"completed": False, "scripts": [script("a.sh", "RUNNING")]}
    answers(monkeypatch, *[hanging] * 4)
    now = iter([0.0, 20.0, 40.0, 61.0])
    monkeypatch.setattr(hooks.time, "monotonic", lambda: next(now))

    assert hooks.wait_for_ready("http://localhost:1") == ["a.sh"]
