"""One image of the fault catalogue: how it is built, and what verification must say about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from understudy.image.model import Image
from understudy.image.store import Store
from understudy.verify.subject import LaunchOverrides

BASE = "public.ecr.aws/lambda/python:3.13"
HANDLER = "def handler(event, context):\n    return {'got': event}\n"
DOCKERFILE = f'FROM {BASE}\nCOPY . ./\nCMD ["app.handler"]\n'
PIP = "python3 -m pip install -q --no-cache-dir --only-binary=:all: --target ."
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One image and its verdicts.

    Attributes:
        name: unique, kebab-case.
        row: of the fault catalogue; empty for a good image that stands for no row.
        files: the build context: path -> content, all with mode 0644; modes are the Dockerfile's business.
        dockerfile: kept outside the context.
        launch: what the function says.
        static: ids of the rules above info that the files must break, exactly.
        boot: the same of the boot; empty when it must pass.
        aws_text: what a static finding shows, and a finding of the boot, unless `boot_text` says otherwise.
        boot_text: what the boot shows, where the real runtime says more or other than the files can.
        fix: part of a printed fix.
        prepare: damages the built image; returns the digest to verify.
        skipped: part of the reason why there is no boot; empty when there must be one.
        passed: whether the image passes as a whole.
    """

    name: str
    row: str = ""
    files: Mapping[str, str | bytes] = field(default_factory=lambda: {"app.py": HANDLER})
    dockerfile: str = DOCKERFILE
    launch: LaunchOverrides = field(default_factory=LaunchOverrides)
    static: frozenset[str] = NONE
    boot: frozenset[str] = NONE
    aws_text: str = ""
    boot_text: str = ""
    fix: str = ""
    prepare: Callable[[Store, Image], str] | None = None
    skipped: str = ""
    passed: bool = False


def good(name: str, **changes: object) -> Case:
    """Returns a case that must pass without a finding above info."""
    return Case(name=name, passed=True, **changes)  # type: ignore[arg-type]  # fields of Case


def rules(*ids: str) -> frozenset[str]:
    """Returns a set of rule ids."""
    return frozenset(ids)


def on_base(*instructions: str, cmd: str = '["app.handler"]', packages: str = "") -> str:
    """Returns a Dockerfile: the base, `packages`, the context as task root, `instructions`, CMD.

    The packages come before the context, so that cases with the same ones share their layer.
    """
    install = (f"RUN {PIP} {packages}",) if packages else ()
    return "\n".join((f"FROM {BASE}", *install, "COPY . ./", *instructions, f"CMD {cmd}", ""))
