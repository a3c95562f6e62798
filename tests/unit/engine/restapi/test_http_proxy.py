from dataclasses import replace

from understudy.engine.executeapi.http import HttpRequest
from understudy.engine.restapi import http_proxy
from understudy.engine.restapi.events import Routed

REQUEST = HttpRequest(
    method="POST",
    path="/pets/a%2Fb",
    query="x=1&x=2",
    headers=[(b"host", b"api"), (b"x-a", b"one"), (b"connection", b"close")],
    body=b"{}",
    source_ip="127.0.0.1",
    protocol="HTTP/1.1",
)
ROUTED = Routed(
    account_id="000000000000",
    api_id="abc",
    deployment_id="d",
    stage="dev",
    domain="abc.execute-api.localhost:4566",
    resource_id="r",
    resource="/pets/{proxy+}",
    path_parameters={"proxy": "a%2Fb"},
    stage_variables={"color": "blue"},
    request_id="i",
    extended_request_id="e",
    epoch_s=0.0,
    trace_id="Root=1",
    iam={},
)


def test_request_goes_on_with_what_its_parameters_say() -> None:
    outgoing = http_proxy.outgoing(
        "https://a.example/{proxy}/{none}",
        "ANY",
        {
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.querystring.y": "stageVariables.color",
            "integration.request.header.X-A": "context.stage",
            "integration.request.header.x-b": "'fixed'",
            "integration.request.header.x-c": "method.request.header.none",
        },
        REQUEST,
        ROUTED,
    )

    assert (outgoing.method, outgoing.body) == ("POST", b"{}")
    assert outgoing.url == "https://a.example/a%2Fb/?x=1&x=2&y=blue"
    headers = dict(outgoing.headers)
    assert (headers["x-a"], headers["x-b"]) == ("dev", "fixed")
    assert headers["forwarded"] == "for=127.0.0.1;host=abc.execute-api.localhost:4566;proto=http"
    assert not {"host", "connection", "content-length", "x-c"} & headers.keys()


def test_the_integrations_own_verb_wins() -> None:
    assert http_proxy.outgoing("http://a", "GET", {}, replace(REQUEST, query=""), ROUTED).url == "http://a"
    assert http_proxy.outgoing("http://a", "GET", {}, REQUEST, ROUTED).method == "GET"
