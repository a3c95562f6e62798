"""Why an extension module of an image does not load, as the catalogue tells it.

Data only. Four of these causes show one and the same text on AWS; what tells them apart is in `native`.
"""

from understudy.verify.model import Rule, Severity

_TEXT = (
    "Runtime.ImportModuleError: Unable to import module 'handler': "
    "No module named 'pydantic_core._pydantic_core'"
)
_PYDANTIC = "https://docs.pydantic.dev/latest/integrations/aws_lambda/"

MACHINE = Rule(
    id="machine-mismatch",
    title="An extension module is for another processor or system",
    severity=Severity.FAILS,
    catalogue=("A1",),
    aws_text=_TEXT,
    why="Python looks for the file name of its own platform and passes over all others; bytes for another "
    "processor under the right name are passed over by the loader, which then says that the file is missing.",
    fix="pip install --platform manylinux2014_x86_64 --python-version 3.13 --implementation cp "
    "--only-binary=:all: --no-deps --upgrade --target DIRECTORY PACKAGE",
    link="https://github.com/pydantic/pydantic/issues/6557",
)
MUSL = Rule(
    id="musl-on-glibc",
    title="An extension module is for Alpine's C library",
    severity=Severity.FAILS,
    catalogue=("A1",),
    aws_text=_TEXT,
    why="The package was installed on Alpine, whose wheels (musllinux) are linked against musl. The image's "
    "Python uses glibc and looks for other file names.",
    fix="use the image's own base in place of Alpine for the stage that installs PACKAGE",
    link="https://github.com/pydantic/pydantic-core/issues/1409",
)
GLIBC = Rule(
    id="glibc-on-musl",
    title="An extension module is for glibc, and the image's Python uses musl",
    severity=Severity.FAILS,
    catalogue=("A1",),
    aws_text=_TEXT,
    why="The package was installed on Debian or Amazon Linux (manylinux); Alpine's Python looks for other "
    "file names.",
    fix="install PACKAGE in the Alpine stage itself, from its musllinux wheel",
    link="https://peps.python.org/pep-0656/",
)
ABI = Rule(
    id="abi-mismatch",
    title="An extension module is for another version of Python",
    severity=Severity.FAILS,
    catalogue=("A1",),
    aws_text=_TEXT,
    why="The package was installed by another Python than the image runs. Python looks for the file name of "
    "its own version and passes over all others.",
    fix="RUN python -m pip install --force-reinstall --no-deps PACKAGE",
    link=_PYDANTIC,
)
MISSING = Rule(
    id="extension-missing",
    title="An extension module is not in the image in any form",
    severity=Severity.FAILS,
    catalogue=("A1",),
    aws_text=_TEXT,
    why="The package's own list of files (RECORD) or its own code names a file that is not there: a clean-up "
    "step, an ignore file or a copy that takes *.py alone has lost it.",
    fix="take *.so out of .dockerignore and out of clean-up steps, then reinstall PACKAGE",
    link="https://github.com/pydantic/pydantic-core/issues/1422",
)
DAMAGED = Rule(
    id="extension-damaged",
    title="An extension module is empty or cut short",
    severity=Severity.FAILS,
    catalogue=("A1",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'handler': FILE: file too short",
    why="The file has the right name and no content that can be loaded: an interrupted download or copy, a "
    "Git LFS pointer, an archive that lost it.",
    fix="RUN python -m pip install --force-reinstall --no-deps --no-cache-dir PACKAGE",
    link="https://github.com/jkehler/awslambda-psycopg2/issues/88",
)
MISALIGNED = Rule(
    id="elf-misaligned",
    title="An extension module or its library was broken by strip",
    severity=Severity.FAILS,
    catalogue=("A19",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'handler': FILE: "
    "ELF load command address/offset not properly aligned",
    why="Wheels on PyPI are patched after linking; binutils' strip moves their segments to places that the "
    "loader refuses.",
    fix="leave out strip for this file, and reinstall PACKAGE",
    link="https://github.com/pypa/manylinux/issues/119",
)

RULES = (MACHINE, MUSL, GLIBC, ABI, MISSING, DAMAGED, MISALIGNED)
