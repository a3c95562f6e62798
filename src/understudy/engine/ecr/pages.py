"""Pages of a sorted answer: a token says what came last, so that it stays right while images come and go."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from understudy.engine.ecr.errors import invalid_parameter

DEFAULT_LENGTH = 100

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Some items, and the token for what follows; None on the last page."""

    items: Sequence[Item]
    next_token: str | None

    def output(self, name: str, render: Callable[[Item], Any]) -> dict[str, Any]:
        """Returns the items rendered under `name`, with the token when there is one."""
        token = {"nextToken": self.next_token} if self.next_token else {}
        return {name: [render(item) for item in self.items], **token}


def page(items: Sequence[Item], key: Callable[[Item], str], params: Mapping[str, Any]) -> Page[Item]:
    """Returns the page of `items` that ``nextToken`` and ``maxResults`` of a request ask for.

    Args:
        items: everything, in a stable order.
        key: what tells one item from all others.
        params: the request's parameters.

    Raises:
        ApiError: InvalidParameterException, the token is none of ours or what it named is gone.
    """
    start = _start(items, key, params.get("nextToken"))
    length = params.get("maxResults") or DEFAULT_LENGTH
    chosen = items[start : start + length]
    more = start + length < len(items)
    return Page(items=chosen, next_token=_encode(key(chosen[-1])) if more else None)


def _start(items: Sequence[Item], key: Callable[[Item], str], token: str | None) -> int:
    if not token:
        return 0
    try:
        last = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError) as exc:
        raise invalid_parameter("nextToken", "invalid token") from exc
    for index, item in enumerate(items):
        if key(item) == last:
            return index + 1
    raise invalid_parameter("nextToken", "invalid token")


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()
