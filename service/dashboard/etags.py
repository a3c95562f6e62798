"""Entity tags over version numbers, and the comparisons of RFC 9110, section 8.8.3.

An id is never used again, so the version alone tells two states of a configuration apart.
"""

import re

_TAG = re.compile(r'\s*(?P<weak>W/)?(?P<opaque>"[\x21\x23-\x7e]*")\s*(?:,|$)')


def render(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def if_match(header: str, version: int) -> bool:
    """Whether an `If-Match` field holds for a stored version: `*`, or a strong match."""
    return _listed(header, version, weak=False)


def if_none_match(header: str, version: int) -> bool:
    """Whether an `If-None-Match` field names the stored version: `*`, or a weak match."""
    return _listed(header, version, weak=True)


def _listed(header: str, version: int, *, weak: bool) -> bool:
    """Whether the list names the version; what is no list of entity tags names nothing."""
    if header.strip() == "*":
        return True
    position, found = 0, False
    while position < len(header):
        match = _TAG.match(header, position)
        if match is None:
            return False
        found = found or (match["opaque"] == render(version) and (weak or not match["weak"]))
        position = match.end()
    return found
