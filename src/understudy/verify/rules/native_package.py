"""Extension modules as parts of packages: imports of them that nothing provides, and how to reinstall one.

Packages without a list of files are asked through their own ``__init__``: one that imports a private module
of its own, unguarded, cannot do without it.
"""

from collections.abc import Iterator

from understudy.verify.python import constants, grammar, imports
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.importmodel import Import, Reach
from understudy.verify.rules.native_faults import Fault
from understudy.verify.rules.native_inventory import Build, Extension
from understudy.verify.rules.native_rules import ABI, DAMAGED, GLIBC, MACHINE, MISALIGNED, MISSING, MUSL

_WHEEL_PLATFORMS = {
    ("x86_64", "glibc"): "manylinux2014_x86_64",
    ("arm64", "glibc"): "manylinux2014_aarch64",
    ("x86_64", "musl"): "musllinux_1_2_x86_64",
    ("arm64", "musl"): "musllinux_1_2_aarch64",
}
_INIT_BYTES_MAX = 256 << 10


def fix(analysis: Analysis, fault: Fault) -> str:
    """Returns the command or edit that brings the right file."""
    python = analysis.python
    name = fault.package
    if fault.owner is not None and fault.owner.version:
        name = f"{fault.owner.name}=={fault.owner.version}"
    target = fault.extension.root if fault.owner is None else fault.owner.folder
    default = f"{python.prefix}/lib/python{python.version_text}/site-packages"
    where = "" if target == default else f" --target {target}"
    reinstall = f"RUN {python.executable} -m pip install --force-reinstall --no-deps{where} {name}"
    platform = _WHEEL_PLATFORMS.get((python.machine, python.libc), "")
    twin = analysis.finder.find(fault.extension.module) if fault.hidden else None
    if twin is not None and twin.kind == "extension":
        return f"RUN rm {fault.extension.path}"
    fixes = {
        MACHINE: f"pip install --platform {platform} --python-version {python.version_text} "
        f"--implementation cp --only-binary=:all: --no-deps --upgrade --target {target} {name}",
        MUSL: f"use the image's own base in place of Alpine for the stage that installs {name}",
        GLIBC: f"install {name} in the Alpine stage itself, from its musllinux wheel",
        ABI: reinstall,
        MISSING: "take *.so out of .dockerignore and out of clean-up steps, then "
        f"pip install --force-reinstall --no-deps{where} {name}",
        DAMAGED: reinstall.replace("--no-deps", "--no-deps --no-cache-dir"),
        MISALIGNED: f"leave out strip for {fault.extension.path}, and reinstall {name}",
    }
    return fixes.get(fault.rule, fault.rule.fix)


def unprovided(analysis: Analysis, known: set[str]) -> Iterator[Fault]:
    """Yields private modules that a package without a list of files imports and does not have.

    Args:
        analysis: of the image.
        known: modules that are already spoken for.
    """
    packages = list(_unlisted(analysis))
    analysis.files.prefetch(path for _, path, _ in packages)
    for name, path, root in packages:
        for module in _own_private(analysis, name, path):
            if module not in known and analysis.finder.find(module) is None:
                known.add(module)
                place = f"{root}/{module.replace('.', '/')}.{analysis.python.soabi}.so"
                extension = Extension(
                    path=place, root=root, module=module, suffix=f".{analysis.python.soabi}.so", build=Build()
                )
                detail = f"is not in the image, and {path} imports it"
                yield Fault(extension=extension, rule=MISSING, detail=detail, owner=None)


def _unlisted(analysis: Analysis) -> Iterator[tuple[str, str, str]]:
    """Top-level packages that no distribution lists: name, ``__init__``, directory of the search path."""
    for root in analysis.python.search_path:
        if root == analysis.python.stdlib or root.endswith("/lib-dynload"):
            continue
        for name in analysis.files.names(root):
            if not name.isidentifier() or f"{root}/{name}" in analysis.owners:
                continue
            path = f"{root}/{name}/__init__.py"
            node = analysis.files.resolve(path)
            if node is not None and node.kind == "file" and 0 < node.size_bytes <= _INIT_BYTES_MAX:
                yield name, path, root


def _own_private(analysis: Analysis, package: str, path: str) -> Iterator[str]:
    source = analysis.files.read(path)
    if b"._" not in source and b"import _" not in source:
        return
    tree = grammar.parse(source, analysis.python.version)
    if isinstance(tree, grammar.Invalid | grammar.Unknown):
        return
    facts = imports.facts(tree, constants.Scope(path=path, version=analysis.python.version))
    for found in facts.imports:
        context = found.context
        if context.reach is not Reach.SURE or context.swallows("ImportError", "ModuleNotFoundError"):
            continue
        if not context.instead_of and (name := _private_name(found, package)):
            yield name


def _private_name(found: Import, package: str) -> str:
    """``package._name`` when that is what is imported from; empty otherwise."""
    module = f"{package}.{found.module}" if found.level == 1 and found.module else found.module
    head, _, last = module.rpartition(".")
    return module if found.level <= 1 and head == package and last.startswith("_") else ""
