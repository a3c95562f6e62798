"""House style, section 10: a unit test stands where its module stands."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ROOMS = {"bench": ROOT / "bench"}
"""Folders of tests whose code is not below src/understudy."""

SEVERAL = {
    "image/base/test_parts.py": ("base/assemble.py", "base/layout.py", "base/lock.py", "base/relock.py"),
    "image/builder/test_parts.py": (
        "builder/modes.py",
        "builder/plan.py",
        "builder/space.py",
        "builder/users.py",
    ),
}
"""Tests of several modules together."""

TESTS = sorted(str(path.relative_to(HERE)) for path in HERE.glob("*/**/test_*.py"))


def modules_of(test: str) -> list[Path]:
    """The modules that a test module is for."""
    path = Path(test)
    room, *below = path.parts[:-1]
    source = ROOMS.get(room, ROOT / "src" / "understudy" / room)
    if test in SEVERAL:
        return [source / module for module in SEVERAL[test]]
    return [source.joinpath(*below, f"{path.stem.removeprefix('test_')}.py")]


@pytest.mark.parametrize("test", TESTS)
def test_every_test_module_stands_where_its_module_stands(test: str) -> None:
    for module in modules_of(test):
        package = module.with_suffix("") / "__init__.py"
        assert module.is_file() or package.is_file(), (
            f"tests/unit/{test} tests {module.relative_to(ROOT)}, which does not exist: "
            "move the test to its module, or name what it tests in SEVERAL"
        )


def test_the_exceptions_are_still_needed() -> None:
    assert set(SEVERAL) <= set(TESTS)
