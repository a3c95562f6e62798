"""``python -m bench``: measures, prints the report, exits 0 whatever the figures are."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import limits, report
from bench.project import ROOT
from bench.run import Options, Run
from understudy.errors import UnderstudyError

_FAILED = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    arguments = _parser().parse_args(argv)
    options = Options(
        folder=arguments.work.absolute(),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        peers=arguments.peers,
        first_run=arguments.first_run,
        quiet_within_s=arguments.quiet_within,
    )
    try:
        results = Run(options, lambda text: print(f"bench: {text}", file=sys.stderr, flush=True)).measure()
    except UnderstudyError as error:
        print(error, file=sys.stderr)
        return _FAILED
    checks = limits.check(results)
    if arguments.output == "json":
        print(json.dumps(report.document(results, checks), indent=2))
    else:
        print(report.text(results, checks))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="samples per figure (default 5)")
    parser.add_argument("--seconds", type=int, default=3, help="length of one load (default 3)")
    parser.add_argument(
        "--no-peers", action="store_false", dest="peers", help="without SAM CLI and MiniStack"
    )
    parser.add_argument("--first-run", action="store_true", help="also a clean clone with nothing cached")
    parser.add_argument(
        "--quiet-within",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long each round waits for a quiet machine (default 60)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / ".understudy" / "bench",
        metavar="FOLDER",
        help="scratch space, kept between runs (default .understudy/bench)",
    )
    parser.add_argument("--output", choices=("text", "json"), default="text")
    return parser


if __name__ == "__main__":
    sys.exit(main())
