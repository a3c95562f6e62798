"""The Dockerfile, and the handler, of an application that has none; pure text.

The handler stands in a module of its own, so that nobody's code is edited. Packages go into the interpreter's
site-packages and are compiled with hashes in the place of timestamps, as this project's own image does it.
"""

import re
import tomllib
from collections.abc import Mapping

from understudy.targets.init.model import BASE, Note
from understudy.targets.init.tree import Tree

HANDLER_MODULE = "understudy_handler"
MANGUM = "mangum>=0.19,<1"

_HANDLER = '''\
"""AWS Lambda's way into the application: `{module}.handler`. Written by `understudy init`."""

from mangum import Mangum

from {package} import {app}

handler = Mangum({app})
'''

_DOCKERFILE = """\
# Written by `understudy init`: {what} as a Lambda container image.
ARG BASE_IMAGE={base}
FROM ${{BASE_IMAGE}}
{install}\
COPY {source} ${{LAMBDA_TASK_ROOT}}/
RUN chmod -R u=rwX,go=rX "${{LAMBDA_TASK_ROOT}}" \\
 && python3 -m compileall -q --invalidation-mode unchecked-hash "${{LAMBDA_TASK_ROOT}}"
CMD ["{handler}"]
"""

_INSTALL = """\
{copy}\
RUN export PYTHONDONTWRITEBYTECODE=1 \\
{before} && python3 -m pip install --no-compile --no-cache-dir --disable-pip-version-check \\
      --root-user-action=ignore {packages} \\
 && python3 -m compileall -q --invalidation-mode unchecked-hash -x '/(pip|setuptools)/' \\
      $(python3 -c 'from sysconfig import get_path as at; print(*sorted({{at("purelib"), at("platlib")}}))')
"""

IGNORED = """\
.git
.github
.understudy
.venv
venv
.env
**/__pycache__
**/*.pyc
.dockerignore
Dockerfile*
deploy
tests
understudy.yaml
"""

_FROM_PYPROJECT = """\
 && python3 -c 'import tomllib; \\
      print(*tomllib.load(open("/tmp/pyproject.toml", "rb"))["project"]["dependencies"], sep="\\n")' \\
      > /tmp/requirements.txt \\
"""


def handler(package: str, app: str) -> str:
    """A module with a handler for ``package:app``."""
    return _HANDLER.format(module=HANDLER_MODULE, package=package, app=app)


def dockerfile(tree: Tree, root: str, entry: str, *, with_mangum: bool) -> tuple[str, tuple[Note, ...]]:
    """A Dockerfile, and what it cannot know.

    Args:
        tree: the repository; its root is the context.
        root: folder that modules are imported from.
        entry: `module.attribute` of the handler.
        with_mangum: whether mangum has to be added to what the service requires.
    """
    install, notes = _install(tree, with_mangum=with_mangum)
    text = _DOCKERFILE.format(
        what=tree.name,
        base=BASE,
        install=install,
        source="." if root == "." else f"{root}/",
        handler=entry,
    )
    return text, notes


def requires(tree: Tree, package: str) -> bool:
    """Whether a file of requirements names `package`."""
    name = re.compile(rf"(?im)^[\s\"']*{package}(?![\w-])")
    return any(
        name.search(text.replace(",", "\n").replace('["', '[\n"'))
        for path, text in tree.texts.items()
        if path.rpartition("/")[2] in ("pyproject.toml", "Pipfile")
        or path.rpartition("/")[2].startswith("requirements")
    )


def serves(tree: Tree) -> bool:
    """Whether uvicorn is among the requirements, by its own name or as an extra of FastAPI."""
    texts = tree.texts.items()
    return requires(tree, "uvicorn") or any(
        re.search(r"fastapi\[[^]]*(standard|all)", text) for path, text in texts if not path.endswith(".py")
    )


def _install(tree: Tree, *, with_mangum: bool) -> tuple[str, tuple[Note, ...]]:
    added = [f"'{MANGUM}'"] if with_mangum else []
    requirements = [path for path in ("requirements.txt", "requirements/base.txt") if path in tree.paths]
    if requirements:
        # Hashes are all or nothing for pip: what has none is installed by a step of its own.
        copy = f"COPY {requirements[0]} /tmp/requirements.txt\n"
        first = _step(copy, "", "-r /tmp/requirements.txt")
        return first + (_step("", "", added[0]) if added else ""), ()
    if _dependencies(tree.texts):
        copy = "COPY pyproject.toml /tmp/pyproject.toml\n"
        return _step(copy, _FROM_PYPROJECT, " ".join(["-r /tmp/requirements.txt", *added])), ()
    note = Note(
        subject="requirements",
        text="neither requirements.txt nor [project] dependencies of pyproject.toml: the Dockerfile installs "
        "fastapi and mangum alone",
    )
    return _step("", "", f"fastapi '{MANGUM}'"), (note,)


def _step(copy: str, before: str, packages: str) -> str:
    return _INSTALL.format(copy=copy, before=before, packages=packages)


def _dependencies(texts: Mapping[str, str]) -> bool:
    """Whether the project's own file lists its dependencies in the standard way (PEP 621)."""
    try:
        project = tomllib.loads(texts.get("pyproject.toml", "")).get("project", {})
    except tomllib.TOMLDecodeError:
        return False
    return isinstance(project, dict) and bool(project.get("dependencies"))
