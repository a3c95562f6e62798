"""Images booted for real: what makes the boot fail, what it merely tells, and what must raise no alarm."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import base_store, boot_image
from tests.contract.boot_image import BootImages
from tests.fakes import image_files
from understudy.image import rootfs
from understudy.image.rootfs import Rootfs
from understudy.verify import boot
from understudy.verify.boot import BootRequest, Event
from understudy.verify.model import Finding, Severity

PLAIN = "def handler(event, context):\n    return {'got': event}\n"
WEB = """
import os
from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()

@app.get("/items/{name}")
def item(name: str):
    raise RuntimeError("never asked")

@app.get("/table")
def table():
    import urllib.request
    return urllib.request.urlopen("http://dynamodb.us-east-1.amazonaws.com/", timeout=1).read()

@app.get("/needs")
def needs(q: str):
    raise RuntimeError("never asked")

@app.get("/health")
def health():
    return {"ok": True}

@app.get("/broken")
def broken():
    raise ZeroDivisionError("as written")

handler = Mangum(app)
"""
QUIET_WEB = WEB.replace('@app.get("/broken")', "").replace('@app.get("/table")', "")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootImages]:
    with boot_image.made(tmp_path_factory.mktemp("boot")) as made:
        yield made


def above_info(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is not Severity.INFO]


def only(findings: tuple[Finding, ...], rule: str) -> Finding:
    """The finding of `rule`, which is the only one above info."""
    assert [finding.rule for finding in above_info(findings)] == [rule], findings
    return above_info(findings)[0]


def told(findings: tuple[Finding, ...], rule: str) -> Finding:
    return next(finding for finding in findings if finding.rule == rule)


def test_plain_handler_starts_and_answers_the_plain_event_twice(images: BootImages) -> None:
    report, findings = images.boot("plain", {"app.py": PLAIN})
    assert report.started
    assert findings == ()
    assert [(each.event.name, each.verdict) for each in report.outcomes] == [("{}", "answered")] * 2
    assert report.first_request_ms is not None
    assert report.second_request_ms is not None
    assert 5 < report.peak_init_mb <= report.peak_mb < boot_image.MEMORY_MB
    assert report.constraints["network"] == "own namespace without a route"
    assert report.observations is not None
    assert report.observations.problem == ""


def test_what_lambda_has_raises_no_alarm(images: BootImages) -> None:
    code = """
import getpass, os, pathlib, platform, socket, sys, tempfile, time, uuid, zoneinfo
assert os.environ["AWS_REGION"] == os.environ["AWS_DEFAULT_REGION"] == "us-east-1"
assert str(pathlib.Path.home()) == "/home/sbx_user1051"
assert getpass.getuser() == "sbx_user1051"
assert os.environ["TZ"] == ":UTC" and time.tzname[0] == "UTC"
assert os.environ["AWS_ACCESS_KEY_ID"] and "HOME" not in os.environ
pathlib.Path("/tmp/cache").mkdir(); pathlib.Path("/tmp/cache/x").write_text("x")
tempfile.NamedTemporaryFile().close(); open(os.devnull, "w").close()
os.makedirs("/var/task", exist_ok=True)
try:
    import uvloop
except ImportError:
    uvloop = None
