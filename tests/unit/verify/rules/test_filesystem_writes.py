"""Writes and locks at import: what fails, what may, and what Lambda never sees."""

import textwrap
from collections.abc import Mapping

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import filesystem_writes

HEAD = (
    "import os, logging, logging.handlers, shutil, sqlite3, multiprocessing, concurrent.futures\n"
    "from pathlib import Path\n"
)
FAILS, MAY_FAIL, INFO = Severity.FAILS, Severity.MAY_FAIL, Severity.INFO


def check(text: str, files: Mapping[str, fake.Content] | None = None) -> list[Finding]:
    source = HEAD + textwrap.dedent(text)
    subject = fake.subject({"/var/task/handler.py": source, **(files or {})})
    return list(filesystem_writes.check(subject))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("open('app.log', 'w')", "/var/task/app.log", id="open"),
        pytest.param("open(file='app.log', mode='a')", "/var/task/app.log", id="keywords"),
        pytest.param("with open('/var/task/app.log', 'wb') as f: ...", "/var/task/app.log", id="with"),
        pytest.param("Path('app.log').write_text('x')", "/var/task/app.log", id="write-text"),
        pytest.param("Path('app.log').open('w')", "/var/task/app.log", id="path-open"),
        pytest.param("(Path(__file__).parent / 'x').touch()", "/var/task/x", id="touch"),
        pytest.param("Path('cache').mkdir(exist_ok=True)", "/var/task/cache", id="mkdir"),
        pytest.param("os.makedirs('/var/task/a', exist_ok=True)", "/var/task/a", id="makedirs"),
        pytest.param("CACHE = Path('/var/cache')\nCACHE.mkdir()", "/var/cache", id="constant"),
        pytest.param("logging.FileHandler('app.log')", "/var/task/app.log", id="handler"),
        pytest.param("logging.handlers.RotatingFileHandler('app.log')", "/var/task/app.log", id="rotating"),
        pytest.param("logging.basicConfig(filename='app.log')", "/var/task/app.log", id="basic-config"),
        pytest.param("shutil.copy('x', '/var/task/y')", "/var/task/y", id="copy"),
        pytest.param("def setup():\n    open('app.log', 'w')\nsetup()", "/var/task/app.log", id="function"),
    ],
)
def test_surely_fails(text: str, path: str) -> None:
    (finding,) = check(text)
    assert (finding.rule, finding.severity) == ("write-outside-tmp", FAILS)
    expected = "/var/cache" if path == "/var/cache" else path
    assert finding.aws_text == f"OSError: [Errno 30] Read-only file system: '{expected}'"
    assert finding.fix.startswith(f"change {path} to /tmp/")
    assert finding.places[0].line > 2


