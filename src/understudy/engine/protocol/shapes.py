"""Turns botocore shapes into plain functions, once: JSON value to Python value and back.

Walking a shape through botocore's properties costs more than the work itself, so each shape is compiled to a
closure on first use. Decoding follows the wire strictly, as AWS does: a number where a string belongs is a
SerializationException, never a guess. Formats: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
"""

import base64
import binascii
import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from botocore.model import ListShape, MapShape, Shape, StructureShape

from understudy.engine.protocol.call import ApiError, Value

Converter = Callable[[Value], Value]

_INTEGERS = ("integer", "long", "short", "byte")
_FLOATS = ("float", "double")
_SPECIAL_FLOATS = ("NaN", "Infinity", "-Infinity")


def _refusal(value: Value, wanted: str) -> ApiError:
    if isinstance(value, dict):
        message = "Start of structure or map found where not expected."
    elif isinstance(value, list):
        message = "Start of list found where not expected"
    else:
        found = {True: "TRUE", False: "FALSE"}[value] if isinstance(value, bool) else _kind(value)
        message = f"{found}_VALUE can not be converted to {wanted}"
    return ApiError("SerializationException", message)


def _kind(value: Value) -> str:
    return "NUMBER" if isinstance(value, int | float) else "STRING"


def _string(value: Value) -> str:
    if isinstance(value, str):
        return value
    raise _refusal(value, "a String")


