"""Which rules judged an image: a date for people, and a fingerprint of the code that judges.

A proof holds for one rule set. The fingerprint is taken over the source of this package, not over rule ids
alone, so a rule that looks closer makes older proofs void without anybody remembering to say so.
"""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

DATE = "2026.11"
"""Raised when the rules change so much that people should know."""

_PACKAGE = Path(__file__).parent
_FOLDERS = ("boot", "files", "python", "rules", "sources")
_FILES = ("catalogue.py", "causes.py", "model.py", "report.py", "run.py", "subject.py", "trial.py")
_LENGTH = 12


@functools.cache
def rule_set() -> str:
    """Returns the version of the rules, such as ``2026.11+9f86d081884c``."""
    return f"{DATE}+{_fingerprint(_sources())}"


def _sources() -> Iterable[Path]:
    for name in _FOLDERS:
        yield from sorted((_PACKAGE / name).rglob("*.py"))
    yield from (_PACKAGE / name for name in _FILES)


def _fingerprint(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(str(path.relative_to(_PACKAGE)).encode() + b"\0")
        found.update(path.read_bytes() + b"\0")
    return found.hexdigest()[:_LENGTH]
