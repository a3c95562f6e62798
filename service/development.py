"""Every function of the service in one application, for the development server; in no image."""

from dashboard.app import app
from sse import app as sse

__all__ = ["app"]

sse.install(app)
