"""Quotes, escapes and variables of a Dockerfile word."""

import pytest

from understudy.image.dockerfile import words
from understudy.image.dockerfile.words import WordSyntaxError

VARIABLES = {"v": "value", "empty": "", "path": "/a/b/c.tar.gz", "two": "x y"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("$v-${v}", "value-value"),
        ("$unset.", "."),
        ("${v:-d} ${empty:-d} ${empty-d} ${unset-d}", "value d  d"),
        ("${v:+s}${empty:+s}${empty+t}${unset+s}", "st"),
        ("${unset:-${v}!}", "value!"),
        (r"\$v '$v' \"", '$v $v "'),
        (r'"$v \$v \n"', r"value $v \n"),
        ("${path#/*/} ${path##*/} ${path%.*} ${path%%.*}", "b/c.tar.gz c.tar.gz /a/b/c.tar /a/b/c"),
        ("${path/a/z} ${path//\\//-}", "/z/b/c.tar.gz -a-b-c.tar.gz"),
        ("a$", "a$"),
        ("$v_x $1", " "),
    ],
)
def test_expands(word: str, expected: str) -> None:
    assert words.expand(word, VARIABLES) == expected


def test_fields_split_unquoted_variables_alone() -> None:
    assert words.expand_fields('$two "$two" a', VARIABLES) == ["x", "y", "x y", "a"]


def test_split_keeps_quotes() -> None:
    assert words.split("a='b c'  \"d e\" f\\ g") == ["a='b c'", '"d e"', "f\\ g"]


@pytest.mark.parametrize("word", ["'a", '"a', "${v", "${}", "${v:?}x${unset:?gone}", "${v@Q}"])
def test_refuses_what_is_not_closed_or_not_known(word: str) -> None:
    with pytest.raises(WordSyntaxError):
        words.expand(word, VARIABLES)
