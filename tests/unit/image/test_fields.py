import pytest

from understudy.image import fields
from understudy.image.fields import DocumentInvalidError, Fields


def test_absent_fields_are_empty() -> None:
    reader = Fields({}, "thing")
    assert (reader.text("a"), reader.texts("a"), reader.number("a")) == ("", (), 0)
    assert reader.mapping("a", optional=True) == {}
    assert reader.mappings("a", optional=True) == ()


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("text", 1),
        ("texts", "a"),
        ("texts", [1]),
        ("mapping", []),
        ("mappings", {}),
        ("mappings", ["a"]),
        ("number", "1"),
        ("number", 1.5),
    ],
)
def test_field_of_another_type_is_named_with_its_value(method: str, value: object) -> None:
    with pytest.raises(DocumentInvalidError, match="thing is invalid: field 'a'"):
        getattr(Fields({"a": value}, "thing"), method)("a")


def test_required_fields_must_be_there() -> None:
    reader = Fields({}, "thing")
    with pytest.raises(DocumentInvalidError):
        reader.text("a", required=True)
    with pytest.raises(DocumentInvalidError):
        reader.mapping("a")
    with pytest.raises(DocumentInvalidError):
        reader.mappings("a")


def test_long_values_are_shortened_in_messages() -> None:
    assert len(fields.shown("x" * 1000)) == 60
