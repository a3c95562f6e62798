"""The application: `sse.app:app` for an ASGI server, `create_app` for tests, `install` for others."""

import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from sse.feed import Limits, Table, events

SECONDS = 50.0
"""How long a stream lasts, unless `STREAM_SECONDS` says otherwise; the page then connects again."""

Reader = Callable[[str], Awaitable[list[Mapping[str, Any]]]]

# As in the dashboard: whoever puts the service on the internet puts something in front that sets the header.
UserId = Annotated[str, Header(alias="X-User-ID", pattern=r"^[A-Za-z0-9._@+:|-]{1,128}$")]

router = APIRouter()
_log = logging.getLogger(__name__)


def _version() -> str:
    return os.environ.get("SERVICE_VERSION") or "0"


@router.get("/health")
async def health() -> dict[str, str]:
    """Say that the service runs, and what of it; without I/O."""
    return {
        "status": "ok",
        "version": _version(),
        "git_sha": os.environ.get("GIT_SHA", "unknown"),
    }


@router.get("/updates", response_class=StreamingResponse)
async def updates(
    request: Request,
    user: UserId,
    limit: Annotated[int | None, Query(ge=1, le=1000)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Stream the user's configurations: what there is, then every change, as `text/event-stream`."""
    read: Reader = request.app.state.read
    try:
        found = await read(user)
    except Exception as exc:
        _log.exception("the table cannot be read")
        raise HTTPException(503, "The configurations cannot be read.") from exc
    limits = Limits(seconds=float(os.environ.get("STREAM_SECONDS") or SECONDS), events=limit)
    return StreamingResponse(
        events(found, lambda: read(user), limits, last_id=last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


def install(app: FastAPI, read: Reader | None = None) -> None:
    """Give an application the feed; by default the table that the environment names."""
    app.state.read = read or Table(os.environ.get("CONFIGURATIONS_TABLE", "")).read
    # Not include_router: it makes every route again.
    known = {getattr(route, "path", None) for route in app.router.routes}
    app.router.routes.extend(route for route in router.routes if getattr(route, "path", None) not in known)


def create_app(read: Reader | None = None) -> FastAPI:
    """The application over a reader of configurations."""
    made = FastAPI(title="Dashboard updates", version=_version(), redoc_url=None)
    install(made, read)
    return made


app = create_app()
