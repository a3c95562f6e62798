"""What the dynamic loader misses, as the catalogue tells it. Data only."""

from understudy.verify.model import Rule, Severity

_PREFIX = "Runtime.ImportModuleError: Unable to import module 'handler': "

LIBRARY = Rule(
    id="library-missing",
    title="A shared library is not where the loader looks",
    severity=Severity.FAILS,
    catalogue=("A3",),
    aws_text=f"{_PREFIX}libGL.so.1: cannot open shared object file: No such file or directory",
    why="An extension module is linked against a library that neither its wheel nor the image brings. It is "
    "looked for in the module's own RPATH, in LD_LIBRARY_PATH, in ld.so.cache and in the system's "
    "directories.",
    fix="RUN dnf install -y PACKAGE",
    link="https://github.com/aws/aws-lambda-python-runtime-interface-client/issues/31",
)
GLIBC = Rule(
    id="glibc-too-new",
    title="An extension module needs a newer glibc than the image has",
    severity=Severity.FAILS,
    catalogue=("A2",),
    aws_text=f"{_PREFIX}/lib64/libc.so.6: version `GLIBC_2.38' not found (required by FILE)",
    why="It was built or its wheel chosen on a newer system, such as a Debian or Ubuntu build stage. Amazon "
    "Linux 2023 has glibc 2.34, Amazon Linux 2 has 2.26.",
    fix="pip install --platform manylinux_2_34_x86_64 --only-binary=:all: --target DIRECTORY PACKAGE",
    link="https://github.com/aws/aws-lambda-rust-runtime/issues/932",
)
VERSION = Rule(
    id="symbol-version-missing",
    title="A shared library of the image is too old for an extension module",
    severity=Severity.FAILS,
    catalogue=("A2",),
    aws_text=f"{_PREFIX}/lib64/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by FILE)",
    why="The module was linked against a newer release of a library, most often the compiler's own "
    "libstdc++, than the one the loader finds in the image.",
    fix="build it in a stage that has the same base image",
    link="https://github.com/qdrant/fastembed/issues/314",
)

RULES = (LIBRARY, GLIBC, VERSION)