socket.getaddrinfo("localhost", 80); socket.gethostbyname(socket.gethostname())
socket.socketpair(); uuid.uuid1(); platform.machine()
"""
    report, findings = images.boot("lambda", {"app.py": code + PLAIN})
    assert report.started, report.attempts
    assert findings == ()


def test_web_application_is_asked_the_routes_that_its_openapi_lists(images: BootImages) -> None:
    report, findings = images.boot("web", {"app.py": WEB})
    answered = {each.event.name: (each.verdict, each.status_code) for each in report.outcomes}
    assert answered["GET /health"] == ("answered", 200)
    assert answered["GET /broken"] == ("app-error", 500)
    assert not {"GET /items/{name}", "GET /needs"} & answered.keys()
    assert [each.event.name for each in report.outcomes[:2]] == ["GET /health", "GET /health"]
    finding = only(findings, "boot-app-error")
    assert finding.severity is Severity.MAY_FAIL
    assert "ZeroDivisionError: as written" in finding.message


def test_route_that_misses_its_table_is_no_fault_of_the_image(images: BootImages) -> None:
    report, findings = images.boot("table", {"app.py": WEB.replace('@app.get("/broken")', "")})
    assert not above_info(findings)
    finding = told(findings, "boot-needs-aws")
    assert "GET /table" in finding.message
    assert "dynamodb.us-east-1.amazonaws.com" in finding.message
    assert report.started


def test_application_without_health_or_openapi_is_asked_its_root(images: BootImages) -> None:
    code = QUIET_WEB.replace('"/health"', '"/"').replace("FastAPI()", "FastAPI(openapi_url=None)")
    report, findings = images.boot("root", {"app.py": code})
    assert not above_info(findings)
    answered = [(each.event.name, each.status_code) for each in report.outcomes]
    assert answered == [("GET /health", 404), ("GET /", 200), ("GET /", 200)]


def test_adapter_that_refuses_the_plain_event_is_asked_again(images: BootImages) -> None:
    code = "import web\ndef handler(event, context):\n    return web.handler(event, context)\n"
    report, findings = images.boot("wrapped", {"app.py": code, "web.py": QUIET_WEB})
    assert [each.verdict for each in report.outcomes][:2] == ["refused", "answered"]
    assert report.answers[0].event.name == "GET /health"
    assert not above_info(findings)


def test_handler_of_another_service_is_not_judged_by_synthetic_events(images: BootImages) -> None:
    code = "def handler(event, context):\n    return len(event['Records'])\n"
    report, findings = images.boot("records", {"app.py": code})
    assert report.started
    assert not above_info(findings)
    assert told(findings, "boot-handler-error").fix.endswith("--event FILE")
    own = (Event(name="e.json", kind="own", payload=b'{"Records": [1, 2]}'),)
    report, findings = images.boot("records-own", {"app.py": code}, events=own)
    assert [each.answer for each in report.outcomes] == [b"2", b"2"]
    assert findings == ()


def test_own_event_that_fails_fails_the_image(images: BootImages) -> None:
    own = (Event(name="e.json", kind="own", payload=b"{}"),)
    code = "def handler(event, context):\n    return event['key']\n"
    _, findings = images.boot("own", {"app.py": code}, events=own)
    finding = only(findings, "boot-handler-error")
    assert finding.severity is Severity.FAILS
    assert finding.aws_text == "KeyError: 'key'"
    assert (finding.places[0].path, finding.places[0].line) == ("/var/task/app.py", 2)


def test_import_chain_names_who_imported_what_failed(images: BootImages) -> None:
    files = {"app.py": "import routers.users\n" + PLAIN, "routers/users.py": "\nimport sqlalchemy\n"}
    report, findings = images.boot("chain", files)
    assert not report.started
    finding = only(findings, "boot-import-error")
    assert finding.aws_text == (
        "Runtime.ImportModuleError: Unable to import module 'app': No module named 'sqlalchemy'"
    )
    assert "/var/task/app.py:1 (import routers.users) -> /var/task/routers/users.py:2" in finding.message
    assert [(place.path, place.line) for place in finding.places] == [
        ("/var/task/routers/users.py", 2),
        ("/var/task/app.py", 1),
    ]


def test_refused_extension_module_is_told_with_its_file(images: BootImages) -> None:
    suffix = "cpython-311-x86_64-linux-gnu.so"
    files = {"app.py": "import native\n" + PLAIN, f"native.{suffix}": ""}
    _, findings = images.boot("extension", files)
    finding = only(findings, "boot-import-error")
    assert "file too short" in finding.message
    assert f"/var/task/native.{suffix}" in finding.fix


FAILING: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "handler": ({"app.py": "x = 1\n"}, "boot-handler-missing", ["Handler 'handler' missing"]),
    "variable": (
        {"app.py": "import os\nos.environ['DB_URL']\n" + PLAIN},
        "boot-init-error",
        ["'DB_URL'"],
    ),
    "exit": (
        {"app.py": "import stop\n" + PLAIN, "stop.py": "import sys\n\nsys.exit(3)\n"},
        "boot-exit",
        ["exit status 3", "sys.exit(3) was called at /var/task/stop.py:3, from /var/task/app.py:1"],
    ),
    "exit-quietly": (
        {"app.py": "raise SystemExit(0)\n"},
        "boot-exit",
        ["Runtime exited without providing a reason"],
    ),
    "crash": (
        {"app.py": "import ctypes\nctypes.string_at(0)\n" + PLAIN},
        "boot-exit",
        ["signal: segmentation fault", "it crashed at /var/task/app.py:2"],
    ),
    "memory": (
        {"app.py": "kept = []\nwhile True:\n    kept.append(bytearray(1 << 20))\n"},
        "boot-out-of-memory",
        ["signal: killed"],
    ),
    "write": (
        {"app.py": "open('/var/task/cache', 'w')\n" + PLAIN},
        "boot-write-outside-tmp",
        ["Read-only file system: '/var/task/cache'"],
    ),
    "unreadable": (
        {"app.py": "open('/var/task/secret')\n" + PLAIN, "secret": ("x", 0o600)},
        "boot-file-unreadable",
        ["Permission denied: '/var/task/secret'"],
    ),
    "semaphore": (
        {"app.py": "import multiprocessing\nmultiprocessing.Lock()\n" + PLAIN},
        "boot-shared-memory",
        ["No such file or directory"],
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_init_that_fails_names_its_cause(images: BootImages, name: str) -> None:
    files, rule, parts = FAILING[name]
    report, findings = images.boot(f"fails-{name}", files)
    assert not report.started
    finding = only(findings, rule)
    assert finding.severity is Severity.FAILS
    assert finding.source == "boot"
    for part in parts:
        assert part in finding.message
    assert finding.places[0].path.startswith("/")


def test_init_that_hangs_tells_where_it_stands(images: BootImages) -> None:
    files = {"app.py": "import slow\n" + PLAIN, "slow.py": "import time\n\ntime.sleep(60)\n"}
    report, findings = images.boot("hangs", files, init_timeout_s=6.0, timeout_s=4.0)
    finding = only(findings, "boot-timeout")
    assert report.attempts[0].timed_out
    assert "it was still at /var/task/slow.py:3 <- /var/task/app.py:1" in finding.message
    assert "Phase: init Status: timeout" in finding.aws_text


def test_web_server_without_runtime_client_is_told_apart_from_slow_init(
    images: BootImages,
) -> None:
    server = "import time\ndef run():\n    time.sleep(60)\nif __name__ == '__main__':\n    run()\n"
    _, findings = images.boot(
        "server",
        {"uvicorn/__init__.py": "", "uvicorn/__main__.py": server},
        entrypoint=(images.place.interpreter, "-m", "uvicorn"),
        command=("app:app",),
        init_timeout_s=6.0,
        timeout_s=4.0,
    )
    assert "awslambdaric" in only(findings, "boot-no-next").fix


def test_entrypoint_that_is_absent_is_named(images: BootImages) -> None:
    _, findings = images.boot("entry", {}, entrypoint=("/entry.sh",), command=("app.handler",))
    finding = only(findings, "boot-entrypoint")
    assert finding.aws_text == (
        "Runtime.InvalidEntrypoint: RequestId: ID Error: fork/exec /entry.sh: no such file or directory"
    )


def test_init_that_needs_two_attempts_may_fail(images: BootImages) -> None:
    code = """
