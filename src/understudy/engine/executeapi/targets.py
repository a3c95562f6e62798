"""What an integration's URI names; pure."""

import re
from collections.abc import Mapping

_FUNCTION = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(?::[$A-Za-z0-9_-]+)?"
)
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


def filled(uri: str, variables: Mapping[str, str]) -> str:
    """Returns a URI with ``${stageVariables.name}`` replaced; one that is not there becomes nothing."""
    return _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), uri)


def function(uri: str) -> str | None:
    """Returns the ARN of the function, version or alias that a URI names, itself or in an invocation path."""
    found = _FUNCTION.search(uri)
    return found[0] if found else None
