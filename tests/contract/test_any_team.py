"""Any team's repository: `init`, `up`, and a look into its function with a shell and a debugger."""

import json
import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract import base_store, engine_process, stack_project
from tests.contract.dap import DapClient
from tests.contract.stack_project import ROOT, StackProject
from tests.fakes import project as projects
from tests.ports import free_port

SERVICE = Path(__file__).with_name("orders_service")
_WITHIN_S = 60


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> StackProject:
    """The service in a repository of its own; its packages are the dashboard's, which are built already."""
    folder = tmp_path_factory.mktemp("team") / "orders"
    shutil.copytree(SERVICE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    dashboard = ROOT / "service"
    shutil.copy2(dashboard / "requirements.txt", folder)
    dockerfile = (dashboard / "Dockerfile").read_text()
    for theirs, ours in (
        ("COPY handler.py /build/\n", ""),
        ("COPY dashboard /build/dashboard", "COPY app /build/app"),
        ("handler.lambda_handler", "app.main.handler"),
    ):
        assert theirs in dockerfile
        dockerfile = dockerfile.replace(theirs, ours)
    (folder / "Dockerfile").write_text(dockerfile)
    engine_process.delegate_python()
    project = stack_project.beside_built_images(folder)
    if not (folder / ".understudy" / "store").exists():
        base_store.with_base(folder / ".understudy")
    return project


@pytest.fixture(scope="module")
def running(repository: StackProject) -> Iterator[dict[str, Any]]:
    code = repository.folder / "app"
    before = {path: path.read_bytes() for path in code.iterdir()}
    written = repository.understudy("init")
    assert written.returncode == 0, written.stderr
    yield repository.up("--no-watch", "--no-dev")
    repository.understudy("down")
    assert {path: path.read_bytes() for path in code.iterdir()} == before


def test_what_init_wrote_runs_with_the_table_and_the_bucket(running: dict[str, Any]) -> None:
    with httpx.Client(base_url=running["api_url"], timeout=30, trust_env=False) as client:
        assert client.get(running["path"]).json() == {"service": "orders", "stage": "local"}
        assert client.put("/orders/7").json() == {"order_id": "7"}
        assert client.get("/orders/7").json() == {"order_id": "7", "state": "new"}
        assert client.get("/orders/8").status_code == 404


def test_env_says_what_the_function_sees_and_hides_secrets(
    repository: StackProject, running: dict[str, Any]
) -> None:
    shown = json.loads(repository.understudy("env", "--output", "json").stdout)
    through_the_shell = repository.understudy("shell", "--", "env").stdout.splitlines()

    found = {one["name"]: one for one in shown}
    assert found["ORDERS_TABLE"] == {"name": "ORDERS_TABLE", "value": "orders-table", "source": "function"}
    assert found["AWS_SECRET_ACCESS_KEY"]["value"] == "(hidden)"
    assert {line.partition("=")[0] for line in through_the_shell} >= set(found)


def test_a_shell_has_the_function_s_constraints(repository: StackProject, running: dict[str, Any]) -> None:
    command = "id -u; id -g; ulimit -n; pwd; touch /var/task/x; ls /dev/shm; exit 7"

    done = repository.understudy("shell", "--", "sh", "-c", command)

    assert done.returncode == 7
    assert done.stdout.startswith("993\n990\n1024\n/var/task\n")
    assert "Read-only file system" in done.stdout
    assert "'/dev/shm': No such file" in done.stdout


def test_a_shell_on_a_terminal_takes_what_is_typed(repository: StackProject, running: dict[str, Any]) -> None:
    ours, theirs = pty.openpty()
    with _understudy(repository, "shell", streams=(theirs, theirs)) as shell:
        os.close(theirs)
        said = _until(ours, b"$ ")
        os.write(ours, b"echo table=$ORDERS_TABLE; sleep 60\n")
        said += _until(ours, b"table=orders-table")
        os.write(ours, b"\x03")
        said += _until(ours, b"$ ")
        os.write(ours, b"exit 5\n")
        status = shell.wait(_WITHIN_S)
    os.close(ours)

    assert status == 5, said


def test_a_debugger_stops_in_the_handler_reads_a_variable_and_goes_on(
    repository: StackProject, running: dict[str, Any]
) -> None:
    main = repository.folder / "app" / "main.py"
    line = 1 + main.read_text().splitlines().index("    found = orders.get(order_id)")
    port = free_port()
    with _understudy(repository, "invoke", "--path", "/orders/9", "--debug", str(port)) as invoking:
        editor = DapClient(port)
        editor.attach(str(repository.folder), "/var/task", (str(main), line))
        stopped = editor.event("stopped")
        frame, variables = editor.variables(stopped["threadId"])
        # The function may be gone before this is answered.
        editor.send("continue", {"threadId": stopped["threadId"]})
        answer, log = invoking.communicate(timeout=_WITHIN_S)
        editor.close()

    assert (frame["source"]["path"], frame["line"]) == (str(main), line)
    assert variables["order_id"] == "'9'"
    assert json.loads(answer)["statusCode"] == 404
    assert "not the identical image" in log
    assert "Task timed out" not in log


def _understudy(
    repository: StackProject,
    *arguments: str,
    streams: tuple[int, int] = (subprocess.DEVNULL, subprocess.PIPE),
) -> "subprocess.Popen[str]":
    """A command that goes on; `streams` are its stdin and its stdout."""
    return subprocess.Popen(
        [sys.executable, "-m", "understudy", *arguments],
        cwd=repository.folder,
        env=stack_project.environment(),
        stdin=streams[0],
        stdout=streams[1],
        stderr=subprocess.PIPE,
        text=True,
    )


def _until(terminal: int, wanted: bytes) -> bytes:
    """What a terminal shows, up to what is wanted."""
    said = b""
    while wanted not in said:
        ready, _, _ = select.select([terminal], [], [], _WITHIN_S)
        assert ready, said
        said += os.read(terminal, 4096)
    return said


def test_a_rest_api_in_the_place_of_the_http_api_is_shown_with_its_stage(
    repository: StackProject, running: dict[str, Any]
) -> None:
    base = repository.folder / "deploy" / "base"
    before = {name: (base / name).read_text() for name in ("orders.yaml", "api.yaml")}
    assert repository.understudy("down").returncode == 0
    function = before["orders.yaml"].replace("${API.orders.apiID}", "${RestAPI.shop.id}")
    (base / "orders.yaml").write_text(function)
    (base / "api.yaml").write_text(projects.rest_api("orders-live"))

    again = repository.up("--no-watch", "--no-dev")
    shown = repository.understudy("status").stdout
    for name, text in before.items():
        (base / name).write_text(text)

    assert again["api_url"].endswith("/v1")
    assert f"API        {again['api_url']} " in shown
    assert httpx.get(f"{again['api_url']}/orders/8", timeout=30, trust_env=False).status_code == 404
    assert httpx.put(f"{again['api_url']}/orders/9", timeout=30, trust_env=False).json() == {"order_id": "9"}
