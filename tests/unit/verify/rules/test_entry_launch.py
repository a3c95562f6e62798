"""What ENTRYPOINT and CMD are understood to start."""

from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.image.model import HistoryEntry
from understudy.verify.rules import entry_launch
from understudy.verify.rules.entry_launch import Kind

PYTHON = "/var/lang/bin/python3.13"
TOOLS: dict[str, fake.Content] = {
    "/usr/local/bin/uvicorn": fake.Spec(content=f"#!{PYTHON}\n", mode=0o755),
    "/entry.sh": fake.Spec(content=f'#!/bin/sh\nexec {PYTHON} -m awslambdaric "$@"\n', mode=0o755),
    "/moves.sh": fake.Spec(content=f'#!/bin/sh\ncd /srv\nexec {PYTHON} -m awslambdaric "$@"\n', mode=0o755),
    "/own.sh": fake.Spec(content='#!/bin/sh\nexec /lambda-entrypoint.sh "$@"\n', mode=0o755),
    "/app/bootstrap": fake.shared_object(),
}


def start(entrypoint: tuple[str, ...], command: tuple[str, ...] = (), **launch: Any) -> entry_launch.Start:
    return entry_launch.start(fake.subject(TOOLS, entrypoint=entrypoint, command=command, **launch))


@pytest.mark.parametrize(
    ("entrypoint", "command", "kind", "handler", "exact"),
    [
        pytest.param(("/lambda-entrypoint.sh",), ("a.b",), Kind.AWS, "a.b", True, id="aws"),
        pytest.param(("/lambda-entrypoint.sh",), (), Kind.AWS, "", True, id="aws-without-command"),
        pytest.param(("/own.sh",), ("a.b",), Kind.AWS, "a.b", False, id="own-script-around-aws"),
        pytest.param((PYTHON, "-m", "awslambdaric"), ("a.b",), Kind.CLIENT, "a.b", True, id="client"),
        pytest.param(
            (PYTHON, "-X", "dev", "-u", "-m", "awslambdaric", "a.b"), (), Kind.CLIENT, "a.b", True, id="flags"
        ),
        pytest.param(("/entry.sh",), ("a.b",), Kind.CLIENT, "a.b", True, id="own-script"),
        pytest.param(("/moves.sh",), ("a.b",), Kind.CLIENT, "a.b", False, id="script-that-changes-directory"),
        pytest.param(
            (), ("/bin/sh", "-c", f"{PYTHON} -m awslambdaric a.b"), Kind.CLIENT, "a.b", True, id="shell"
        ),
        pytest.param((), ("uvicorn", "app:app"), Kind.SERVER, "", True, id="uvicorn"),
        pytest.param((), ("gunicorn", "app:app"), Kind.SERVER, "", True, id="gunicorn-that-is-not-there"),
        pytest.param((PYTHON, "-m", "uvicorn"), ("app:app",), Kind.SERVER, "", True, id="module-uvicorn"),
        pytest.param(("/app/bootstrap",), (), Kind.UNKNOWN, "", True, id="compiled"),
        pytest.param((PYTHON, "app.py"), (), Kind.UNKNOWN, "", True, id="script"),
        pytest.param((), (), Kind.UNKNOWN, "", True, id="nothing"),
    ],
)
def test_understands(
    entrypoint: tuple[str, ...], command: tuple[str, ...], kind: Kind, handler: str, exact: bool
) -> None:
    found = start(entrypoint, command)
    assert (found.kind, found.handler, found.exact) == (kind, handler, exact)


def test_a_runtime_of_another_language_behind_the_entry_script_is_none_of_ours() -> None:
    files: dict[str, fake.Content] = {**fake.aws_base(), "/var/runtime/index.mjs": ""}
    for path in [path for path in files if "awslambdaric" in path or path.endswith("bootstrap.py")]:
        del files[path]
    assert entry_launch.start(fake.subject(files, base=False)).kind is Kind.UNKNOWN


def test_a_wrapper_makes_the_handler_uncertain() -> None:
    found = start(
        ("/lambda-entrypoint.sh",), ("run.sh",), function_env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}
    )
    assert not found.exact


def test_places_name_the_override_or_the_instruction() -> None:
    history = (HistoryEntry(created_by='CMD ["a.b"]'), HistoryEntry(created_by="COPY . /"))
    plain = fake.subject(config={"history": history})
    assert entry_launch.config_place(plain, "CMD").instruction == 'CMD ["a.b"]'
    assert entry_launch.config_place(plain, "ENTRYPOINT").path == "ENTRYPOINT"
    overridden = fake.subject(command=("a.b",), command_overridden=True)
    assert entry_launch.config_place(overridden, "CMD").path == "ImageConfig.Command"


def test_extensions_are_all_files_but_directories() -> None:
    files: dict[str, fake.Content] = {
        "/opt/extensions/agent": fake.shared_object(),
        "/opt/extensions/lib/x": "",
        "/opt/extensions/README": "",
    }
    assert entry_launch.extensions(fake.subject(files)) == ("/opt/extensions/README", "/opt/extensions/agent")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app.handler", True),
        ("pkg/mod.handler", True),
        ("a.b.c", True),
        ("app", False),
        ("run.sh", False),
        ("/a.b", False),
    ],
)
def test_tells_handlers_from_programs(text: str, expected: bool) -> None:
    assert entry_launch.looks_like_handler(text) is expected
