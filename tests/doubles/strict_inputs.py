"""What AWS's front ends refuse before a service's own code runs, and botocore lets through."""

import functools
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tests.doubles import wire
from tests.doubles.server import Forward
from tests.doubles.strict_rules import PassingRule
from tests.doubles.wire import Call, Message
from understudy.engine.protocol import codec, validate


class Models(PassingRule):
    """Lengths, ranges, patterns and enumerations of the services that the delegate plays.

    Source: the service models that AWS publishes and botocore carries. botocore itself checks types,
    required members and minimum lengths alone. The engine checks them for the services that it owns.
    """

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Refuses input that does not fit the operation's shape."""
        if call.service not in ("iam", "dynamodb", "sts"):
            return None
        model = codec.load_model(call.service)
        if call.operation not in model.operation_names:
            return None
        shape = model.operation_model(call.operation).input_shape
        check = _check(call.service, call.operation)
        if check is None or shape is None:
            return None
        problems: list[validate.Problem] = []
        check(_params(call, shape), "", problems)
        if not problems:
            return None
        error = validate.refusal(call.service, problems)
        code = "ValidationError" if call.service == "iam" else error.code
        return wire.refusal(call, code, error.message)


@functools.cache
def _check(service: str, operation: str) -> validate.Check | None:
    shape = codec.load_model(service).operation_model(operation).input_shape
    return validate.CheckCompiler().check(shape) if shape is not None else None


def _params(call: Call, shape: Shape) -> Any:
    if call.service == "dynamodb":
        return json.loads(call.request.body or b"{}")
    form = parse_qs(call.request.body.decode(), keep_blank_values=True)
    return _of_form({name: values[-1] for name, values in form.items()}, shape, "")


def _of_form(form: Mapping[str, str], shape: Shape, prefix: str) -> Any:
    """The value at `prefix` of a form in the query protocol, as its shape says."""
    if isinstance(shape, StructureShape):
        dot = f"{prefix}." if prefix else ""
        present = {
            name: member
            for name, member in shape.members.items()
            if any(key == dot + name or key.startswith(f"{dot}{name}.") for key in form)
        }
        return {name: _of_form(form, member, dot + name) for name, member in present.items()}
    if isinstance(shape, ListShape):
        return [_of_form(form, shape.member, place) for place in _places(form, f"{prefix}.member")]
    if isinstance(shape, MapShape):
        return {form[f"{place}.key"]: form[f"{place}.value"] for place in _places(form, f"{prefix}.entry")}
    text = form[prefix]
    return int(text) if shape.type_name in ("integer", "long") else text


def _places(form: Mapping[str, str], prefix: str) -> Iterator[str]:
    number = 1
    while any(key == f"{prefix}.{number}" or key.startswith(f"{prefix}.{number}.") for key in form):
        yield f"{prefix}.{number}"
        number += 1


class Tags(PassingRule):
    """At most 50 tags, keys unique and not AWS's own, of letters, numbers, spaces and ``_.:/=+-@``.

    Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html, "Tag
    naming limits and requirements"; IAM's and CloudWatch Logs' models have these characters as a pattern.
    """

    CODES: Mapping[str, str] = {
        "apigatewayv2": "BadRequestException",
        "dynamodb": "ValidationException",
        "ecr": "InvalidTagParameterException",
        "iam": "InvalidInput",
        "lambda": "InvalidParameterValueException",
        "logs": "InvalidParameterException",
        "s3": "InvalidTag",
    }

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Refuses tags that AWS would not keep."""
        if call.service not in self.CODES or not call.writes or call.operation.startswith("Untag"):
            return None
        pairs = list(_tags(call))
        keys = [key for key, _ in pairs]
        fault = "Tag keys must be unique" if len(set(keys)) < len(keys) else ""
        fault = "Too many tags: at most 50" if len(pairs) > 50 else fault
        for key, value in pairs:
            fault = fault or _tag_fault(key, value)
        return wire.refusal(call, self.CODES[call.service], fault) if fault else None


def _tag_fault(key: str, value: str) -> str:
    if key.lower().startswith("aws:"):
        return f"aws: prefixed tag key names are not allowed for external use: {key}"
    if not 1 <= len(key) <= 128 or len(value) > 256:
        return f"The tag key or value is too long: {key}"
    for text in (key, value):
        if not all(unicodedata.category(one)[0] in "LNZ" or one in "_.:/=+-@" for one in text):
            return f"The tag contains characters that are not allowed: {key}={value}"
    return ""


def _tags(call: Call) -> Iterator[tuple[str, str]]:
    if call.service == "s3":
        if "tagging" in call.request.target.partition("?")[2]:
            text = call.request.body.decode()
            yield from re.findall(r"<Key>(.*?)</Key>\s*<Value>(.*?)</Value>", text)
        return
    if call.service == "iam":
        form = {name: values[-1] for name, values in parse_qs(call.request.body.decode(), True).items()}
        for place in _places(form, "Tags.member"):
            yield form[f"{place}.Key"], form.get(f"{place}.Value", "")
        return
    found = call.params.get("Tags") or call.params.get("tags") or {}
    if isinstance(found, Mapping):
        yield from found.items()
    else:
        for one in found:
            yield one.get("Key", one.get("key", "")), one.get("Value", one.get("value", ""))
