"""httpx, imported when it is first used: it takes as long to load as half of the command line does.

Most commands never speak to a registry. `importlib.util.LazyLoader` would do the same for any module, but is
not safe between threads before Python 3.12.
"""

import importlib
from typing import TYPE_CHECKING

__all__ = ["httpx"]


class _Module:
    """Stands for a module until one of its attributes is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> object:
        found: object = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, found)
        return found


if TYPE_CHECKING:
    import httpx
else:
    httpx = _Module("httpx")
