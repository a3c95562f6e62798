"""Whose data a request is about: the header `X-User-ID`.

The service trusts the header; whoever puts it on the internet puts an authorizer in front that sets it.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.routing import APIRoute

from dashboard.errors import UnauthenticatedError

HEADER = "X-User-ID"

# No comma: API Gateway joins repeated headers with one, and "alice,bob" must not become a third tenant.
_PATTERN = r"^[A-Za-z0-9._@+:|-]{1,128}$"
_ID = re.compile(_PATTERN)

UserId = Annotated[
    str,
    Header(
        alias=HEADER, pattern=_PATTERN, description="Whose data the request is about.", examples=["alice"]
    ),
]
"""The parameter of an operation on an `AuthenticatedRoute`."""


class AuthenticatedRoute(APIRoute):
    """A route that looks at the user before anything else of the request.

    FastAPI parses the body before it resolves dependencies, so a dependency would tell an anonymous
    client about its JSON first.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, behind the check."""
        handler = super().get_route_handler()

        async def authenticated(request: Request) -> Response:
            """Check, then serve."""
            check(request.headers.getlist(HEADER))
            return await handler(request)

        return authenticated


def check(values: list[str]) -> None:
    """Make sure that the header was sent once, with an acceptable id.

    Raises:
        UnauthenticatedError: it was not.
    """
    if len(values) != 1 or not _ID.fullmatch(values[0]):
        raise UnauthenticatedError(
            f"The header {HEADER} must hold one user id: 1 to 128 of A-Z a-z 0-9 . _ @ + : | -",
            headers={"WWW-Authenticate": f'UserId header="{HEADER}"'},
        )
