from pathlib import Path

from understudy.cli import reference

DOCUMENT = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_reference_is_the_one_of_the_commands() -> None:
    assert DOCUMENT.read_text() == reference.text(), (
        "docs/cli.md is stale; run: python -m understudy.cli.reference > docs/cli.md"
    )


def test_every_command_has_a_section_with_its_usage() -> None:
    text = reference.text()
    for name in ("up", "base build", "test"):
        assert f"\n## {name}\n\n    ./understudy {name} " in text
    assert "\n## base\n" not in text


def test_a_bar_does_not_end_a_table_cell() -> None:
    assert "`-o, --output [text\\|json]`" in reference.text()
