"""Turns specs into AWS parameters and AWS answers into specs, by the shapes of the schema."""

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from understudy.manifests import kinds, schema
from understudy.manifests.model import Json, JsonMap
from understudy.manifests.schema import Field


def create_params(kind: str, spec: JsonMap) -> dict[str, Any]:
    """The input of the kind's create operation; fields that other operations set are left out."""
    extra = kinds.KINDS[kind].extra
    return params(kind, spec, (name for name in spec if name not in extra))


def params(kind: str, spec: JsonMap, names: Iterable[str]) -> dict[str, Any]:
    """AWS's members for the fields `names` of a spec, where the spec has them."""
    root = schema.spec_of(kind)
    return {
        root.members[name].member: to_aws(root.members[name], spec[name])
        for name in names
        if name in spec and root.members[name].member
    }


def value(kind: str, name: str, given: Json) -> Any:  # noqa: ANN401 - as botocore takes it
    """One field's value as AWS takes it."""
    return to_aws(schema.spec_of(kind).members[name], given)


def member(kind: str, name: str) -> str:
    """AWS's name of a field of a spec."""
    return schema.spec_of(kind).members[name].member


def to_aws(field: Field, given: Json) -> Any:  # noqa: ANN401 - as botocore takes it
    """A value in AWS's names."""
    if field.type == "object" and isinstance(given, Mapping):
        return {
            field.members[name].member: to_aws(field.members[name], child)
            for name, child in given.items()
            if field.members[name].member
        }
    if field.element and isinstance(given, Mapping):
        return {key: to_aws(field.element, child) for key, child in given.items()}
    if field.element and isinstance(given, list | tuple):
        return [to_aws(field.element, child) for child in given]
    if field.encoding == "blob" and isinstance(given, str):
        return base64.b64decode(given)
    return given


def spec(kind: str, answer: Mapping[str, Any]) -> dict[str, Json]:
    """The fields of a spec that an AWS answer holds; what the kind does not know is dropped."""
    return cast(dict[str, Json], from_aws(schema.spec_of(kind), answer))


def read(kind: str, name: str, answer: Any) -> Json:  # noqa: ANN401 - as botocore gives it
    """One field's value out of AWS's."""
    return from_aws(schema.spec_of(kind).members[name], answer)


def from_aws(field: Field, answer: Any) -> Json:  # noqa: ANN401 - as botocore gives it
    """A value in ACK's names."""
    if field.type == "object" and isinstance(answer, Mapping):
        return {
            name: from_aws(child, answer[child.member])
            for name, child in field.members.items()
            if child.member and answer.get(child.member) is not None
        }
    if field.element and isinstance(answer, Mapping):
        return {str(key): from_aws(field.element, child) for key, child in answer.items()}
    if field.element and isinstance(answer, list | tuple):
        return [from_aws(field.element, child) for child in answer]
    if isinstance(answer, bytes):
        return base64.b64encode(answer).decode()
    if isinstance(answer, datetime):
        return answer.isoformat()
    return cast(Json, answer)
