"""Whether the code can read what it needs as uid 993, and whether it writes or locks where Lambda forbids it.

The family's door; the parts are in the `filesystem` modules.
"""

from collections.abc import Iterator

from understudy.verify.model import Finding, Subject
from understudy.verify.rules import (
    filesystem_homes,
    filesystem_permissions,
    filesystem_rules,
    filesystem_settings,
    filesystem_writes,
)

RULES = filesystem_rules.RULES


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what Lambda's user, root file system and devices make fail."""
    yield from filesystem_permissions.check(subject)
    yield from filesystem_homes.check(subject)
    yield from filesystem_writes.check(subject)
    yield from filesystem_settings.check(subject)
