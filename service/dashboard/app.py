"""The application: `dashboard.app:app` for an ASGI server, `create_app` for tests and other hosts."""

import os
from typing import Any

from fastapi import FastAPI

from dashboard import health, logs, problems, router_v2
from dashboard.clients import Clients
from dashboard.middleware import RequestMiddleware
from dashboard.services import compose
from dashboard.settings import Settings


class _Dashboard(FastAPI):
    """FastAPI with the schema of problem documents in its OpenAPI description."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made on first use."""
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problems.SCHEMA
        return document


def create_app(settings: Settings | None = None, clients: Clients | None = None) -> FastAPI:
    """The application over these settings and clients; by default those that the environment describes."""
    settings = settings or Settings.from_environment(os.environ)
    logs.configure(settings.log_level)
    app = _Dashboard(title="Dashboard", version=settings.version, redoc_url=None)
    app.state.services = compose(settings, clients or Clients())
    for router in (health.router, router_v2.configurations, router_v2.tickers):
        # Not include_router: it makes every route again, which is a tenth of the cold start of our code.
        app.router.routes.extend(router.routes)
    problems.install(app)
    app.add_middleware(RequestMiddleware)
    return app


app = create_app()
