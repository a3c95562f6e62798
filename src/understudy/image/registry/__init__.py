"""A registry as images see it: pull, push, look; authentication, retries and errors included.

Refuses to change a manifest on its way, and to send credentials anywhere but to the registry and its token
server.
"""

from understudy.image.registry.auth import Auth
from understudy.image.registry.client import RegistryClient
from understudy.image.registry.errors import RegistryUnreachableError
from understudy.image.registry.events import Progress, PushReport, silent
from understudy.image.registry.http import Timeouts

__all__ = [
    "Auth",
    "Progress",
    "PushReport",
    "RegistryClient",
    "RegistryUnreachableError",
    "Timeouts",
    "silent",
]
