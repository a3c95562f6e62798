from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.targets import suite
from understudy.targets.suite import Results


def write(root: Path, name: str, text: str) -> None:
    path = root / suite.FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_revision_is_that_of_names_and_contents(tmp_path: Path) -> None:
    write(tmp_path, "test_a.py", "one")
    first = suite.revision(tmp_path)
    write(tmp_path, "__pycache__/test_a.pyc", "x")
    assert suite.revision(tmp_path) == first
    write(tmp_path, "test_a.py", "two")
    second = suite.revision(tmp_path)
    write(tmp_path, "test_b.py", "")
    assert len({first, second, suite.revision(tmp_path)}) == 3


def test_a_project_without_a_suite_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError) as caught:
        suite.revision(tmp_path)
    assert (caught.value.code, caught.value.hint) == ("suite-missing", "write tests/e2e/test_*.py")


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        ((), True),
        (("-q", "-x", "--tb=short"), True),
        (("-k", "health"), False),
        (("-skhealth",), False),
        (("-x=1",), False),
        (("tests/e2e/test_a.py",), False),
    ],
)
def test_what_may_leave_tests_out_is_no_whole_suite(arguments: tuple[str, ...], whole: bool) -> None:
    assert suite.is_whole(arguments) is whole


@pytest.mark.parametrize("outer", ["{}", "<testsuites>{}</testsuites>"])
def test_results_are_those_of_all_suites(outer: str, tmp_path: Path) -> None:
    path = tmp_path / "results.xml"
    path.write_text(outer.format('<testsuite tests="10" failures="1" errors="2" skipped="3"/>'))
    assert suite.results(path) == Results(passed=4, failed=3, skipped=3)


def test_a_suite_that_did_not_get_to_a_test_has_no_result(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="ended without a result"):
        suite.results(tmp_path / "results.xml")
