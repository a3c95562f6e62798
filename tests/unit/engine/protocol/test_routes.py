"""Routes: literals before labels, demanded query values before none, encoded slashes stay in their label."""

import pytest

from understudy.engine.protocol.routes import Match, Route, RouteTable

TABLE = RouteTable(
    [
        Route(operation="ListFunctions", method="GET", uri="/2015-03-31/functions/"),
        Route(operation="CreateFunction", method="POST", uri="/2015-03-31/functions"),
        Route(operation="GetFunction", method="GET", uri="/2015-03-31/functions/{FunctionName}"),
        Route(operation="Find", method="GET", uri="/2015-03-31/functions/find"),
        Route(operation="GetConfig", method="GET", uri="/f/{Name}/provisioned"),
        Route(operation="ListConfigs", method="GET", uri="/f/{Name}/provisioned?List=ALL"),
        Route(operation="ListTags", method="GET", uri="/2017-03-31/tags/{ARN}"),
        Route(operation="GetKey", method="GET", uri="/keys/{Key+}"),
    ]
)
CASES = [
    pytest.param("GET", "/2015-03-31/functions", {}, ("ListFunctions", {}), id="trailing-slash-missing"),
    pytest.param("GET", "/2015-03-31/functions/", {}, ("ListFunctions", {}), id="trailing-slash"),
    pytest.param("POST", "/2015-03-31/functions", {}, ("CreateFunction", {}), id="method-decides"),
    pytest.param(
        "GET", "/2015-03-31/functions/f%20x", {}, ("GetFunction", {"FunctionName": "f x"}), id="label"
    ),
    pytest.param("GET", "/2015-03-31/functions/find", {}, ("Find", {}), id="literal-first"),
    pytest.param("GET", "/f/n/provisioned", {}, ("GetConfig", {"Name": "n"}), id="no-query"),
    pytest.param("GET", "/f/n/provisioned", {"List": ["ALL"]}, ("ListConfigs", {"Name": "n"}), id="query"),
    pytest.param(
        "GET", "/2017-03-31/tags/arn%3Aa%2Fb", {}, ("ListTags", {"ARN": "arn:a/b"}), id="encoded-slash"
    ),
    pytest.param("GET", "/keys/a/b%2Fc", {}, ("GetKey", {"Key": "a/b/c"}), id="greedy"),
]


@pytest.mark.parametrize(("method", "path", "query", "expected"), CASES)
def test_finds_the_operation(
    method: str, path: str, query: dict[str, list[str]], expected: tuple[str, dict[str, str]]
) -> None:
    assert TABLE.match(method, path, query) == Match(operation=expected[0], labels=expected[1])


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/2015-03-31/functions"), ("GET", "/nope"), ("GET", "/f")]
)
def test_finds_nothing_else(method: str, path: str) -> None:
    assert TABLE.match(method, path, {}) is None
