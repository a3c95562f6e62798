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
    for folder, names in lost(subject, known).items():
        yield _finding(subject, known, folder, names)


def lost(subject: Subject, known: Analysis) -> dict[str, list[str]]:
    """Returns by home's site-packages the top-level modules that the code needs and only that folder has."""
    version = f"python{known.python.version_text}"
    wanted = list(dict.fromkeys(_wanted(known)))
    by_folder: dict[str, list[str]] = {}
    for home in _homes(subject) if wanted else ():
        folder = f"{home}/.local/lib/{version}/site-packages"
        names = set(subject.files.names(folder))
        found_here = [name for name in wanted if {name, f"{name}.py"} & names]
        if found_here and folder not in known.python.search_path:
            by_folder[folder] = found_here
    return by_folder


def _finding(subject: Subject, known: Analysis, folder: str, names: list[str]) -> Finding:
    first = names[0]
    text = known.import_error(f"No module named '{first}'")
    if first == _CLIENT:
        text = f"{known.python.executable}: No module named awslambdaric"
    user = subject.image.config.user
    return found(
        rules.USER_SITE,
        places=[subject.place(folder)],
        message=f"{', '.join(names)} is in {folder} alone, which Python does not look into on Lambda"
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
