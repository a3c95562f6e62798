"""docs/localstack-parity.md: what was measured, as Markdown; equal measurements make equal text."""

import itertools
from collections import Counter
from collections.abc import Sequence

from tests.parity.model import Measured, Verdict

MEASURED = "Measured "
"""How the one line begins that tells of date and versions, and may differ between equal measurements."""

_HEAD = """\
# Coming from LocalStack

What users of LocalStack rely on, tried on LocalStack 4.14.0 (the last release that starts without a token)
and on the engine. *same*: no difference was seen. *differs*: it works otherwise, as the table says.
*refused by name*: an error says what is missing. Nothing is passed over in silence.

A program writes this page, and `pytest tests/parity` fails when a new measurement says otherwise:

```
python -m tests.parity --write                             # measures engine and LocalStack, writes this page
python -m tests.parity --endpoint http://localhost:4566    # measures what listens there, prints the table
```

The second is for users with a licence. Start `localstack/localstack` with your token, and see what your
edition does in the rows marked †: there this page repeats LocalStack's documentation and source, because to
see it takes a licence or the whole container image. Rows that have to start the endpoint themselves (init
hooks, settings, containers, a restart) are skipped there by name. The tools are those of
`requirements/test.txt` and `requirements/parity.txt`. Names below `localhost.localstack.cloud` are resolved
by the program, so it runs offline.

Terraform, CDK and Pulumi are not in the table: no package index has their binaries. Their providers take an
endpoint per service or `AWS_ENDPOINT_URL`, which is all that `tflocal` and `cdklocal` set, and sign as
every SDK does. CloudFormation, which CDK needs, is the delegate's, and knows no image functions.
"""


def render(measured: Sequence[Measured], note: str) -> str:
    """The page.

    Args:
        measured: every row, in the table's order.
        note: when and with which versions, one line.
    """
    counts = Counter(each.verdict for each in measured)
    told = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    return f"{_HEAD}\n{MEASURED}{note}\n\n{len(measured)} rows: {told}.\n\n{tables(measured)}"


def tables(measured: Sequence[Measured], ours: str = "understudy") -> str:
    """A table for each area, in the order of the rows.

    Args:
        measured: every row.
        ours: what was measured.
    """
    return "\n".join(
        "\n".join(
            (
                f"## {area}\n",
                f"| | LocalStack 4.14.0 | {ours} | |",
                "|---|---|---|---|",
                *map(_line, rows),
                "",
            )
        )
        for area, rows in itertools.groupby(measured, lambda each: each.row.area)
    )


def comparable(page: str) -> list[str]:
    """The lines of a page that two equal measurements share."""
    return [line for line in page.splitlines() if not line.startswith(MEASURED)]


def _line(each: Measured) -> str:
    theirs = each.row.localstack + (" †" if each.row.documented else "")
    ours = "" if each.verdict is Verdict.SAME else each.observed.removeprefix("refused: ")
    cells = (each.row.name, theirs, ours, each.verdict.value)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
