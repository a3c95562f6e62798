"""One service's wire form: requests become parameters, outputs and errors become answers, all by shape.

Covers what the owned services speak: rest-json and json 1.0/1.1. The query and XML protocols belong to
services of the delegate and are refused here by name. Models come from botocore's data files, read on first
use and compiled once per operation.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

from understudy.engine.protocol.call import ApiError, HttpRequest, HttpResponse, Value
from understudy.engine.protocol.routes import Route, RouteTable
from understudy.engine.protocol.shapes import Converter, ShapeCompiler, text_decoder, text_encoder
from understudy.engine.protocol.validate import Check, CheckCompiler, Problem, refusal

_SUPPORTED = ("rest-json", "json")
_NO_QUERY: Mapping[str, list[str]] = {}


def load_model(service: str) -> ServiceModel:
    """Returns botocore's model of a service, from botocore's own data alone (no user overrides)."""
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    document = loader.load_service_model(service, "service-2")
    _forget_texts(document)
    return ServiceModel(document, service)


def _forget_texts(document: Value) -> None:
    """Drops the models' documentation, which is most of their memory."""
    if isinstance(document, dict):
        # Only a text is documentation: a structure may have a member of that name.
        if isinstance(document.get("documentation"), str):
            del document["documentation"]
        for member in document.values():
            _forget_texts(member)
    elif isinstance(document, list):
        for member in document:
            _forget_texts(member)


@functools.cache
def codec(service: str) -> "Codec":
    """Returns the codec of a service; the first call per service reads its model (20 to 80 ms)."""
    return Codec(load_model(service))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """An operation's name and its parameters, validated."""

    operation: str
    params: dict[str, Value]


