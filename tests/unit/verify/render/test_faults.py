import re
from pathlib import Path

from understudy.verify import catalogue
from understudy.verify.render import faults

ROOT = Path(__file__).parents[4]


def test_the_catalogue_is_the_one_of_the_rules() -> None:
    stale = "stale: python -m understudy.verify.render.faults > docs/faults.md"
    assert (ROOT / "docs" / "faults.md").read_text() == faults.text(), stale


def test_every_row_is_seen_in_files_or_says_what_sees_it() -> None:
    seen: dict[bool, set[str]] = {True: set(), False: set()}
    for rule in catalogue.RULES.values():
        seen[rule.id in catalogue.BY_BOOT].update(rule.catalogue)
    assert list(faults.ROWS) == [f"A{number}" for number in range(24)]
    assert set(faults.ROWS) - seen[False] <= set(faults.NOTES)
    assert set(faults.NOTES) <= seen[True], "a row that files do not show has to be the boot's"


def test_every_rule_is_told_once_in_full() -> None:
    told = re.findall(r"^### `(.+)`$", faults.text(), re.MULTILINE)
    assert sorted(told) == sorted(catalogue.RULES)


def test_links_inside_the_document_lead_somewhere() -> None:
    text = faults.text()
    anchors = {
        "".join(letter for letter in head.lower() if letter.isalnum() or letter in " -").replace(" ", "-")
        for head in re.findall(r"^##+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
