"""The family as a whole."""

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Severity
from understudy.verify.rules import filesystem

HANDLER = f"{fake.TASK}/handler.py"


@pytest.mark.parametrize(
    ("files", "rules"),
    [
        ({HANDLER: ""}, []),
        ({HANDLER: fake.Spec(mode=0o600)}, ["unreadable-file"]),
        ({HANDLER: "open('x', 'w')"}, ["write-outside-tmp"]),
        (
            {HANDLER: "import fastapi", "/root/.local/lib/python3.13/site-packages/fastapi.py": ""},
            ["user-site-install"],
        ),
        ({HANDLER: "from zoneinfo import ZoneInfo\nZoneInfo('UTC')"}, ["time-zones-missing"]),
    ],
    ids=["good", "permissions", "writes", "homes", "settings"],
)
def test_every_part_is_asked(files: dict[str, fake.Content], rules: list[str]) -> None:
    assert [finding.rule for finding in filesystem.check(fake.subject(files))] == rules


def test_images_without_python_are_left_alone() -> None:
    files = {"/app/bootstrap": fake.shared_object(), "/app/data": fake.Spec(mode=0o600)}
    subject = fake.subject(files, base=False, entrypoint=("/app/bootstrap",), command=())
    assert list(filesystem.check(subject)) == []


def test_rules_are_complete() -> None:
    assert len({rule.id for rule in filesystem.RULES}) == len(filesystem.RULES)
    assert all(rule.why and rule.fix and rule.link.startswith("https://") for rule in filesystem.RULES)
    assert {rule.severity for rule in filesystem.RULES} <= set(Severity)
