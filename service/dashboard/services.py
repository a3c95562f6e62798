"""What the routes work with, put together once per application."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from dashboard.clients import Clients
from dashboard.configurations import Configurations
from dashboard.settings import Settings, required
from dashboard.tickers import S3Source, TickerCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The service's settings, repository and ticker cache."""

    settings: Settings
    configurations: Configurations
    tickers: TickerCache
    ticker_source: S3Source


def compose(settings: Settings, clients: Clients) -> Services:
    """The services over these clients; nothing is connected yet."""
    source = S3Source(
        clients.s3, lambda: required(settings.tickers_bucket, "TICKERS_BUCKET"), settings.tickers_key
    )
    return Services(
        settings=settings,
        configurations=Configurations(
            clients.dynamodb, lambda: required(settings.configurations_table, "CONFIGURATIONS_TABLE")
        ),
        tickers=TickerCache(source, ttl_s=settings.tickers_ttl_s),
        ticker_source=source,
    )


async def of_request(request: Request) -> Services:
    """The services of the application that got the request."""
    services = request.app.state.services
    if not isinstance(services, Services):
        raise TypeError("the application was not made by create_app")
    return services


ServicesOf = Annotated[Services, Depends(of_request)]
"""The parameter of an operation that needs the services."""
