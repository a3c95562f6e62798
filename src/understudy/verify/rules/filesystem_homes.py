"""Packages that were installed into a home directory which nobody looks into on Lambda.

``pip install --user`` and images that are not built as root put them there; HOME is not set on Lambda, and
the user it runs as has a home that does not exist.
"""

import posixpath
from collections.abc import Iterator

from understudy.verify.model import Finding, Subject
from understudy.verify.python import analysis
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.importmodel import Reach
from understudy.verify.rules import filesystem_rules as rules
from understudy.verify.rules.found import found

_CLIENT = "awslambdaric"


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what the code needs and only a home directory has."""
    known = analysis.of(subject)
    if known is None:
        return
    version = f"python{known.python.version_text}"
    for home in _homes(subject):
        folder = f"{home}/.local/lib/{version}/site-packages"
        names = subject.files.names(folder)
        if not names or folder in known.python.search_path:
            continue
        lost = [name for name in dict.fromkeys(_wanted(known)) if {name, f"{name}.py"} & set(names)]
        if lost:
            yield _finding(subject, known, folder, lost)


def _finding(subject: Subject, known: Analysis, folder: str, lost: list[str]) -> Finding:
    first = lost[0]
    text = known.import_error(f"No module named '{first}'")
    if first == _CLIENT:
        text = f"{known.python.executable}: No module named awslambdaric"
    user = subject.image.config.user
    return found(
        rules.USER_SITE,
        places=[subject.place(folder)],
        message=f"{', '.join(lost)} is in {folder} alone, which Python does not look into on Lambda"
        + (f": USER {user} is ignored" if user else ""),
        fix=f"RUN pip install --target {known.python.task_root} instead of --user"
        if known.python.is_aws_base
        else "USER root before RUN pip install, without --user",
        aws_text=text,
    )


def _wanted(known: Analysis) -> Iterator[str]:
    """Top-level modules that must be there and that nothing on the search path has."""
    if not known.python.is_aws_base and known.finder.find(_CLIENT) is None:
        yield _CLIENT
    for failure in known.closure.failures:
        if failure.kind == "module" and failure.reach is Reach.SURE and not failure.swallowed:
            yield failure.name.split(".")[0]


def _homes(subject: Subject) -> Iterator[str]:
    homes = ["/root", *(posixpath.join("/home", name) for name in subject.files.names("/home"))]
    try:
        passwd = subject.files.read("/etc/passwd").decode("utf-8", "replace")
    except FileNotFoundError:
        passwd = ""
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and fields[5].startswith("/") and fields[5] != "/":
            homes.append(fields[5].rstrip("/"))
    yield from dict.fromkeys(homes)
