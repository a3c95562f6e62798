"""What is wrong with each extension module of an image, file by file.

Compares the file's name and its ELF facts with the image's interpreter. Does not say whether it matters:
`native` asks whether the handler comes to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from understudy.verify.files.elf import CUT
from understudy.verify.model import Elf, Rule, Severity
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.distributions import Distribution
from understudy.verify.rules import native_inventory as inventory
from understudy.verify.rules.linking_loader import Loader
from understudy.verify.rules.native_inventory import Build, Extension, Owners
from understudy.verify.rules.native_rules import ABI, DAMAGED, GLIBC, MACHINE, MISALIGNED, MISSING, MUSL

_TESTS = frozenset({"test", "tests"})
_NO_FILE = "cannot open shared object file: No such file or directory"
_ALIGNED_BY_PAGE = "GLIBC_2.35"
"""From this version on glibc compares with the page size, not with p_align (elf/dl-load.c, BZ 28676)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One extension module that does not load.

    Attributes:
        extension: the file, which need not be there.
        rule: why.
        detail: what the file is, for the message.
        owner: its distribution.
        error: what the loader says; empty when Python does not even see the file.
        signal: what ends the process in place of an error.
        hidden: whether another file provides the module, so that this one does not matter.
        worst: how bad it can be.
    """

    extension: Extension
    rule: Rule
    detail: str
    owner: Distribution | None
    error: str = ""
    signal: str = ""
    hidden: bool = False
    worst: Severity = Severity.FAILS

    @property
    def package(self) -> str:
        """The distribution, or what stands in for one."""
        return self.owner.name if self.owner is not None else self.extension.module.partition(".")[0]


def of(analysis: Analysis) -> Iterator[Fault]:
    """Yields what is wrong, in the order of the search path."""
    python = analysis.python
    owned = inventory.owners(analysis.files, python)
    present: set[str] = set()
    for extension in inventory.extensions(analysis.files, python):
        present.add(extension.module)
        owner = owned.of(extension.path, extension.root)
        if extension.suffix not in python.extension_suffixes:
            yield _unseen(analysis, extension, owner)
            continue
        found = analysis.finder.find(extension.module)
        if found is not None and found.path == extension.path:
            yield from _unloadable(analysis, extension, owner)
    yield from _missing(analysis, owned, present)


def _unseen(analysis: Analysis, extension: Extension, owner: Distribution | None) -> Fault:
    """A file whose name Python passes over."""
    python, build = analysis.python, extension.build
    rule = ABI
    if build.system != "linux" or (build.machine and build.machine != python.machine):
        rule = MACHINE
    elif build.libc and build.libc != python.libc:
        rule = MUSL if build.libc == "musl" else GLIBC
    return Fault(
        extension=extension,
        rule=rule,
        detail=f"is built for {build}",
        owner=owner,
        hidden=analysis.finder.find(extension.module) is not None,
    )


def _unloadable(analysis: Analysis, extension: Extension, owner: Distribution | None) -> Iterator[Fault]:
    """A file that Python takes and the loader refuses."""
    python, path = analysis.python, extension.path
    elf = analysis.files.elf(path)
    if elf is None:
        return
    if elf.damaged:
        error = f"{path}: {elf.damaged}"
        detail = f"is no shared object ({elf.damaged})"
        signal = "bus error" if elf.damaged == CUT else ""
        yield Fault(extension=extension, rule=DAMAGED, detail=detail, owner=owner, error=error, signal=signal)
    elif elf.machine != python.machine or elf.bits != 64:
        detail = f"is a binary for {elf.machine} under a name for {python.machine}"
        error = f"{path}: {_NO_FILE}" if elf.bits == 64 else f"{path}: wrong ELF class: ELFCLASS{elf.bits}"
        yield Fault(extension=extension, rule=MACHINE, detail=detail, owner=owner, error=error)
    elif python.libc == "glibc" and (error := _musl_error(analysis, path, elf)):
        detail = "is linked against musl under a name for glibc"
        yield Fault(extension=extension, rule=MUSL, detail=detail, owner=owner, error=error)
    elif elf.misaligned:
        yield _misaligned(analysis, extension, owner)
    else:
        yield from _untagged(analysis, extension, owner)


def _musl_error(analysis: Analysis, path: str, elf: Elf) -> str:
    """What the loader says of a file that needs musl's C library; empty when it does not, or gets it."""
    if not any(is_musl(name) for name in elf.needed):
        return ""
    missing = Loader(analysis.subject, analysis.python).closure(path).libraries
    return f"{missing[0].name}: {_NO_FILE}" if any(is_musl(item.name) for item in missing) else ""


def is_musl(library: str) -> bool:
    """Whether a library in DT_NEEDED is musl's libc, by Alpine's name or by that of a Rust toolchain."""
    return library == "libc.so" or library.startswith("libc.musl-")


def _misaligned(analysis: Analysis, extension: Extension, owner: Distribution | None) -> Fault:
    by_page = any(
        _ALIGNED_BY_PAGE in (elf.defines if (elf := analysis.files.elf(path)) is not None else ())
        for path in (
            "/lib64/libc.so.6",
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib/aarch64-linux-gnu/libc.so.6",
        )
    )
    what = "page-aligned" if by_page else "properly aligned"
    return Fault(
        extension=extension,
        rule=MISALIGNED,
        detail="has segments that are not aligned",
        owner=owner,
        error=f"{extension.path}: ELF load command address/offset not {what}",
        worst=Severity.MAY_FAIL if by_page or analysis.python.libc == "musl" else Severity.FAILS,
    )


def _untagged(analysis: Analysis, extension: Extension, owner: Distribution | None) -> Iterator[Fault]:
    """A name that fits every Python, where the wheel says that the file does not."""
    if extension.build != Build() or owner is None:
        return
    tags = inventory.wheel_tags(analysis.files, owner)
    if tags and not inventory.fits(tags, analysis.python.version):
        yield Fault(
            extension=extension,
            rule=ABI,
            detail=f"comes from a wheel for {tags[0]}",
            owner=owner,
            error=f"{extension.path}: undefined symbol: SYMBOL",
            worst=Severity.MAY_FAIL,
        )


def _missing(analysis: Analysis, owned: Owners, present: set[str]) -> Iterator[Fault]:
    """Files that a RECORD lists and the image does not have in any form."""
    effective = {item.metadata for item in analysis.effective.values()}
    for path, owner in owned.recorded.items():
        if owner.metadata not in effective or analysis.files.resolve(path) is not None:
            continue
        below = path.removeprefix(f"{owner.folder}/")
        folder, _, name = below.rpartition("/")
        if folder and not all(part.isidentifier() for part in folder.split("/")):
            continue
        extension = inventory.named(name, owner.folder, path.rpartition("/")[0], folder.replace("/", "."))
        if extension is None or extension.module in present:
            continue
        if not _TESTS & set(extension.module.split(".")) and analysis.finder.find(extension.module) is None:
            detail = f"is listed in {owner.metadata}/RECORD and not in the image"
            yield Fault(extension=extension, rule=MISSING, detail=detail, owner=owner)