import pathlib, sys
mark = pathlib.Path('/tmp/mark')
if not mark.exists():
    mark.touch()
    sys.exit(1)
"""
    report, findings = images.boot("twice", {"app.py": code + PLAIN})
    assert report.started
    assert [each.phase for each in report.attempts] == ["init", "invoke"]
    assert only(findings, "boot-init-twice").severity is Severity.MAY_FAIL


def test_what_init_does_besides_importing_is_told_with_its_line(images: BootImages) -> None:
    code = """
import os, subprocess, threading, time
import tool
try:
    os.makedirs("/var/task/made")
except OSError:
    pass
try:
    open("/home/sbx_user1051/.config", "w")
except OSError:
    pass
try:
    subprocess.run(["/nowhere/git", "rev-parse"], check=False)
except OSError:
    pass
threading.Thread(target=time.sleep, args=(60,), name="sender", daemon=True).start()
"""
    files = {"app.py": code + PLAIN, "tool.py": "import pathlib\n"}
    report, findings = images.boot("effects", files)
    assert report.started
    assert not above_info(findings)
    written = told(findings, "boot-write-outside-tmp")
    assert "/var/task/made (/var/task/app.py:5)" in written.message
    assert "/home/sbx_user1051/.config (/var/task/app.py:9)" in written.message
    assert "/nowhere/git rev-parse (/var/task/app.py:13)" in told(findings, "boot-subprocess").message
    assert "sender" in told(findings, "boot-thread").message
    assert told(findings, "boot-thread").places[0].line == 16


REACH = """
import socket
try:
    socket.create_connection(("db.example.com", 5432), 5)
