"""What was probably meant by a handler whose module is not there, and the edit that says it."""

import posixpath
from dataclasses import dataclass

from understudy.verify.model import Subject
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.modules import Module
from understudy.verify.rules import entry_launch

_USUAL_FOLDERS = ("/var/task", "/app", "/src", "/code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A way out.

    Attributes:
        fix: one edit.
        other: a file that was probably meant; empty when there is none.
    """

    fix: str
    other: str = ""


def of(subject: Subject, known: Analysis, handler: str, missing: str, parent: Module | None) -> Suggestion:
    """What to do about a handler whose module is missing.

    Args:
        subject: the image and its launch.
        known: its Python.
        handler: as the runtime client gets it.
        missing: the first part of its module that nothing has.
        parent: the module around it, which is there.
    """
    setting, attribute = entry_launch.setting(subject), handler.rpartition(".")[2]
    if parent is not None and not parent.is_package:
        return Suggestion(fix=f'{setting} ["{parent.name}.{attribute}"], with {attribute} in {parent.path}')
    if parent is not None:
        name = missing.rpartition(".")[2]
        return Suggestion(fix=f"COPY {name}.py {parent.locations[0]}/")
    root = known.python.task_root
    other = _other_place(subject, root, missing)
    if not other:
        target = "${LAMBDA_TASK_ROOT}" if known.python.is_aws_base else root
        return Suggestion(fix=f"COPY {missing}.py {target}/")
    stem = posixpath.basename(other).removesuffix(".py")
    relative = posixpath.relpath(other, root).removesuffix(".py")
    if stem != missing:
        fix = f'rename {other} to {missing}.py, or {setting} ["{stem}.{attribute}"]'
    elif not relative.startswith(".."):
        fix = f'{setting} ["{relative.replace("/", ".")}.{attribute}"]'
    else:
        fix = f"RUN mv {other} {root}/, or COPY it there"
    return Suggestion(fix=fix, other=other)


def _other_place(subject: Subject, root: str, missing: str) -> str:
    """A file that was probably meant: another case of the name, or the same name one directory below."""
    wanted = {f"{missing}.py".lower(), missing.lower()}
    for folder in dict.fromkeys((root, subject.launch.working_dir, *_USUAL_FOLDERS)):
        names = subject.files.names(folder)
        for name in names:
            if name.lower() in wanted:
                return posixpath.join(folder, name)
        for name in names if folder != "/" else ():
            below = posixpath.join(folder, name)
            if f"{missing}.py" in subject.files.names(below):
                return posixpath.join(below, f"{missing}.py")
    return ""