@pytest.mark.parametrize(
    ("text", "aws_text"),
    [
        ("open('/srv/x', 'w')", "FileNotFoundError: [Errno 2] No such file or directory: '/srv/x'"),
        ("os.makedirs('/srv/a/b')", "OSError: [Errno 30] Read-only file system: '/srv'"),
        ("Path.home().mkdir(parents=True)", "OSError: [Errno 30] Read-only file system: '/home'"),
        ("Path('x').unlink(missing_ok=True)", "OSError: [Errno 30] Read-only file system: '/var/task/x'"),
        ("os.rename('a', 'b')", "OSError: [Errno 30] Read-only file system: '/var/task/a' -> '/var/task/b'"),
        ("sqlite3.connect('db.sqlite')", "OperationalError: unable to open database file"),
    ],
)
def test_the_text_is_the_kernels_or_the_librarys(text: str, aws_text: str) -> None:
    (finding,) = check(text)
    assert finding.aws_text == aws_text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("open('/tmp/app.log', 'w')", id="tmp"),
        pytest.param("open('/mnt/efs/app.log', 'w')", id="efs"),
        pytest.param("open('/dev/null', 'w')", id="null"),
        pytest.param("open('data.json')", id="read"),
        pytest.param("open('data.json', 'rb')", id="read-binary"),
        pytest.param("Path('data.json').open()", id="path-read"),
        pytest.param("os.makedirs('/opt', exist_ok=True)", id="directory-is-there"),
        pytest.param("Path('/opt').mkdir(exist_ok=True)", id="path-is-there"),
        pytest.param("shutil.rmtree('/srv/x')", id="nothing-to-remove"),
        pytest.param("shutil.rmtree('/opt', ignore_errors=True)", id="errors-ignored"),
        pytest.param("logging.FileHandler('app.log', delay=True)", id="delayed-handler"),
        pytest.param("logging.basicConfig(level=1)", id="basic-config"),
        pytest.param("sqlite3.connect(':memory:')", id="memory"),
        pytest.param("sqlite3.connect('file:x?mode=memory', uri=True)", id="uri"),
        pytest.param("sqlite3.connect('/etc/passwd')", id="database-in-the-image"),
        pytest.param("open(name, 'w')", id="unknown-path"),
        pytest.param("'a-b'.replace('-', '/x')", id="strings-have-methods-too"),
        pytest.param("def f():\n    open('app.log', 'w')", id="function-that-is-not-called"),
        pytest.param("try:\n    os.makedirs('/srv')\nexcept OSError:\n    pass", id="caught"),
        pytest.param("if __name__ == '__main__':\n    open('x', 'w')", id="main"),
        pytest.param("multiprocessing.Pipe()", id="pipe"),
        pytest.param("multiprocessing.Manager()", id="manager"),
        pytest.param("concurrent.futures.ThreadPoolExecutor()", id="threads"),
        pytest.param("def f():\n    return multiprocessing.Pool()", id="pool-in-a-function"),
        pytest.param("import threading, queue\nthreading.Lock()\nqueue.Queue()", id="thread-locks"),
    ],
)
def test_good(text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        pytest.param("if not os.path.exists('/srv/x'):\n    os.makedirs('/srv/x')", MAY_FAIL, id="existence"),
        pytest.param("if not Path('x').is_file():\n    open('x', 'w')", MAY_FAIL, id="is-file"),
        pytest.param("if os.getenv('LOCAL'):\n    open('x', 'w')", INFO, id="other-condition"),
        pytest.param("for x in y:\n    open('x', 'w')", INFO, id="loop"),
    ],
)
def test_conditions_make_it_milder(text: str, severity: Severity) -> None:
    (finding,) = check(text)
    assert finding.severity is severity


def test_a_module_that_may_not_be_imported_is_milder() -> None:
    text = "try:\n    import local\nexcept Exception:\n    pass"
    (finding,) = check(text, {"/var/task/local.py": "open('x', 'w')\n"})
    assert (finding.severity, finding.places[0].path) == (INFO, "/var/task/local.py")


def test_modules_that_the_handler_imports_count() -> None:
    (finding,) = check("from pkg import config", {"/var/task/pkg/config.py": "\nopen('x', 'w')\n"})
    assert (finding.severity, finding.places[0].path, finding.places[0].line) == (
        FAILS,
        "/var/task/pkg/config.py",
        2,
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("multiprocessing.Lock()", "multiprocessing.Lock"),
        ("multiprocessing.Queue()", "multiprocessing.Queue"),
        ("multiprocessing.Pool(4)", "multiprocessing.Pool"),
        ("multiprocessing.SimpleQueue()", "multiprocessing.SimpleQueue"),
        ("from multiprocessing import Semaphore as S\nS()", "multiprocessing.Semaphore"),
        ("multiprocessing.get_context('spawn').Lock()", "multiprocessing.Lock"),
        ("concurrent.futures.ProcessPoolExecutor()", "ProcessPoolExecutor"),
        ("from concurrent.futures import ProcessPoolExecutor\nProcessPoolExecutor()", "ProcessPoolExecutor"),
    ],
)
def test_shared_memory(text: str, name: str) -> None:
    (finding,) = check(text)
    assert (finding.rule, finding.severity) == ("shared-memory", FAILS)
    assert finding.message.startswith(f"{name} in handler ")
    assert finding.aws_text == "FileNotFoundError: [Errno 2] No such file or directory"


@pytest.mark.parametrize(
    "call", ["Value('i', 0)", "Value('i', 0, lock=False)", "Array('i', 3)", "RawValue('i')"]
)
def test_mapped_memory_names_the_directory(call: str) -> None:
    (finding,) = check(f"multiprocessing.{call}")
    assert finding.aws_text == "FileNotFoundError: [Errno 2] No such file or directory: '/dev/shm'"
