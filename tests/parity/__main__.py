"""``python -m tests.parity``: measures, and prints the table or writes the page."""

import argparse
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

from tests.contract.engine_process import REPO
from tests.contract.localstack_process import VERSION, LocalStack
from tests.parity import measure, page
from tests.parity.model import Measured, Verdict
from tests.parity.world import World
from tests.ports import free_port

PAGE = REPO / "docs" / "localstack-parity.md"


def main() -> int:
    """Returns 1 when a row could not be measured, or LocalStack does not do what a row says of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("--endpoint", help="measure what listens there, not an engine of ours")
    parser.add_argument("--only", default="", help="rows whose area or name contains this")
    parser.add_argument(
        "--write", action="store_true", help=f"measure LocalStack {VERSION} too, and write {PAGE.name}"
    )
    given = parser.parse_args()
    rows = tuple(row for row in measure.ROWS if given.only.lower() in row.key.lower())
    with World(given.endpoint) as world:
        measured = measure.measure(world, rows)
    sys.stdout.write(page.tables(measured, given.endpoint or "understudy"))
    wrong = [each for each in measured if each.verdict is Verdict.UNKNOWN]
    if given.write:
        wrong += _localstack_otherwise()
        if not wrong:
            PAGE.write_text(page.render(measured, _note()))
    for each in wrong:
        sys.stderr.write(
            f"{each.row.key}: {each.verdict.value}: {each.observed}, not {each.row.localstack}\n"
        )
    return 1 if wrong else 0


def _localstack_otherwise() -> list[Measured]:
    """The rows of which LocalStack itself was seen to do something else than they say of it."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="parity-localstack-") as folder:
        localstack = LocalStack(Path(folder) / "localstack", port=port, public_port=port)
        localstack.start()
        try:
            with World(localstack.url) as world:
                measured = measure.measure(world, tuple(row for row in measure.ROWS if not row.documented))
        finally:
            localstack.stop()
    return [each for each in measured if each.verdict not in (Verdict.SAME, Verdict.SKIPPED)]


def _note() -> str:
    names = ("understudy", "boto3", "awscli", "awscli-local")
    versions = ", ".join(f"{name} {_version(name)}" for name in names)
    return f"on {time.strftime('%Y-%m-%d', time.gmtime())} with {versions}, LocalStack {VERSION} from PyPI."


def _version(name: str) -> str:
    if name == "understudy":
        from understudy import __version__

        return __version__
    return metadata.version(name)


if __name__ == "__main__":
    sys.exit(main())
