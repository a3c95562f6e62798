from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import pytest

from understudy.manifests import documents
from understudy.manifests.errors import ManifestError
from understudy.targets import sections
from understudy.targets.sections import choice, each, flag, inside, matching, named, number, section, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    path: Annotated[str, inside]
    code: Annotated[str, matching("[a-z]+")] = "abc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    name: Annotated[str, text]
    kind: Annotated[str, choice("a", "b")] = "a"
    is_open: Annotated[bool, flag] = False
    port: Annotated[int, number(1, 9)] = 5
    size: Annotated[int, number(1)] = 1
    note: Annotated[str | None, text] = None
    paths: Annotated[tuple[str, ...], each(inside)] = ()
    inner: Annotated[Inner | None, section(Inner)] = None
    others: Annotated[Mapping[str, Inner], named(section(Inner), "[a-z]+")] = field(default_factory=dict)


def parse(written: str) -> Outer:
    [node] = documents.parse(written, file="f.yaml")
    return sections.parse(Outer, node)


def test_what_is_not_written_has_its_default() -> None:
    assert parse("name: n") == Outer(name="n")


def test_everything_is_read_under_its_camel_case_name() -> None:
    found = parse(
        "{name: n, kind: b, isOpen: true, port: 9, size: 70000, note: x, paths: [a/b],"
        " inner: {path: p}, others: {one: {path: q, code: z}}}"
    )
    assert found == Outer(
        name="n",
        kind="b",
        is_open=True,
        port=9,
        size=70000,
        note="x",
        paths=("a/b",),
        inner=Inner(path="p"),
        others={"one": Inner(path="q", code="z")},
    )


def test_nothing_is_as_good_as_not_written_where_nothing_is_the_default() -> None:
    assert parse("{name: n, note: , inner: }") == Outer(name="n")


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("[]", "the file is wrong: expected a map", "correct the value"),
        ("{}", "name is missing", "add name"),
        ("name: 1", "name is wrong: expected text", 'write "1" in quotes'),
        ("name: true", "name is wrong: expected text", 'write "true" in quotes'),
        ("name: [a]", "name is wrong: expected text", "correct the value"),
        ("name: ", "name is wrong: expected text", "correct the value"),
        ("{name: n, kind: c}", "kind is wrong: expected 'a' or 'b'", "write 'a' or 'b'"),
        ("{name: n, isOpen: 1}", "isOpen is wrong: expected true or false", "correct the value"),
        ("{name: n, port: true}", "port is wrong: expected a whole number from 1 to 9", "correct the value"),
        ("{name: n, port: 10}", "port is wrong: expected a whole number from 1 to 9", "correct the value"),
        ("{name: n, size: 0}", "size is wrong: expected a whole number from 1 on", "correct the value"),
        ("{name: n, size: 1.5}", "size is wrong: expected a whole number from 1 on", "correct the value"),
        ("{name: n, paths: a}", "paths is wrong: expected a list", "correct the value"),
        (
            "{name: n, paths: [a, ../b]}",
            "paths.1 is wrong: expected a path inside the project, relative to understudy.yaml",
            "correct the value",
        ),
        ("{name: n, inner: x}", "inner is wrong: expected a map", "correct the value"),
        (
            "{name: n, inner: {path: p, code: A}}",
            "inner.code is wrong: expected text that matches [a-z]+",
            "correct the value",
        ),
        ("{name: n, others: [x]}", "others is wrong: expected a map", "correct the value"),
        (
            "{name: n, others: {A: {path: p}}}",
            "others.A is wrong: expected a name that matches [a-z]+",
            "correct the value",
        ),
        ("{name: n, is_open: true}", "is_open is no field of the project file", "rename it to isOpen"),
    ],
)
def test_a_problem_says_what_was_expected_and_what_to_write(written: str, message: str, hint: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(written)
    assert [(one.message, one.hint) for one in caught.value.problems] == [(message, hint)]


def test_all_problems_are_told_and_a_misspelt_name_comes_first() -> None:
    with pytest.raises(ManifestError) as caught:
        parse("{port: 0, nam: n}")
    assert [one.path for one in caught.value.problems] == ["nam", "name", "port"]
