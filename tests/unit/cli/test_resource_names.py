import pytest

from understudy.cli import resource_names
from understudy.errors import UnderstudyError
from understudy.manifests.model import ResourceKey


@pytest.mark.parametrize("text", ["Table/x", "table/x", "tables/x"])
def test_a_kind_is_taken_in_any_spelling(text: str) -> None:
    assert resource_names.parse(text) == ResourceKey("Table", "x")


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("Table", "resource-name", "./understudy get lists the resources"),
        ("Tabel/x", "kind-unknown", "./understudy get Table"),
    ],
)
def test_what_names_no_resource_comes_with_the_next_command(text: str, code: str, hint: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        resource_names.parse(text)
    assert (caught.value.code, caught.value.hint) == (code, hint)
