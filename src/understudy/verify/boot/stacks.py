"""Whose code a path or a stack trace is about; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLACE = re.compile(r'File "(?P<path>/[^"]+)", line (?P<line>\d+)')
_STANDARD = re.compile(r"/lib(?:64)?/(?:python|pypy)\d(?:\.\d+)?/(?!site-packages/|dist-packages/)")
_CLIENT = re.compile(r"/awslambdaric/|\A/var/runtime/")


def is_client(path: str) -> bool:
    """Whether a file belongs to the runtime client, which every function has."""
    return bool(_CLIENT.search(path))


def is_standard(path: str) -> bool:
    """Whether a file belongs to the standard library."""
    return path.startswith("<") or bool(_STANDARD.search(path))


def is_own(path: str) -> bool:
    """Whether a file is the image's own code or one of its packages."""
    return not is_standard(path) and not is_client(path)


def places(stack: Sequence[str]) -> list[tuple[str, int]]:
    """Files and lines of a stack trace as a runtime client posts it, innermost first, own code if any."""
    matches = [match for line in reversed(stack) for match in [_PLACE.search(line)] if match is not None]
    found = [(match["path"], int(match["line"])) for match in matches]
    own = [place for place in found if is_own(place[0])]
    return own or found
