"""The API, version 2: `/api/v2/configurations` and `/api/v2/tickers`.

Operations that wait for AWS are plain functions, which FastAPI runs in a thread: boto3 blocks.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from dashboard import etags
from dashboard.errors import UnknownTickersError
from dashboard.model import Change, Configuration
from dashboard.problems import responses
from dashboard.schemas import (
    ConfigurationOut,
    ConfigurationPage,
    ConfigurationPatch,
    NewConfiguration,
    TickerMatches,
    TickerOut,
    TickerValidation,
)
from dashboard.services import Services, ServicesOf
from dashboard.tickers import SYMBOL_PATTERN
from dashboard.users import AuthenticatedRoute, UserId

configurations = APIRouter(
    prefix="/api/v2/configurations",
    tags=["configurations"],
    route_class=AuthenticatedRoute,
    responses=responses(401, 422, 503),
)
tickers = APIRouter(prefix="/api/v2/tickers", tags=["tickers"], responses=responses(422, 503))

IfMatch = Annotated[
    str | None, Header(description="Only if this is the current ETag; without it, whatever is current.")
]
IfNoneMatch = Annotated[str | None, Header(description="Answer 304 if this is still the ETag.")]
_ETAG = {"ETag": {"description": "Version of the configuration.", "schema": {"type": "string"}}}


@configurations.post(
    "",
    status_code=201,
    responses={
        **responses(400, 409),
        201: {"headers": {**_ETAG, "Location": {"schema": {"type": "string", "format": "uri-reference"}}}},
    },
)
def create_configuration(
    request: Request, response: Response, user: UserId, body: NewConfiguration, services: ServicesOf
) -> ConfigurationOut:
    """Create a configuration. It is active unless told otherwise; at most two may be (409)."""
    _require_known(services, body.tickers)
    created = services.configurations.create(user, name=body.name, tickers=body.tickers, active=body.active)
    # Not request.url_for: it parses the Host header, which may be anything.
    path = request.app.url_path_for("get_configuration", configuration_id=created.id)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}{path}"
    return _answer(response, created)


@configurations.get("", responses=responses(400))
def list_configurations(
    user: UserId,
    services: ServicesOf,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[
        str | None, Query(min_length=1, max_length=64, description="From `next_cursor`.")
    ] = None,
) -> ConfigurationPage:
    """List the user's configurations, oldest first."""
    page = services.configurations.page(user, limit=limit, cursor=cursor)
    return ConfigurationPage(
        items=[ConfigurationOut.of(item) for item in page.items], next_cursor=page.cursor
    )


@configurations.get(
    "/{configuration_id}",
    response_model=ConfigurationOut,
    responses={
        **responses(404),
        200: {"headers": _ETAG},
        304: {"description": "Not Modified", "headers": _ETAG},
    },
)
def get_configuration(
    response: Response,
    user: UserId,
    configuration_id: str,
    services: ServicesOf,
    if_none_match: IfNoneMatch = None,
) -> ConfigurationOut | Response:
    """Get one configuration."""
    found = services.configurations.get(user, configuration_id)
    if if_none_match is not None and etags.if_none_match(if_none_match, found.version):
        return Response(status_code=304, headers={"ETag": etags.render(found.version)})
    return _answer(response, found)


@configurations.patch(
    "/{configuration_id}", responses={**responses(400, 404, 409, 412), 200: {"headers": _ETAG}}
)
def change_configuration(
    response: Response,
    user: UserId,
    configuration_id: str,
    body: ConfigurationPatch,
    services: ServicesOf,
    if_match: IfMatch = None,
) -> ConfigurationOut:
    """Change some members of a configuration.

    With `If-Match` the change is refused (412) unless it names the current ETag. Without it the change is
    applied to whatever is current: a patch names all that it changes, so it overwrites nothing else.
    """
    if body.tickers is not None:
        _require_known(services, body.tickers)
    change = Change(
        name=body.name, tickers=None if body.tickers is None else tuple(body.tickers), active=body.active
    )
    return _answer(
        response, services.configurations.change(user, configuration_id, change, if_match=if_match)
    )


@configurations.delete(
    "/{configuration_id}", status_code=204, response_class=Response, responses=responses(404, 412)
)
def delete_configuration(
    user: UserId, configuration_id: str, services: ServicesOf, if_match: IfMatch = None
) -> None:
    """Delete a configuration; `If-Match` works as in a change."""
    services.configurations.delete(user, configuration_id, if_match=if_match)


@tickers.get("/search")
def search_tickers(
    services: ServicesOf,
    q: Annotated[str, Query(min_length=1, max_length=50, description="Part of a symbol or of a name.")],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> TickerMatches:
    """Search the known tickers by symbol and name."""
    found = services.tickers.book().search(q, limit=limit)
    return TickerMatches(items=[TickerOut.of(ticker) for ticker in found])


@tickers.get("/validate")
def validate_ticker(
    services: ServicesOf, symbol: Annotated[str, Query(pattern=SYMBOL_PATTERN)]
) -> TickerValidation:
    """Say whether a symbol is a known ticker."""
    found = services.tickers.book().get(symbol)
    return TickerValidation(
        symbol=symbol.upper(), valid=found is not None, ticker=None if found is None else TickerOut.of(found)
    )


def _answer(response: Response, configuration: Configuration) -> ConfigurationOut:
    response.headers["ETag"] = etags.render(configuration.version)
    return ConfigurationOut.of(configuration)


def _require_known(services: Services, symbols: list[str]) -> None:
    """Make sure that the ticker cache knows the symbols.

    Raises:
        UnknownTickersError: it does not know all of them.
    """
    unknown = services.tickers.book().unknown(symbols)
    if unknown:
        raise UnknownTickersError(
            f"Unknown ticker{'s'[: len(unknown) != 1]}: {', '.join(unknown)}.",
            extensions={"unknown_tickers": unknown},
        )
