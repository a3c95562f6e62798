"""Shapes: strict on the way in, exact on the way out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from understudy.engine.protocol import shapes
from understudy.engine.protocol.call import ApiError
from understudy.engine.protocol.codec import load_model

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHAPES = shapes.ShapeCompiler()
CREATE = SHAPES.decoder(load_model("lambda").shape_for("CreateFunctionRequest"))
REFUSED = [
    pytest.param({"Handler": 3}, "NUMBER_VALUE can not be converted to a String", id="number-for-string"),
    pytest.param({"Handler": True}, "TRUE_VALUE can not be converted to a String", id="boolean-for-string"),
    pytest.param(
        {"Timeout": "3"}, "STRING_VALUE can not be converted to an Integer", id="string-for-integer"
    ),
    pytest.param({"Timeout": 3.5}, "NUMBER_VALUE can not be converted to an Integer", id="fraction"),
    pytest.param(
        {"Publish": "true"}, "STRING_VALUE can not be converted to a Boolean", id="string-for-boolean"
    ),
    pytest.param({"Environment": []}, "Start of list found where not expected", id="list-for-structure"),
    pytest.param({"Layers": {}}, "Start of structure or map found where not expected.", id="map-for-list"),
    pytest.param({"Code": {"ZipFile": "?"}}, "Base64 encoded string expected", id="not-base64"),
]


@pytest.mark.parametrize(("document", "message"), REFUSED)
def test_refuses_another_type(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match="SerializationException") as caught:
        CREATE(document)
    assert caught.value.message == message


def test_reads_what_fits_and_forgets_null_and_unknown() -> None:
    document = {"Timeout": 3.0, "Code": {"ZipFile": "eA=="}, "Handler": None, "Nonsense": 1}
    assert CREATE(document) == {"Timeout": 3, "Code": {"ZipFile": b"x"}}


@pytest.mark.parametrize(
    "value", [1767323045, 1767323045.0, "2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 GMT", "1767323045"]
)
def test_reads_every_timestamp_form(value: Any) -> None:
    assert shapes.parse_timestamp(value) == MOMENT


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", True, 1e300])
def test_refuses_what_is_no_timestamp(value: Any) -> None:
    with pytest.raises(ApiError, match="SerializationException"):
        shapes.parse_timestamp(value)


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("iso8601", "2026-01-02T03:04:05Z"),
        ("rfc822", "Fri, 02 Jan 2026 03:04:05 GMT"),
        ("unixTimestamp", 1767323045),
    ],
)
def test_writes_every_timestamp_form(style: str, expected: Any) -> None:
    assert shapes.format_timestamp(MOMENT, style) == expected
    assert shapes.format_timestamp(MOMENT.timestamp(), style) == expected
