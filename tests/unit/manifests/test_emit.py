import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from understudy.manifests import documents, emit

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz-./", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text", ["12:30", "no", "1e3", "0o17", "2026-01-02", "null", "~", "on", "", "1.5", ".inf", "a: b"]
)
def test_every_reader_takes_a_string_for_a_string(text: str) -> None:
    written = emit.dump([{"key": text}])
    assert yaml.safe_load(written) == {"key": text}
    [node] = documents.parse(written, file="a.yaml")
    assert node.plain() == {"key": text}
    if text not in ("", "a: b"):
        assert f'"{text}"' in written


def test_long_texts_stay_readable() -> None:
    assert emit.dump([{"policy": '{\n  "a": 1\n}\n'}]) == '---\npolicy: |\n  {\n    "a": 1\n  }\n'


def test_same_value_twice_is_written_twice() -> None:
    shared = {"a": 1}
    assert "&" not in emit.dump([{"x": shared, "y": shared}])


@given(VALUES)
def test_reading_gives_back_what_was_written(value: object) -> None:
    written = emit.dump([{"key": json.loads(json.dumps(value))}])
    [node] = documents.parse(written, file="a.yaml")
    assert node.plain() == {"key": value}