class Codec:
    """Parses requests of one service and serialises its answers."""

    def __init__(self, model: ServiceModel) -> None:
        protocol = model.metadata["protocol"]
        if protocol not in _SUPPORTED:
            raise NotImplementedError(f"{model.service_name} speaks {protocol}, known are {_SUPPORTED}")
        self.service = model.service_name
        self.rest = protocol == "rest-json"
        self._model = model
        self._shapes = ShapeCompiler()
        self._checks = CheckCompiler()
        self._errors = {
            _error_code(shape): shape for shape in model.error_shapes if isinstance(shape, StructureShape)
        }
        version = model.metadata.get("jsonVersion", "1.0")
        content_type = "application/json" if self.rest else f"application/x-amz-json-{version}"
        self._content_type = (b"content-type", content_type.encode())
        self._routes = self._route_table() if self.rest else None
        self._operations = frozenset(model.operation_names)
        self._inputs: dict[str, _Input] = {}
        self._outputs: dict[str, _Output] = {}

    def _route_table(self) -> RouteTable:
        operations = (self._model.operation_model(name) for name in self._model.operation_names)
        return RouteTable(
            Route(operation=operation.name, method=operation.http["method"], uri=operation.http["requestUri"])
            for operation in operations
        )

    def parse(self, request: HttpRequest) -> Parsed:
        """Returns the operation and parameters of a request, types and constraints checked.

        Raises:
            ApiError: the operation is unknown, or the input does not fit its shape.
        """
        parsed = self.decode(request)
        self._input(parsed.operation).validate(parsed.params)
        return parsed

    def decode(self, request: HttpRequest) -> Parsed:
        """Returns the operation and parameters of a request; constraints of the shape are not checked.

        Raises:
            ApiError: the operation is unknown, or a type does not fit.
        """
        operation, labels, query = self._match(request)
        params = self._input(operation).decode(request, labels, query)
        return Parsed(operation=operation, params=params)

    def operation_of(self, request: HttpRequest) -> str:
        """Returns the name of the operation that a request asks for, its input unread.

        Raises:
            ApiError: no operation of the service answers this request.
        """
        return self._match(request)[0]

    def _match(self, request: HttpRequest) -> tuple[str, Mapping[str, str], Mapping[str, list[str]]]:
        if self._routes is None:
            operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
            if operation not in self._operations:
                raise ApiError(
                    "UnknownOperationException", f"Unknown operation {operation or 'without a name'}"
                )
            return operation, {}, _NO_QUERY
        query = parse_qs(request.query, keep_blank_values=True) if request.query else _NO_QUERY
        found = self._routes.match(request.method, request.path, query)
        if found is None:
            text = f"Unable to determine the operation of {request.method} {request.path}"
            raise ApiError("UnknownOperationException", text, status=404)
        return found.operation, found.labels, query

    def serialise(self, operation: str, output: Mapping[str, Value], request_id: str) -> HttpResponse:
        """Returns the answer for an operation's output.

        Raises:
            KeyError: the output holds a member that the output shape does not know: a bug of the operation.
        """
        plan = self._outputs.get(operation)
        if plan is None:
            plan = self._outputs[operation] = _Output(
                self._model.operation_model(operation), self._shapes, rest=self.rest
            )
        headers = [self._content_type, (b"x-amzn-requestid", request_id.encode())]
        return plan.serialise(output, headers)

    def serialise_error(self, error: ApiError, request_id: str) -> HttpResponse:
        """Returns the answer for a refusal, its members cased as the error's own shape cases them."""
        shape = self._errors.get(error.code)
        headers = [self._content_type, (b"x-amzn-requestid", request_id.encode())]
        document = {} if self.rest else {"__type": error.code}
        if self.rest:
            headers.append((b"x-amzn-errortype", error.code.encode()))
        status = error.status
        message = "message"
        if shape is not None:
            declared = shape.metadata.get("error", {}).get("httpStatusCode")
            status = declared if declared and self.rest else status
            members = shape.members
            message = next(
                (
                    members[name].serialization.get("name", name)
                    for name in members
                    if name.lower() == "message"
                ),
                message,
            )
            if "Type" in members:
                document["Type"] = "User" if status < 500 else "Service"
            for name, value in error.fields.items():
                member = members[name]
                if member.serialization.get("location") == "header":
                    wire_name = member.serialization.get("name", name).lower()
                    headers.append((wire_name.encode(), text_encoder(member)(value).encode()))
                else:
                    document[name] = self._shapes.encoder(member)(value)
        document[message] = error.message
        return HttpResponse(status=status, headers=tuple(headers), body=_dump(document))

    def _input(self, operation: str) -> "_Input":
        plan = self._inputs.get(operation)
        if plan is None:
            plan = self._inputs[operation] = _Input(
                self._model.operation_model(operation), self._shapes, self._checks
            )
        return plan


def _error_code(shape: Shape) -> str:
    return str(shape.metadata.get("error", {}).get("code", shape.name))


def _dump(document: Value) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