except OSError as error:
    assert error.errno == 101, error
"""


def test_connection_at_import_fails_at_once_and_is_told(images: BootImages) -> None:
    report, findings = images.boot("connects", {"app.py": REACH + PLAIN})
    assert report.started
    finding = only(findings, "boot-network-at-import")
    assert finding.severity is Severity.MAY_FAIL
    assert "db.example.com:5432 (/var/task/app.py:4)" in finding.message
    assert report.names_at_init == ("db.example.com",)


def test_init_that_fails_for_want_of_the_network_only_may_fail(images: BootImages) -> None:
    code = "import socket\nsocket.create_connection(('10.1.2.3', 80), 5)\n"
    report, findings = images.boot("wants", {"app.py": code + PLAIN})
    assert not report.started
    finding = only(findings, "boot-network-at-import")
    assert finding.severity is Severity.MAY_FAIL
    assert "Network is unreachable" in finding.message
    assert "10.1.2.3:80" in finding.message


@contextlib.contextmanager
def engine() -> Iterator[str]:
    """Something that answers like an endpoint."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nhere")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


ENGINE = """
import os, urllib.request
def handler(event, context):
    return urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"], timeout=15).read().decode()
"""


def test_engine_is_reached_from_the_isolated_sandbox(images: BootImages) -> None:
    with engine() as url:
        report, findings = images.boot("engine", {"app.py": ENGINE}, endpoint=url)
    assert report.outcomes[0].answer == b'"here"'
    assert findings == ()


def test_call_to_the_engine_at_import_is_only_told(images: BootImages) -> None:
    code = ENGINE + "handler({}, None)\n"
    with engine() as url:
        report, findings = images.boot("engine-import", {"app.py": code}, endpoint=url)
    assert report.started
    assert not above_info(findings)
    assert url in told(findings, "boot-network-at-import").message


def test_engine_that_is_down_is_named(images: BootImages) -> None:
    report, findings = images.boot("down", {"app.py": ENGINE}, endpoint="http://127.0.0.1:9")
    assert report.started
    assert not above_info(findings)
    assert "http://127.0.0.1:9 does not answer" in told(findings, "boot-needs-aws").message


def test_network_of_the_host_is_allowed_on_request(images: BootImages) -> None:
    with engine() as url:
        port = url.rpartition(":")[2]
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 15).close()\n"
        report, findings = images.boot("host", {"app.py": code + PLAIN}, network="host")
    assert report.started
    assert report.constraints["network"] == "host"
    assert not above_info(findings)


