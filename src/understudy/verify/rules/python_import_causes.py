"""Why a module that the code imports cannot be found, and what to do about each reason.

The same words of Python's, "No module named", have a dozen causes; this is where they part. Pure, over the
analysis of an image. Refuses to say what is wrong with a package's own extension modules: `native` does.
"""

import posixpath
from dataclasses import dataclass

from understudy.verify.model import Place, Rule
from understudy.verify.python import distributions, requirements
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.closure import package_of
from understudy.verify.python.visits import Failure
from understudy.verify.rules import python_elsewhere as elsewhere
from understudy.verify.rules import python_import_rules as rules
from understudy.verify.rules import python_layout_rules as layout_rules
from understudy.verify.rules import python_shadowing as shadowing


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a module is missing.

    Attributes:
        rule: that is broken.
        why: in words, to follow the chain of imports.
        fix: one command or edit.
        places: where else to look.
        hidden: whether the module is in the image after all.
    """

    rule: Rule
    why: str
    fix: str
    places: tuple[Place, ...] = ()
    hidden: bool = False


def of(analysis: Analysis, failure: Failure) -> Cause:
    """Returns why the module of `failure` is missing."""
    parent, _, last = failure.name.rpartition(".")
    hiding = shadowed(analysis, failure) if parent else None
    if hiding is not None:
        return hiding
    other = _other_case(analysis, parent, last)
    if other:
        folder, written = posixpath.split(other)
        renamed = f"{folder}/{last}{written[len(last) :]}"
        return Cause(
            rule=rules.CASE,
            why=f"the file is {other}",
            fix=f"RUN mv {other} {renamed}",
            places=(analysis.subject.place(other),),
        )
    if parent:
        return _submodule(analysis, parent, last)
    found = _standard(analysis, failure.name) or _beside(analysis, failure, failure.name)
    return found or _elsewhere(analysis, failure.name) or _absent(analysis, failure.name)


def shadowed(analysis: Analysis, failure: Failure) -> Cause | None:
    """Returns the cause when the module that lacks something stands before another of its name."""
    hidden = shadowing.shadow(analysis, failure.name.partition(".")[0])
    if hidden is None or hidden.path == failure.importer.module.path:
        return None
    return Cause(
        rule=layout_rules.PACKAGE if hidden.package else layout_rules.STANDARD,
        why=f"{hidden.path} hides {hidden.original}",
        fix=f"rename {hidden.path}, and the imports of it",
        places=(analysis.subject.place(hidden.path),),
    )


def pip(analysis: Analysis) -> str:
    """Returns how pip is called for the Python that runs the handler."""
    return f"{analysis.python.executable} -m pip"


def _elsewhere(analysis: Analysis, name: str) -> Cause | None:
    located = elsewhere.locate(analysis, name)
    if located is None:
        return None
    return Cause(
        rule=rules.OFF_PATH,
        why=f"it is in {located.path}, but {elsewhere.explain(analysis, located)}",
        fix=elsewhere.fix(analysis, located, name),
        places=(analysis.subject.place(located.path),),
        hidden=True,
    )


def _other_case(analysis: Analysis, parent: str, last: str) -> str:
    """The file or package of that name in another case, where the module would have to be."""
    finder = analysis.closure.finder
    module = finder.find(parent) if parent else None
    folders = finder.search_path if not parent else (module.locations if module is not None else ())
    for folder in folders:
        for written in finder.names(folder):
            stem, dot, ending = written.partition(".")
            if stem.lower() != last.lower() or stem == last or (dot and ending not in ("py", "pyc")):
                continue
            path = posixpath.join(folder, written)
            if dot or "__init__.py" in finder.names(path):
                return path
    return ""


def _submodule(analysis: Analysis, parent: str, last: str) -> Cause:
    module = analysis.closure.finder.find(parent)
    path = module.path if module is not None else ""
    owner = analysis.owner(path) if path else None
    if owner is not None:
        why = f"{owner.name} {owner.version} has no such module"
        return Cause(rule=rules.MISSING, why=why, fix=f"RUN {pip(analysis)} install --upgrade {owner.name}")
    if module is not None and not module.is_package:
        fix = f"make {parent} a package, or rename {posixpath.basename(path)}"
        return Cause(rule=rules.MISSING, why=f"{path} is a module, not a package", fix=fix)
    where = module.locations[0] if module is not None and module.locations else posixpath.dirname(path)
    return Cause(rule=rules.MISSING, why=f"{where} has no {last}.py", fix=f"COPY {last}.py {where}/")


def _standard(analysis: Analysis, name: str) -> Cause | None:
    python = analysis.python
    since, package = rules.REMOVED.get(name, ((99, 0), ""))
    if python.version >= since:
        return Cause(
            rule=rules.STANDARD,
            why=f"Python {since[0]}.{since[1]} removed it, and the image has Python {python.version_text}",
            fix=f"RUN {pip(analysis)} install {package}" if package else f"remove the import of {name}",
        )
    if not analysis.finder.is_standard(name):
        return None
    return Cause(
        rule=rules.STANDARD,
        why=f"the standard library in {python.stdlib} lacks it",
        fix=f"install the whole of Python {python.version_text} in the image",
    )


def _beside(analysis: Analysis, failure: Failure, name: str) -> Cause | None:
    importer, found = failure.importer.module, failure.found
    package = package_of(importer)
    folder = posixpath.dirname(importer.path)
    paths = (f"{folder}/{name}.py", f"{folder}/{name}/__init__.py", f"{folder}/{name}")
    path = next((path for path in paths if analysis.files.resolve(path) is not None), "")
    if not package or not path:
        return None
    rest = found.module[len(name) :]
    instead = f"from . import {name}"
    if found.names:
        instead = f"from .{name}{rest} import {', '.join(found.names)}"
    return Cause(
        rule=rules.SIBLING,
        why=f"{path} is {package}.{name} when it is imported from {analysis.python.task_root}",
        fix=f"write {instead} in {importer.path}, line {found.line}",
        places=(analysis.subject.place(path),),
    )


def _absent(analysis: Analysis, name: str) -> Cause:
    for installed in analysis.effective.values():
        if name not in installed.modules:
            continue
        place = analysis.subject.place(installed.metadata)
        if installed.editable:
            return Cause(
                rule=rules.OFF_PATH,
                why=f"{installed.name} is an editable install of {installed.editable}, which the image lacks",
                fix=f"RUN {pip(analysis)} install {installed.editable}, without -e",
                places=(place,),
            )
        pin = f"{installed.name}=={installed.version}" if installed.version else installed.name
        return Cause(
            rule=rules.MISSING,
            why=f"{installed.name} {installed.version} has metadata, but its files are not there",
            fix=f"RUN {pip(analysis)} install --force-reinstall --no-deps {pin}",
            places=(place,),
        )
    target = ' --target "${LAMBDA_TASK_ROOT}"' if analysis.python.is_aws_base else ""
    key = distributions.canonical(distributions.distribution_of(name))
    needs = requirements.needs(analysis.effective.values(), analysis.python)
    wanted = next((need for need in needs if need.key == key), None)
    return Cause(
        rule=rules.MISSING,
        why="nothing in the image provides it"
        + (f", and {wanted.by.name} {wanted.by.version} requires it too" if wanted is not None else ""),
        fix=f"RUN {pip(analysis)} install{target} "
        + (f"'{wanted.text}'" if wanted is not None else distributions.distribution_of(name)),
    )