class _Input:
    """The compiled input shape of one operation."""

    def __init__(self, model: OperationModel, shapes: ShapeCompiler, checks: CheckCompiler) -> None:
        self._service = model.service_model.service_name
        self._labels: list[tuple[str, str, Converter]] = []
        self._query: list[tuple[str, str, Converter, bool]] = []
        self._headers: list[tuple[str, str, Converter]] = []
        self._payload: tuple[str, Converter | None] | None = None
        self._body: Converter | None = None
        self._check: Check | None = None
        shape = model.input_shape
        if shape is None:
            return
        self._check = checks.check(shape)
        payload = shape.serialization.get("payload")
        for name, member in shape.members.items():
            self._place(name, member)
        if payload is not None:
            raw = shape.members[payload].type_name in ("blob", "string")
            self._payload = (payload, None if raw else shapes.decoder(shape.members[payload]))
        elif any("location" not in member.serialization for member in shape.members.values()):
            self._body = shapes.decoder(shape)

    def _place(self, name: str, member: Shape) -> None:
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if location == "uri":
            self._labels.append((wire_name, name, text_decoder(member)))
        elif location == "querystring":
            self._query.append((wire_name, name, text_decoder(member), member.type_name == "list"))
        elif location == "header":
            self._headers.append((wire_name.lower(), name, text_decoder(member)))
        elif location is not None:
            raise NotImplementedError(f"{self._service} sends {name} in {location}")

    def decode(
        self, request: HttpRequest, labels: Mapping[str, str], query: Mapping[str, list[str]]
    ) -> dict[str, Value]:
        params: dict[str, Value] = {}
        if self._body is not None:
            params = self._body(_load(request.body, self._service))
        for wire_name, name, convert in self._labels:
            params[name] = convert(labels[wire_name])
        for wire_name, name, convert, many in self._query if query else ():
            values = query.get(wire_name)
            if values:
                params[name] = convert(values if many else values[0])
        for wire_name, name, convert in self._headers:
            text = request.headers.get(wire_name)
            if text is not None:
                params[name] = convert(text)
        if self._payload is not None and request.body:
            name, load = self._payload
            params[name] = load(_load(request.body, self._service)) if load else request.body
        return params

    def validate(self, params: dict[str, Value]) -> None:
        if self._check is None:
            return
        problems: list[Problem] = []
        self._check(params, "", problems)
        if problems:
            raise refusal(self._service, problems)


def _load(body: bytes, service: str) -> Value:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        if service == "lambda":
            text = f"Could not parse request body into json: {exc}"
            raise ApiError("InvalidRequestContentException", text) from exc
        raise ApiError("SerializationException", f"Could not parse request body: {exc}") from exc
    return {} if document is None else document


class _Output:
    """The compiled output shape of one operation."""

    def __init__(self, model: OperationModel, shapes: ShapeCompiler, *, rest: bool) -> None:
        self._status = int(model.http.get("responseCode", 200)) if rest else 200
        self._headers: dict[str, tuple[bytes, Converter]] = {}
        self._status_member: str | None = None
        self._payload: str | None = None
        self._payload_encoder: Converter | None = None
        self._body: Converter | None = None
        shape = model.output_shape
        if shape is None:
            return
        if rest:
            for name, member in shape.members.items():
                self._place(name, member)
            self._payload = shape.serialization.get("payload")
        if self._payload is None:
            self._body = shapes.encoder(shape)
            return
        member = shape.members[self._payload]
        if member.type_name == "structure" and not member.serialization.get("eventstream"):
            self._payload_encoder = shapes.encoder(member)

    def _place(self, name: str, member: Shape) -> None:
        location = member.serialization.get("location")
        if location == "header":
            wire_name = member.serialization.get("name", name).lower()
            self._headers[name] = (wire_name.encode(), text_encoder(member))
        elif location == "statusCode":
            self._status_member = name
        elif location is not None:
            raise NotImplementedError(f"{name} is answered in {location}")

    def serialise(self, output: Mapping[str, Value], headers: list[tuple[bytes, bytes]]) -> HttpResponse:
        status = self._status
        rest = output
        if self._headers or self._status_member:
            rest = {}
            for name, value in output.items():
                if name in self._headers:
                    if value is not None:
                        wire_name, convert = self._headers[name]
                        if wire_name == b"content-type":
                            headers = [pair for pair in headers if pair[0] != wire_name]
                        headers.append((wire_name, convert(value).encode()))
                elif name == self._status_member:
                    status = value
                else:
                    rest[name] = value
        return HttpResponse(status=status, headers=tuple(headers), body=self._serialise_body(rest))

    def _serialise_body(self, output: Mapping[str, Value]) -> Value:
        if self._payload is not None:
            payload = output.get(self._payload)
            if payload is None:
                return b""
            if self._payload_encoder is not None:
                return _dump(self._payload_encoder(payload))
            return payload.encode() if isinstance(payload, str) else payload
        if self._body is None:
            if output:
                raise KeyError(f"the operation answers nothing, got {sorted(output)}")
            return b""
        return _dump(self._body(output))
