"""Measures every row of the table of one endpoint."""

from concurrent.futures import ThreadPoolExecutor

from tests.parity import (
    rows_containers,
    rows_endpoint,
    rows_hooks,
    rows_internal,
    rows_lambda,
    rows_s3,
    rows_settings,
    rows_tools,
)
from tests.parity.model import Measured, Row, judge
from tests.parity.world import World

ROWS: tuple[Row, ...] = (
    *rows_endpoint.ROWS,
    *rows_s3.ROWS,
    *rows_internal.ROWS,
    *rows_tools.ROWS,
    *rows_lambda.ROWS,
    *rows_hooks.ROWS,
    *rows_containers.ROWS,
    *rows_settings.ROWS,
)
_AT_ONCE = 4


def measure(world: World, rows: tuple[Row, ...] = ROWS) -> list[Measured]:
    """Every row's verdict, in the table's order; the rows depend on nothing but the world."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda row: judge(row, world), rows))
