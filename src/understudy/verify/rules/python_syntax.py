"""Code on the way to the handler that the image's Python refuses to compile.

Looks at the user's own modules that are imported at init or may be later. A file that merely lies in the
image is none of its business, and neither is a package's: wheels carry files for Pythons that are not there.
"""

import posixpath
from collections.abc import Iterator

from understudy.verify.model import Finding, Rule, Severity, Subject
from understudy.verify.python import analysis as analyses
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.grammar import Invalid
from understudy.verify.python.importmodel import Reach
from understudy.verify.python.visits import Visit
from understudy.verify.rules import python_import_judging as judging
from understudy.verify.rules.found import found

_LINK = "https://docs.python.org/3/whatsnew/index.html"
INVALID = Rule(
    id="syntax-error",
    title="A module of the handler does not compile",
    severity=Severity.FAILS,
    catalogue=("A0", "A5"),
    aws_text="Runtime.UserCodeSyntaxError: Syntax error in module 'app': invalid syntax (app.py, line 3)",
    why="The runtime client imports the handler's module; a syntax error in it, or in a module that it "
    "imports, ends init.",
    fix="correct line 3 of app.py",
    link="https://github.com/aws/aws-lambda-python-runtime-interface-client",
)
NEWER = Rule(
    id="syntax-newer-than-python",
    title="The code is written for a newer Python than the image has",
    severity=Severity.FAILS,
    catalogue=("A0", "A5"),
    aws_text="Runtime.UserCodeSyntaxError: Syntax error in module 'app': invalid syntax (app.py, line 3)",
    why="The developer's Python is newer than the image's and accepts syntax that the image's does not know.",
    fix="FROM public.ecr.aws/lambda/python:3.13",
    link=_LINK,
)
RULES = (INVALID, NEWER)


def check(subject: Subject) -> Iterator[Finding]:
    """Yields the user's modules that the image's Python cannot compile."""
    analysis = analyses.of(subject)
    if analysis is None:
        return
    closure = analysis.closure
    for path, invalid in closure.invalid.items():
        visit = closure.visits[path]
        if not visit.swallows("SyntaxError") and not _is_compiled(analysis, path):
            yield _finding(analysis, visit, invalid)


def _is_compiled(analysis: Analysis, path: str) -> bool:
    """Whether bytecode beside the file is loaded whatever the file says (PEP 552, unchecked)."""
    folder, name = posixpath.split(path)
    tag = f"{name.removesuffix('.py')}.cpython-{analysis.python.version[0]}{analysis.python.version[1]}.pyc"
    head = analysis.files.head(f"{folder}/__pycache__/{tag}")
    return head[:4] == analysis.python.magic and head[4:8] == b"\x01\x00\x00\x00"


def _finding(analysis: Analysis, visit: Visit, invalid: Invalid) -> Finding:
    path = visit.module.path
    rule = NEWER if invalid.newer_than_image else INVALID
    severity = Severity.INFO
    if visit.reach is Reach.SURE:
        severity = Severity.FAILS if analysis.python.traced else Severity.MAY_FAIL
    elif visit.reach is Reach.LAZY:
        severity = judging.severity(analysis, visit.reach, visit.function, path)
    where = f" ({posixpath.basename(path)}, line {invalid.line})" if invalid.line else ""
    error = f"{invalid.message}{where}"
    version = analysis.python.version_text
    newer = (
        f", which is valid in a later Python than the image's {version}" if invalid.newer_than_image else ""
    )
    fix = f"correct line {invalid.line} of {path}"
    if invalid.newer_than_image:
        fix = f"write line {invalid.line} of {path} for Python {version}, or take a newer base image"
    return found(
        rule,
        f"{judging.way(visit.way, visit.module.name)}: {error}{newer}",
        [analysis.subject.place(path, line=invalid.line)],
        fix=fix,
        # An older Python has no words for what it does not know.
        aws_text=_text(analysis, f"invalid syntax{where}" if invalid.newer_than_image else error, visit.reach)
        if severity is not Severity.INFO
        else "",
        severity=severity,
    )


def _text(analysis: Analysis, error: str, reach: Reach) -> str:
    if reach is not Reach.SURE:
        return f"[ERROR] SyntaxError: {error}"
    if analysis.handler_module:
        return f"Runtime.UserCodeSyntaxError: Syntax error in module '{analysis.handler_module}': {error}"
    return f"SyntaxError: {error}\nRuntime.ExitError: Runtime exited with error: exit status 1"
