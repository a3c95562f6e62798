from understudy.manifests import errors
from understudy.manifests.errors import ManifestError, Problem
from understudy.manifests.model import Position

AT = Position(file="a.yaml", line=3)


def test_first_problem_is_the_error_and_the_others_follow() -> None:
    first = Problem(code="c", message="one", hint="do", at=AT, path="spec.a")
    found = ManifestError([first, Problem(code="d", message="two", hint="do", at=AT)])
    assert (found.code, found.where) == ("c", "a.yaml:3, spec.a")
    assert "also: a.yaml:3: two" in found.message


def test_suggestion_names_the_nearest_whatever_its_case() -> None:
    assert errors.suggestion("IMAGEURI", ["imageURI", "s3Key"]) == "rename it to imageURI"


def test_suggestion_lists_what_there_is_when_nothing_is_near() -> None:
    assert errors.suggestion("qqq", ["b", "a"]) == "remove it, or use one of a, b"


def test_suggestion_without_choices_removes() -> None:
    assert errors.suggestion("x", []) == "remove it"
