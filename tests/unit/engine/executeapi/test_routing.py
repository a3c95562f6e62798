import pytest

from understudy.engine.executeapi.routing import Router, parse_route_key

ROUTES = [
    ("default", "$default"),
    ("any-proxy", "ANY /{proxy+}"),
    ("pets-proxy", "GET /pets/{proxy+}"),
    ("dog-id", "GET /pets/dog/{id}"),
    ("dog-1", "GET /pets/dog/1"),
    ("any-dog-1", "ANY /pets/dog/1"),
    ("health", "GET /health"),
]


@pytest.mark.parametrize(
    ("method", "path", "route_id", "parameters"),
    [
        # The developer guide's own example table, most specific first.
        ("GET", "/pets/dog/1", "dog-1", {}),
        ("GET", "/pets/dog/2", "dog-id", {"id": "2"}),
        ("GET", "/pets/cat/1", "pets-proxy", {"proxy": "cat/1"}),
        ("POST", "/test/5", "any-proxy", {"proxy": "test/5"}),
        ("POST", "/pets/dog/1", "any-dog-1", {}),
        ("GET", "/", "default", {}),
        ("GET", "/health", "health", {}),
        ("GET", "/health/", "any-proxy", {"proxy": "health/"}),
        ("GET", "/pets/dog/a b", "dog-id", {"id": "a b"}),
    ],
)
def test_the_most_specific_route_answers(
    method: str, path: str, route_id: str, parameters: dict[str, str]
) -> None:
    match = Router(ROUTES).match(method, path)

    assert match is not None
    assert (match.route_id, match.path_parameters) == (route_id, parameters)


def test_no_route_matches_without_a_default() -> None:
    assert Router([("health", "GET /health")]).match("POST", "/health") is None


@pytest.mark.parametrize("key", ["GET", "GET health", "FETCH /x", "GET /{a+}/b", "GET /x{a}", "", "get /x"])
def test_rejects_a_malformed_route_key(key: str) -> None:
    with pytest.raises(ValueError, match="^" if not key else key.replace("{", r"\{").replace("+", r"\+")):
        parse_route_key(key)
