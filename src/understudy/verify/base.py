"""What an image is built on: AWS's own base, a stand-in for it, or another.

Pure. A stand-in says so in a label; AWS's is known by its entry script over Amazon Linux.
"""

import shlex

from understudy.verify.model import Files, Subject
from understudy.verify.report import Base

STAND_IN_LABEL = "dev.understudy.base.stand-in-for"

_RELEASE = "/etc/os-release"
_BOOTSTRAP = "/var/runtime/bootstrap"


def of(subject: Subject) -> Base:
    """The base of an image."""
    stood_in = subject.image.config.labels.get(STAND_IN_LABEL, "")
    if stood_in:
        return Base(kind="stand-in", name=stood_in)
    release = _release(subject.files)
    if release.get("ID") == "amzn" and subject.files.get(_BOOTSTRAP) is not None:
        return Base(kind="aws", name=release.get("PRETTY_NAME", ""))
    return Base(kind="other", name=release.get("PRETTY_NAME") or release.get("NAME", ""))


def _release(files: Files) -> dict[str, str]:
    """os-release(5): shell assignments, one a line."""
    try:
        text = files.read(_RELEASE).decode("utf-8", "replace")
    except FileNotFoundError:
        return {}
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip().isidentifier():
            found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value
