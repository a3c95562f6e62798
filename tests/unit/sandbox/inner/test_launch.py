"""USER of a Dockerfile becomes numbers; limits never exceed what is allowed."""

import resource
from pathlib import Path

import pytest

from understudy.sandbox.inner import launch


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0:r:/root:/bin/sh\napp:x:1000:1001:a:/:/bin/sh\nbroken\n")
    (tmp_path / "group").write_text("root:x:0:\nappgroup:x:1001:\nextra:x:50:other,app\n")
    real = launch._entries
    monkeypatch.setattr(launch, "_entries", lambda path: real(str(tmp_path / Path(path).name)))


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("user", "numbers"),
    [
        ("", (0, 0, [])),
        ("app", (1000, 1001, [50])),
        ("1000", (1000, 1001, [50])),
        ("4242", (4242, 0, [])),
        ("app:extra", (1000, 50, [])),
        ("4242:4343", (4242, 4343, [])),
    ],
    ids=["empty", "name", "number", "unknown-number", "group", "numbers"],
)
def test_user_becomes_numbers(user: str, numbers: tuple[int, int, list[int]]) -> None:
    assert launch._identity(user) == numbers


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("user", ["nobody-here", "app:nogroup"])
def test_unknown_name_is_an_error(user: str) -> None:
    with pytest.raises(LookupError, match="image's"):
        launch._identity(user)


def test_numbers_are_taken_as_they_are() -> None:
    assert launch._identity([993, 990]) == (993, 990, [])


def test_limit_is_clamped_to_the_callers() -> None:
    infinity = resource.RLIM_INFINITY
    assert launch._at_most(10, infinity) == 10
    assert launch._at_most(10, 5) == 5
    assert launch._at_most(infinity, 5) == 5
