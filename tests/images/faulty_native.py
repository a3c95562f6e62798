"""Extension modules that cannot be loaded: rows A1, A2, A3 and A19; real wheels of pydantic-core."""

from pathlib import Path

from tests.images.case import BASE, HANDLER, PIP, Case, on_base, rules

_CORE = "pydantic-core==2.41.5"
_APP = {"app.py": "import pydantic_core\n" + HANDLER}
_ERROR = "Runtime.ImportModuleError: Unable to import module 'app': "
_ABSENT = _ERROR + "No module named 'pydantic_core._pydantic_core'"
_SO = "pydantic_core/_pydantic_core.cpython-313-x86_64-linux-gnu.so"
_PATCH = (Path(__file__).parent / "elfpatch.py").read_text()


def _core(name: str, row: str, *, of: str = "", then: str = "", **fields: object) -> Case:
    """A case with pydantic-core for the platform `of`, changed by `then`."""
    after = (f"RUN {then}",) if then else ()
    return Case(
        name=name,
        row=row,
        files=_APP,
        dockerfile=on_base(*after, packages=f"{of} {_CORE}".strip()),
        boot=rules("boot-import-error"),
        **fields,  # type: ignore[arg-type]  # fields of Case
    )


def _patched(name: str, row: str, how: str, **fields: object) -> Case:
    """A case whose extension module `elfpatch` damaged."""
    lines = (
        f"FROM {BASE}",
        f"RUN {PIP} {_CORE}",
        "COPY app.py ./",
        f"RUN --mount=source=elfpatch.py,target=/elfpatch.py python3 /elfpatch.py {_SO} {how}",
        'CMD ["app.handler"]',
        "",
    )
    return Case(
        name=name,
        row=row,
        files={**_APP, "elfpatch.py": _PATCH},
        dockerfile="\n".join(lines),
        **{"boot": rules("boot-import-error"), **fields},  # type: ignore[arg-type]  # fields of Case
    )


CASES = (
    _core(
        "wheel-of-another-python",
        "A1",
        of="--python-version 3.12 --implementation cp --abi cp312 --platform manylinux2014_x86_64",
        static=rules("abi-mismatch"),
        aws_text=_ABSENT,
        fix="RUN /var/lang/bin/python3.13 -m pip install --force-reinstall",
    ),
    _core(
        "wheel-of-another-architecture",
        "A1",
        of="--platform manylinux2014_aarch64",
        static=rules("machine-mismatch"),
        aws_text=_ABSENT,
        fix="pip install --platform manylinux2014_x86_64",
    ),
    _core(
        "wheel-of-another-c-library",
        "A1",
        of="--platform musllinux_1_1_x86_64",
        static=rules("musl-on-glibc"),
        aws_text=_ABSENT,
        fix="place of Alpine",
    ),
    _core(
        "extension-deleted",
        "A1",
        then=f"rm {_SO}",
        static=rules("extension-missing"),
        aws_text=_ABSENT,
        fix=".dockerignore",
    ),
    _core(
        "extension-empty",
        "A1",
        then=f": > {_SO}",
        static=rules("extension-damaged"),
        aws_text="file too short",
        fix="pip install",
    ),
    _core(
        "extension-of-another-architecture-under-this-name",
        "A1",
        of="--platform manylinux2014_aarch64",
        then=f"mv pydantic_core/*-aarch64-linux-gnu.so {_SO}",
        static=rules("machine-mismatch"),
        aws_text=f"{_SO}: cannot open shared object file: No such file or directory",
        fix="pip install --platform manylinux2014_x86_64",
    ),
    _core(
        "extension-of-another-c-library-under-this-name",
        "A1",
        of="--platform musllinux_1_1_x86_64",
        then="mv pydantic_core/*-linux-musl.so pydantic_core/_pydantic_core.so",
        static=rules("musl-on-glibc"),
        aws_text="cannot open shared object file: No such file or directory",
        fix="place of Alpine",
    ),
    _patched(
        "extension-of-a-newer-c-library",
        "A2",
        "glibc",
        static=rules("glibc-too-new"),
        aws_text="version `GLIBC_9.99' not found (required by",
        fix="pip",
    ),
    _patched(
        "library-that-is-not-there",
        "A3",
        "needed",
        static=rules("library-missing"),
        aws_text=_ERROR + "libcairo.so.2: cannot open shared object file: No such file or directory",
        fix="cairo",
    ),
    _patched(
        "extension-misaligned",
        "A19",
        "misaligned",
        static=rules("elf-misaligned"),
        aws_text="ELF load command address/offset not",
        fix="strip",
    ),
    _patched(
        "extension-cut-short",
        "A1",
        "truncated",
        boot=rules("boot-exit"),
        static=rules("extension-damaged"),
        aws_text="Runtime exited with error: signal: bus error",
        fix="pip install",
    ),
)
