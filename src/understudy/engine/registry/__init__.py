"""The OCI distribution protocol on the engine's port, for `docker push` and its kind.

A second door to the repositories of `ecr`. Refuses to keep state of its own, and to create a repository by
pushing to it.
"""

from understudy.engine.registry.router import RegistryRouter

__all__ = ["RegistryRouter"]
