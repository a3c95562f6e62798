"""`/health` for "is the process up" and `/ready` for "can it do its work"."""

import contextvars
from concurrent.futures import Future, ThreadPoolExecutor, wait

from fastapi import APIRouter

from dashboard.errors import DashboardError, NotReadyError
from dashboard.problems import responses
from dashboard.schemas import Health, Readiness
from dashboard.services import ServicesOf

router = APIRouter(tags=["operations"])

_CHECK_TIMEOUT_S = 5.0


@router.get("/health")
async def health(services: ServicesOf) -> Health:
    """Answer without any input or output."""
    return Health(version=services.settings.version, git_sha=services.settings.git_sha)


@router.get("/ready", responses=responses(503))
def ready(services: ServicesOf) -> Readiness:
    """Check the table and the bucket; a 503 says which of them failed, and why."""
    checks = {
        "table": services.configurations.check,
        "bucket": services.ticker_source.check,
    }
    # Not a `with` block: it would wait for a check that hangs.
    pool = ThreadPoolExecutor(len(checks), thread_name_prefix="ready")
    futures = {name: pool.submit(contextvars.copy_context().run, check) for name, check in checks.items()}
    pool.shutdown(wait=False)
    wait(futures.values(), timeout=_CHECK_TIMEOUT_S)
    results = {name: _outcome(future) for name, future in futures.items()}
    failed = [name for name, outcome in results.items() if outcome != "ok"]
    if failed:
        raise NotReadyError(
            f"Not ready: {', '.join(failed)}.", extensions={"failed": failed, "checks": results}
        )
    return Readiness(checks=results)


def _outcome(future: Future[None]) -> str:
    if not future.done():
        return "No answer in time."
    error = future.exception()
    if error is None:
        return "ok"
    if isinstance(error, DashboardError):
        return error.detail
    raise error
