import sys

import pytest

from understudy.cli import program


@pytest.mark.parametrize(
    ("argument", "told", "expected"),
    [
        ("/home/me/.local/bin/understudy", "", "understudy up"),
        ("/checkout/src/understudy/__main__.py", "", "./understudy up"),
        ("/checkout/src/understudy/__main__.py", "understudy", "understudy up"),
        ("/home/me/.local/bin/understudy", "rm -rf", "understudy up"),
    ],
    ids=["installed", "checkout", "told", "told nonsense"],
)
def test_hints_say_what_the_user_types(
    argument: str, told: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [argument])
    monkeypatch.setenv(program.VARIABLE, told)

    assert program.named("./understudy up") == expected
