"""The fault catalogue as Markdown, made from the rules: ``docs/faults.md``.

``python -m understudy.verify.render.faults > docs/faults.md`` writes it anew; a unit test fails while it is
stale. What no rule sees in files is listed with the reason, and with what sees it instead.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence

from understudy.verify import catalogue
from understudy.verify.model import Rule
from understudy.verify.render import words

ROWS: Mapping[str, str] = {
    "A0": "What the runtime client makes of a broken import",
    "A1": "Extension modules for another Python, processor or C library",
    "A2": "A C library newer than the image's",
    "A3": "Shared libraries that are not there",
    "A4": "Dependencies that are missing or lie where nobody looks",
    "A5": "Handler, CMD and ImageConfig that do not fit",
    "A6": "No ENTRYPOINT, no runtime client, a bad path",
    "A7": "Image and function of different architectures",
    "A8": "Line endings, execute bits, interpreters, wrappers",
    "A9": "Files that Lambda's user cannot read",
    "A10": "A read-only file system without a home",
    "A11": "No shared memory, no semaphores",
    "A12": "The memory limit",
    "A13": "Init longer than 10 seconds",
    "A14": "A process that ends without a word",
    "A15": "Environment variables",
    "A16": "What the registry holds: indexes, media types, sizes",
    "A17": "The search path, shadowed modules, two SDKs",
    "A18": "Time zones, locales, certificates",
    "A19": "What a size diet breaks",
    "A20": "Bytecode that is missing or stale",
    "A21": "What only the first invocation shows",
    "A22": "Instructions that Lambda ignores",
    "A23": "Network, credentials and the clock at import",
}

NOTES: Mapping[str, str] = {
    "A11": "Whether code asks for a semaphore depends on what runs: the files show it only where a module "
    "makes one while it is imported. The boot has no `/dev/shm` and fails as Lambda does, whichever of the "
    "three texts that gives.",
    "A12": "How much memory a program takes cannot be read off its files. The boot runs under the "
    "function's limit without swap and measures the peak.",
    "A13": "How long init takes cannot be read off files. The boot holds init to Lambda's 10 s and tells "
    "from 5 s on, because AWS may be slower than this machine.",
    "A14": "`sys.exit`, a crash or an illegal instruction show only when the code runs. The boot counts "
    "nothing as a start but a request for the next invocation.",
    "A21": "An event loop that is gone, a lifespan that runs with every request, an answer that is too "
    "large: no file shows them. The boot sends two events and reads the answers.",
    "A23": "Whether an import calls out depends on what runs. The boot has no network and reports names "
    "and addresses that were asked for.",
}
"""What files show not at all or in part, why, and how the boot sees it."""

NOT_TESTED: Mapping[str, str] = {
    "A2": "No published wheel asks for a newer C library than the base of the tests has; a real one is "
    "patched, and the real loader refuses it. GLIBCXX and CXXABI have unit tests alone.",
    "A7": "An image for another processor is never booted.",
    "A12": "A function that swaps its code in and out until init times out depends on Lambda's disk.",
    "A16": "An image of more than 10 GiB would be 10 GiB; a unit test gives the rule its sizes. What ECR "
    "refuses (permissions, deleted tags) is not in the image.",
    "A18": "That a missing bundle makes connections fail: the boot is offline and asks nobody. One whose "
    "default bundle is deleted is not noticed, because where OpenSSL looks is compiled into it.",
    "A23": "A call that hangs in a VPC without NAT fails at once in the boot, which has no network at all.",
}
"""What of a row no image of ``tests/images`` shows, and why."""

_HEAD = """\
# Faults that keep a container image from starting on Lambda

Made from the rules themselves; do not edit. Anew:
`python -m understudy.verify.render.faults > docs/faults.md`.

`./understudy verify` looks for each of them. *files* means that a rule finds it without running anything,
*boot* that the image has to start in the sandbox. A finding that you know better than the rule is let through
by `--allow RULE=REASON`, which is recorded in the proof.

| severity | meaning |
|---|---|
| fails-on-lambda | it does not start, or the function cannot be made; `verify` exits 1 |
| may-fail | it depends on what this tool cannot see |
| slow | it starts, and pays for it at every cold start |
| info | worth knowing |
"""


_BY = ("files", "boot")


def text() -> str:
    """Returns the whole catalogue."""
    rules = [(rule, "boot" if rule.id in catalogue.BY_BOOT else "files") for rule in catalogue.RULES.values()]
    lines = [_HEAD, *_contents(rules)]
    for row, title in ROWS.items():
        lines += _row(row, title, [one for one in rules if row in one[0].catalogue])
    return "\n".join(lines)


def _contents(rules: Sequence[tuple[Rule, str]]) -> Iterator[str]:
    yield "| row | fault | files | boot |"
    yield "|---|---|---|---|"
    for row, title in ROWS.items():
        counts = [sum(row in rule.catalogue and where == by for rule, where in rules) for by in _BY]
        cells = " | ".join(f"{count} rule{'s' * (count > 1)}" if count else "" for count in counts)
        yield f"| [{row}](#{_anchor(row, title)}) | {title} | {cells} |"
    yield ""


def _row(row: str, title: str, rules: Sequence[tuple[Rule, str]]) -> Iterator[str]:
    yield f"## {row} {title}"
    yield ""
    if row in NOTES:
        yield NOTES[row]
        yield ""
    if row in NOT_TESTED:
        yield f"Not tested with an image: {NOT_TESTED[row]}"
        yield ""
    for rule, where in rules:
        # A rule of several rows is told in full in the first of them.
        if rule.catalogue[0] == row:
            yield from _rule(rule, where)
        else:
            first = rule.catalogue[0]
            yield f"- `{rule.id}` ({where}), see [{first}](#{_anchor(first, ROWS[first])})"
            yield ""


def _rule(rule: Rule, where: str) -> Iterator[str]:
    yield f"### `{rule.id}`"
    yield ""
    yield f"{rule.title} · {rule.severity.value} · {where}"
    yield ""
    yield f"{rule.why} ([seen here]({rule.link}))"
    yield ""
    if rule.aws_text:
        yield "AWS shows:"
        yield ""
        yield words.fence(rule.aws_text)
        yield ""
    yield "Fix:"
    yield ""
    yield words.fence(rule.fix)
    yield ""


def _anchor(row: str, title: str) -> str:
    """GitHub's anchor of a row's heading."""
    kept = "".join(letter for letter in f"{row} {title}".lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


if __name__ == "__main__":
    sys.stdout.write(text())