@pytest.mark.parametrize(
    ("name", "code", "rule", "severity"),
    [
        ("exits", "import os\ndef handler(e, c):\n    os._exit(4)\n", "boot-request-exit", Severity.FAILS),
        ("set", "def handler(e, c):\n    return {1}\n", "boot-response-unusable", Severity.FAILS),
        (
            "large",
            "def handler(e, c):\n    return 'x' * 7_000_000\n",
            "boot-response-unusable",
            Severity.FAILS,
        ),
        (
            "slow",
            "import time\ndef handler(e, c):\n    time.sleep(60)\n",
            "boot-request-timeout",
            Severity.FAILS,
        ),
        (
            "grows",
            "def handler(e, c):\n    k = []\n    while True:\n        k.append(bytearray(1 << 20))\n",
            "boot-out-of-memory",
            Severity.FAILS,
        ),
    ],
)
def test_own_event_that_ends_badly_is_told(
    images: BootImages, name: str, code: str, rule: str, severity: Severity
) -> None:
    own = (Event(name="e.json", kind="own", payload=b"{}"),)
    timeout_s = 1.0 if name == "slow" else 30.0
    report, findings = images.boot(f"request-{name}", {"app.py": code}, events=own, timeout_s=timeout_s)
    assert report.started
    assert only(findings, rule).severity is severity


def test_mangum_without_an_event_loop_is_told_with_its_cure(images: BootImages) -> None:
    code = "import asyncio\nasyncio.run(asyncio.sleep(0))\n" + QUIET_WEB
    _, findings = images.boot("loop", {"app.py": code})
    assert only(findings, "boot-event-loop").fix == "pip install 'mangum>=0.20'"


def test_own_sitecustomize_still_runs_in_the_observed_boot(images: BootImages) -> None:
    library = next(images.place.layers[0].rglob("encodings")).parent
    place = "/" + str(library.relative_to(images.place.layers[0])) + "/sitecustomize.py"
    custom = "import os\nos.environ['CUSTOM'] = 'yes'\n"
    code = "import os\nassert os.environ['CUSTOM'] == 'yes'\n"
    report, findings = images.boot("custom", {"app.py": code + PLAIN, place: custom})
    assert report.started
    assert report.observations is not None
    assert report.observations.problem == ""
    assert findings == ()


def test_image_of_another_architecture_is_skipped_and_says_so(images: BootImages) -> None:
    report, findings = images.boot("arm", {"app.py": PLAIN}, architecture="arm64")
    assert not report.started
    assert "the image is for arm64" in report.skipped
    assert [finding.rule for finding in findings] == ["boot-skipped"]


def test_image_on_the_base_with_awss_bootstrap_is_observed_too(tmp_path: Path) -> None:
    store, base = base_store.with_base(tmp_path)
    layers = rootfs.prepare(store, base.digest).layers
    task = tmp_path / "layer/var/task"
    task.mkdir(parents=True)
    (task / "app.py").write_text("import socket\nsocket.getaddrinfo('first.example.com', 443)\n" + PLAIN)
    config = base.config
    subject = image_files.subject(
        {},
        entrypoint=config.entrypoint,
        command=("app.handler",),
        working_dir=config.working_dir,
        image_env=dict(config.env),
    )
    request = BootRequest(
        rootfs=Rootfs(layers=(*layers, tmp_path / "layer")), launch=subject.launch, architecture="x86_64"
    )
    report = boot.run(request, state_dir=tmp_path / "state")
    findings = boot.findings(report, subject)
    # The client's own thread, which it has on this base, is not the image's doing.
    assert [finding.rule for finding in findings] == ["boot-network-at-import"]
    assert "first.example.com (/var/task/app.py:2)" in findings[0].message
    assert findings[0].severity is Severity.INFO
