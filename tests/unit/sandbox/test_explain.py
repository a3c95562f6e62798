"""The chain of imports behind Runtime.ImportModuleError, by the interpreter at hand."""

import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from understudy.sandbox import explain
from understudy.sandbox.executor import Peek


def peek(executable: str = "/usr/bin/python3.13", handler: str = "app.handler", **env: str) -> Peek:
    return Peek(
        executable=executable,
        argv=("python3", "-m", "awslambdaric", handler),
        environment=env,
        working_dir="/var/task",
    )


def run(tmp_path: Path, handler: str = "app.handler") -> bytes:
    command = explain.command(peek(handler=handler))
    assert command is not None
    return subprocess.run(
        [sys.executable, *command[0][1:]], cwd=tmp_path, env={}, check=True, capture_output=True
    ).stdout


def test_chain_leads_from_the_handler_to_the_failing_import(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import os\nimport middle\n")
    (tmp_path / "middle.py").write_text("\n\nfrom nosuch import thing\n")
    chain = explain.parse(run(tmp_path))
    assert chain is not None
    assert [(Path(frame.path).name, frame.line, frame.source) for frame in chain.frames] == [
        ("app.py", 2, "import middle"),
        ("middle.py", 3, "from nosuch import thing"),
    ]
    assert chain.error == "ModuleNotFoundError: No module named 'nosuch'"
    assert chain.lines()[-1] == b"understudy:   ModuleNotFoundError: No module named 'nosuch'\n"


def test_refused_extension_module_is_named_with_its_file(tmp_path: Path) -> None:
    suffix = EXTENSION_SUFFIXES[0]
    (tmp_path / "app.py").write_text("import native\n")
    (tmp_path / f"native{suffix}").write_bytes(b"")
    chain = explain.parse(run(tmp_path))
    assert chain is not None
    assert chain.module == "native"
    assert chain.file == str(tmp_path / f"native{suffix}")
    assert [frame.source for frame in chain.frames] == ["import native"]
    assert "file too short" in chain.error


def test_what_an_import_error_was_raised_from_is_told(tmp_path: Path) -> None:
    code = "try:\n    import nosuch\nexcept ImportError as e:\n    raise ImportError('install it') from e\n"
    (tmp_path / "app.py").write_text(code)
    chain = explain.parse(run(tmp_path))
    assert chain is not None
    assert chain.causes == (f"ModuleNotFoundError: No module named 'nosuch' at {tmp_path / 'app.py'}:2",)
    assert chain.lines()[-1].startswith(b"understudy:   because of ModuleNotFoundError")


def test_absent_handler_module_has_no_frames(tmp_path: Path) -> None:
    chain = explain.parse(run(tmp_path))
    assert chain is not None
    assert chain.frames == ()
    assert chain.error == "ModuleNotFoundError: No module named 'app'"


def test_handler_in_a_folder_and_noise_on_stdout(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/app.py").write_text("print('noise', end='')\nimport nosuch\n")
    chain = explain.parse(run(tmp_path, "pkg/app.handler"))
    assert chain is not None
    assert chain.frames[0].line == 2


def test_import_that_succeeds_now_has_no_chain(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("")
    assert explain.parse(run(tmp_path)) is None


def test_foreign_runtime_is_not_explained() -> None:
    assert explain.command(peek(executable="/usr/bin/node")) is None
    assert explain.command(peek(handler="nodot")) is None


def test_handler_variable_wins_over_the_command_line() -> None:
    command = explain.command(peek(_HANDLER="other.handler"))
    assert command is not None
    assert command[0][-1] == "other.handler"


def test_broken_output_is_no_chain() -> None:
    assert explain.parse(b"nothing") is None
    assert explain.parse(b"understudy-import-chain:{") is None
