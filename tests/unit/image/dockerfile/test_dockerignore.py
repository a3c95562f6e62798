"""Which files a `.dockerignore` leaves out."""

import pytest

from understudy.errors import UnderstudyError
from understudy.image.dockerfile import dockerignore, patterns


@pytest.mark.parametrize(
    ("text", "path", "excluded"),
    [
        ("*.md", "a.md", True),
        ("*.md", "d/a.md", False),
        ("**/*.md", "d/e/a.md", True),
        ("**/*.md", "a.md", True),
        ("/d", "d/e/f", True),
        ("d/", "d/e", True),
        ("d/**", "d/e", True),
        ("d/**", "d", False),
        ("*.md\n!README.md", "README.md", False),
        ("!README.md\n*.md", "README.md", True),
        ("d\n!d/keep", "d/keep/x", False),
        ("# no\n#no", "no", False),
        ("[a-c]?.txt", "bz.txt", True),
        ("[^a]", "b", True),
        ("./x/../y", "y", True),
        ("a\\*b", "a*b", True),
        ("*", "anything/below", True),
        (".", "a", False),
    ],
)
def test_last_match_of_path_or_parent_decides(text: str, path: str, excluded: bool) -> None:
    assert dockerignore.parse(text).excludes(path) is excluded


@pytest.mark.parametrize(
    ("text", "directory", "pruned"),
    [
        ("node_modules", "node_modules", True),
        ("a\n!a/b/c", "a", False),
        ("a\n!x/y", "a", True),
        ("*\n!src/**", "docs", True),
        ("*\n!src/**", "src", False),
        ("*\n!**/keep", "docs", False),
    ],
)
def test_prunes_directories_that_nothing_can_come_back_from(text: str, directory: str, pruned: bool) -> None:
    assert dockerignore.parse(text).prunes(directory) is pruned


def test_refuses_a_malformed_pattern_by_line() -> None:
    with pytest.raises(UnderstudyError) as caught:
        dockerignore.parse("ok\n[a", path="svc/.dockerignore")
    assert caught.value.where == "svc/.dockerignore:2"


def test_a_pattern_may_not_end_in_a_backslash() -> None:
    with pytest.raises(patterns.PatternSyntaxError):
        patterns.compile_pattern("a\\")


def test_what_is_left_out_besides_cannot_be_taken_back() -> None:
    found = dockerignore.parse("!.understudy\n").with_also([".understudy"])

    assert found.excludes(".understudy/store")