def _boolean(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    raise _refusal(value, "a Boolean")


def _integer(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refusal(value, "an Integer")
    if isinstance(value, float) and not value.is_integer():
        raise _refusal(value, "an Integer")
    return int(value)


def _float(value: Value) -> float:
    if isinstance(value, str) and value in _SPECIAL_FLOATS:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refusal(value, "a Double")
    return float(value)


def _blob(value: Value) -> bytes:
    try:
        return base64.b64decode(_string(value), validate=True)
    except binascii.Error as exc:
        raise ApiError("SerializationException", "Base64 encoded string expected") from exc


def parse_timestamp(value: Value) -> datetime:
    """Returns the moment that epoch seconds, an ISO 8601 text or an RFC 822 text names.

    Raises:
        ApiError: SerializationException for anything else.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        text = _string(value)
        if text[:1].isalpha():
            return parsedate_to_datetime(text).astimezone(UTC)
        if text.replace(".", "", 1).lstrip("-").isdigit():
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as exc:
        raise _refusal(value, "a Date") from exc
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def format_timestamp(value: Value, style: str) -> Value:
    """Returns a datetime or epoch seconds as ``iso8601``, ``rfc822`` or ``unixTimestamp``."""
    moment = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if style == "iso8601":
        return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace(
            "+00:00", "Z"
        )
    if style == "rfc822":
        return format_datetime(moment, usegmt=True)
    stamp = moment.timestamp()
    return int(stamp) if stamp.is_integer() else stamp


def _same(value: Value) -> Value:
    return value


def _encode_blob(value: Value) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _encode_float(value: Value) -> Value:
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return value


def _encode_text(value: Value) -> str:
    return value if isinstance(value, str) else str(value)


_DECODERS: dict[str, Converter] = {
    "string": _string,
    "character": _string,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": parse_timestamp,
    **dict.fromkeys(_INTEGERS, _integer),
    **dict.fromkeys(_FLOATS, _float),
}
_ENCODERS: dict[str, Converter] = {
    "string": _encode_text,
    "character": _encode_text,
    "boolean": bool,
    "blob": _encode_blob,
    **dict.fromkeys(_INTEGERS, int),
    **dict.fromkeys(_FLOATS, _encode_float),
}


class ShapeCompiler:
    """Compiles shapes of one service and remembers its structures, so recursive shapes end."""

    def __init__(self) -> None:
        self._decoders: dict[str, Converter] = {}
        self._encoders: dict[str, Converter] = {}

    def decoder(self, shape: Shape) -> Converter:
        """Returns the function from a JSON value to botocore's Python value; members that are null vanish."""
        if isinstance(shape, StructureShape):
            return self._structure_decoder(shape)
        if isinstance(shape, ListShape):
            return _list_decoder(self.decoder(shape.member))
        if isinstance(shape, MapShape):
            return _map_decoder(self.decoder(shape.value))
        return _DECODERS[shape.type_name]

    def encoder(self, shape: Shape) -> Converter:
        """Returns the function from an operation's value to JSON; it raises KeyError on unknown members."""
        if isinstance(shape, StructureShape):
            return self._structure_encoder(shape)
        if isinstance(shape, ListShape):
            return _list_encoder(self.encoder(shape.member))
        if isinstance(shape, MapShape):
            return _map_encoder(self.encoder(shape.value))
        if shape.type_name == "timestamp":
            style = shape.serialization.get("timestampFormat", "unixTimestamp")
            return lambda value: format_timestamp(value, style)
        return _ENCODERS[shape.type_name]

    def _structure_decoder(self, shape: StructureShape) -> Converter:
        if getattr(shape, "is_document_type", False):
            return _same
        known = self._decoders.get(shape.name)
        if known is not None:
            return known
        plan: list[tuple[str, str, Converter]] = []

        def decode(value: Value) -> dict[str, Value]:
            if not isinstance(value, dict):
                raise _refusal(value, f"a {shape.name}")
            decoded = {}
            for wire_name, name, convert in plan:
                member = value.get(wire_name)
                if member is not None:
                    decoded[name] = convert(member)
            return decoded

        self._decoders[shape.name] = decode
        for name, member in shape.members.items():
            if "location" not in member.serialization:
                plan.append((member.serialization.get("name", name), name, self.decoder(member)))
        return decode

    def _structure_encoder(self, shape: StructureShape) -> Converter:
        if getattr(shape, "is_document_type", False):
            return _same
        known = self._encoders.get(shape.name)
        if known is not None:
            return known
        plan: dict[str, tuple[str, Converter]] = {}

        def encode(value: Value) -> dict[str, Value]:
            encoded = {}
            for name, member in value.items():
                if member is not None:
                    if name not in plan:
                        raise KeyError(f"{shape.name} has no member {name}")
                    wire_name, convert = plan[name]
                    encoded[wire_name] = convert(member)
            return encoded

        self._encoders[shape.name] = encode
        for name, member in shape.members.items():
            plan[name] = (member.serialization.get("name", name), self.encoder(member))
        return encode


def _list_decoder(convert: Converter) -> Converter:
    def decode(value: Value) -> list[Value]:
        if not isinstance(value, list):
            raise _refusal(value, "a List")
        return [convert(item) for item in value if item is not None]

    return decode


def _map_decoder(convert: Converter) -> Converter:
    def decode(value: Value) -> dict[str, Value]:
        if not isinstance(value, dict):
            raise _refusal(value, "a Map")
        return {key: convert(item) for key, item in value.items() if item is not None}

    return decode


def _list_encoder(convert: Converter) -> Converter:
    return lambda value: [convert(item) for item in value]


def _map_encoder(convert: Converter) -> Converter:
    return lambda value: {key: convert(item) for key, item in value.items()}


def text_decoder(shape: Shape) -> Converter:
    """Returns the function from the text of a label, header or query value to its Python value."""
    kind = shape.type_name
    if isinstance(shape, ListShape):
        member = text_decoder(shape.member)
        return lambda value: [
            member(item) for item in (value if isinstance(value, list) else value.split(","))
        ]
    if kind == "boolean":
        return _boolean_text
    if kind in _INTEGERS:
        return _integer_text
    if kind in _FLOATS:
        return float
    if kind == "timestamp":
        return parse_timestamp
    return _same


def _boolean_text(value: str) -> bool:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _refusal(value, "a Boolean")


def _integer_text(value: str) -> int:
    try:
        return int(value)
    except ValueError as exc:
        raise _refusal(value, "an Integer") from exc


def text_encoder(shape: Shape) -> Converter:
    """Returns the function from a Python value to the text of a response header."""
    kind = shape.type_name
    if kind == "timestamp":
        style = shape.serialization.get("timestampFormat", "rfc822")
        return lambda value: str(format_timestamp(value, style))
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if isinstance(shape, ListShape):
        member = text_encoder(shape.member)
        return lambda value: ",".join(member(item) for item in value)
    return str
