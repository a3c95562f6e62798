from dataclasses import replace

from understudy.engine.executeapi.http import HttpRequest, HttpResponse
from understudy.engine.httpapi import mapping
from understudy.engine.httpapi.events import Routed

REQUEST = HttpRequest(
    method="POST",
    path="/pets/7",
    query="a=1&b=2",
    headers=[(b"x-a", b"one"), (b"x-b", b"two")],
    body=b'{"pet": {"names": ["rex", "tom"]}, "n": 3}',
    source_ip="127.0.0.1",
    protocol="HTTP/1.1",
)
ROUTED = Routed(
    account_id="000000000000",
    api_id="abc",
    stage="dev",
    domain="abc.execute-api.localhost",
    route_key="POST /pets/{id}",
    path_parameters={"id": "7"},
    stage_variables={"color": "blue"},
    request_id="r",
    epoch_s=0.0,
    trace_id="Root=1",
)


def test_request_is_changed_as_its_parameters_say() -> None:
    changed = mapping.request(
        {
            "append:header.X-A": "$request.header.x-b",
            "overwrite:header.x-b": "${stageVariables.color}-$request.path.id-${request.body.pet.names[1]}",
            "append:querystring.a": "$request.querystring.b",
            "remove:querystring.b": "''",
            "overwrite:path": "/v2${request.path}/$context.stage-${context.stage}",
        },
        REQUEST,
        ROUTED,
    )

    assert list(changed.headers) == [
        (b"x-a", b"one"),
        (b"x-a", b"two"),
        (b"x-b", b"blue-$request.path.id-tom"),
    ]
    assert changed.query == "a=1&a=2"
    assert changed.path == "/v2/pets/7/$context.stage-dev"
    assert changed.body == REQUEST.body


def test_response_is_changed_for_its_own_status_only() -> None:
    by_status = {
        "500": {"overwrite:statuscode": "403", "remove:header.x-secret": "''", "append:header.x-why": "no"},
        "200": {"overwrite:header.x-n": "${response.body.n}/${response.header.x-secret}"},
    }
    answer = HttpResponse(status=500, headers=[(b"x-secret", b"1")], body=b'{"n": 3}')

    failed = mapping.response(by_status, answer, REQUEST, ROUTED)
    good = mapping.response(by_status, replace(answer, status=200), REQUEST, ROUTED)
    other = replace(answer, status=404)

    assert (failed.status, failed.headers) == (403, [(b"x-why", b"no")])
    assert (good.status, good.headers) == (200, [(b"x-secret", b"1"), (b"x-n", b"3/1")])
    assert mapping.response(by_status, other, REQUEST, ROUTED) is other


def test_a_mapped_value_cannot_begin_another_header() -> None:
    body = b'{"a": "1\\r\\nset-cookie: x=1"}'
    answer = HttpResponse(status=200, headers=[], body=body)

    mapped = mapping.response({"200": {"append:header.x": "$response.body.a"}}, answer, REQUEST, ROUTED)

    assert mapped.headers == [(b"x", b"1  set-cookie: x=1")]


def test_what_has_no_value_becomes_nothing() -> None:
    parameters = {
        "overwrite:header.x-a": "${request.header.no}${request.body.pet.names[9]}${request.body.n.x}"
    }

    changed = mapping.request(parameters, replace(REQUEST, body=b"no json"), ROUTED)

    assert (b"x-a", b"") in list(changed.headers)
