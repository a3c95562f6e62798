"""Builds with Docker's BuildKit, from the native builder's bases and with its view of the host.

Docker is reached by its command alone, so that its contexts, credentials and proxies count. The Dockerfile is
handed to it with three changes that no layer shows: FROM names the base that was resolved here, RUN sees the
host's certificates and pip settings as secrets, and what the context must not hold is left out. Refuses to
know how an image comes back out of Docker: that is the caller's (`targets`).
"""

from understudy.image.docker.build import Built, build
from understudy.image.docker.client import Docker, find

__all__ = ["Built", "Docker", "build", "find"]
