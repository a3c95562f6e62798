import pytest

from understudy.errors import UnderstudyError
from understudy.manifests import documents
from understudy.manifests.errors import ManifestError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("1e3", "1e3"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("010", "010"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("2026-01-02", "2026-01-02"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-3", -3),
        ("1.50", 1.5),
        ('"12"', "12"),
        ("!!str 12", 12),
        ("|\n  a\n  b", "a\nb\n"),
    ],
)
def test_scalar_means_what_json_says_or_text(text: str, value: object) -> None:
    [node] = documents.parse(f"key: {text}\n", file="a.yaml")
    found = node.entries["key"].value
    if text.startswith("!!str"):
        assert found in ("12", 12)
    else:
        assert found == value
        assert type(found) is type(value)


def test_position_of_a_value_is_that_of_its_key() -> None:
    [node] = documents.parse("spec:\n  code:\n    imageURI: x\n", file="function.yaml")
    found = node.entries["spec"].entries["code"].entries["imageURI"].at
    assert (str(found), found.column) == ("function.yaml:3", 5)


def test_position_of_a_list_element_is_its_own() -> None:
    [node] = documents.parse("tags:\n  - a\n  - b\n", file="a.yaml")
    assert node.entries["tags"].items[1].at.line == 3


def test_every_document_of_a_stream_is_found_and_empty_ones_are_not() -> None:
    found = documents.parse("---\na: 1\n---\n---\nb: 2\n", file="a.yaml")
    assert [node.plain() for node in found] == [{"a": 1}, {"b": 2}]


def test_alias_is_the_value_of_its_anchor() -> None:
    [node] = documents.parse("a: &x {b: 1}\nc: *x\n", file="a.yaml")
    assert node.plain() == {"a": {"b": 1}, "c": {"b": 1}}


BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "manifest-duplicate-key", 3),
        ("a: [1\nb: 2\n", "manifest-syntax", 2),
        ("a: !!python/name:os.system x\n", "manifest-tag", 1),
        ("a: !!timestamp 2026-01-01\n", "manifest-tag", 1),
        ("a: !thing {b: 1}\n", "manifest-tag", 1),
        ("x: &x {a: 1}\ny:\n  <<: *x\n", "manifest-merge-key", 3),
        ("[1, 2]: x\n", "manifest-key", 1),
        ("a: &x [*x]\n", "manifest-alias", 1),
        ("a: *nowhere\n", "manifest-alias", 1),
        ("a: " + "[" * 200 + "]" * 200, "manifest-depth", 1),
        (BOMB, "manifest-size", 5),
    ],
    ids=[
        "duplicate",
        "syntax",
        "python",
        "timestamp",
        "own-tag",
        "merge",
        "key",
        "loop",
        "undefined",
        "deep",
        "bomb",
    ],
)
def test_refuses_yaml_that_readers_take_differently(text: str, code: str, line: int) -> None:
    with pytest.raises(ManifestError) as caught:
        documents.parse(text, file="a.yaml")
    assert caught.value.code == code
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"a.yaml:{line}")


def test_lines_count_from_the_outer_file_for_yaml_inside_yaml() -> None:
    [node] = documents.parse("a: 1\nb: 2\n", file="k.yaml", lines_before=10)
    assert node.entries["b"].at.line == 12


def test_missing_file_is_our_error() -> None:
    from pathlib import Path

    with pytest.raises(UnderstudyError, match="cannot be read"):
        documents.load(Path("/nowhere/a.yaml"))
