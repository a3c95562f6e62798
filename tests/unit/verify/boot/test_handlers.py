"""What kind of events a handler's source promises to take."""

import pytest

from understudy.verify.boot import handlers


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("from mangum import Mangum\nhandler = Mangum(app)\n", "web"),
        ("import mangum.adapter\n", "web"),
        ("def handler(event, context):\n    import serverless_wsgi\n", "web"),
        ("from aws_lambda_powertools.event_handler import APIGatewayHttpResolver\n", "web"),
        ("from aws_lambda_powertools.event_handler import APIGatewayRestResolver\n", "unknown"),
        ("def handler(event, context): ...\n", "plain"),
        ("async def handler(event, context): ...\n", "plain"),
        ("from elsewhere import handler\n", "unknown"),
        ("from .mangum import handler\n", "unknown"),
        ("def handler(:\n", "unknown"),
        ("\0", "unknown"),
    ],
)
def test_kind_of_a_source(source: str, kind: str) -> None:
    assert handlers.kind(source, "app.handler") == kind


def test_module_is_looked_for_in_each_folder_once() -> None:
    assert handlers.module_paths("pkg.app.handler", ["/var/task", "/var/task", "/"]) == [
        "/var/task/pkg/app.py",
        "/var/task/pkg/app/__init__.py",
        "/pkg/app.py",
        "/pkg/app/__init__.py",
    ]
    assert handlers.module_paths("nodot", ["/"]) == []


def test_openapi_url_is_fastapis_unless_a_source_says_otherwise() -> None:
    assert handlers.openapi_url(["app = FastAPI()"]) == "/openapi.json"
    assert handlers.openapi_url(["", "FastAPI(openapi_url='/api/spec')"]) == "/api/spec"
    assert handlers.openapi_url(["FastAPI(openapi_url=None)"]) == "/openapi.json"
