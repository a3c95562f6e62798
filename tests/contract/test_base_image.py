"""The stand-in base, built for real and run for real."""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract import base_store
from understudy.errors import UnderstudyError
from understudy.image import base, rootfs
from understudy.image.builder import STAND_IN_LABEL
from understudy.image.builder import tree as build_tree
from understudy.image.layers import Kind
from understudy.image.steps import Step
from understudy.image.store import Store

UNCHECKED_HASH = 1


class World:
    """The base, and a way to run commands in it."""

    def __init__(self, folder: Path) -> None:
        self.store, self.image = base_store.with_base(folder)
        self.layers = rootfs.prepare(self.store, self.image.digest).layers
        self._folder = folder
        self._runs = 0

    def run(self, *argv: str, files: dict[str, str] | None = None, **env: str) -> tuple[int, str]:
        """Returns exit status and output of a command in the base, over `files`."""
        self._runs += 1
        upper, work = self._folder / f"upper{self._runs}", self._folder / f"work{self._runs}"
        upper.mkdir()
        work.mkdir()
        for path, text in (files or {}).items():
            place = upper / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        output: list[bytes] = []
        step = Step(
            lower=self.layers,
            upper=upper,
            work=work,
            argv=argv,
            env={**dict(self.image.config.env), **env},
            working_dir="/var/task",
            user="",
        )
        status = base_store.runner().run(step, output.append)
        return status, b"".join(output).decode()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def test_two_builds_give_one_digest_whatever_the_umask(
    world: World, tmp_path: Path, umask: Callable[[int], int]
) -> None:
    umask(0o077)
    store = Store(tmp_path / "other").open()
    image = base.build_base(base_store.NAME, store=store, steps=base_store.runner(), progress=lambda _: None)
    assert image.digest == world.image.digest


def test_config_is_that_of_aws_s_image(world: World) -> None:
    config = world.image.config
    env = dict(config.env)
    assert env["LAMBDA_TASK_ROOT"] == config.working_dir == "/var/task"
    assert env["LAMBDA_RUNTIME_DIR"] == "/var/runtime"
    assert env["PATH"] == "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    assert config.entrypoint == ("/lambda-entrypoint.sh",)
    assert config.cmd == ()
    assert config.labels == {STAND_IN_LABEL: "public.ecr.aws/lambda/python:3.13"}
    assert len(config.diff_ids) == len([item for item in config.history if not item.empty_layer]) == 1


def test_a_second_call_takes_the_base_from_the_store(world: World) -> None:
    again = base.build_base(
        base_store.NAME, store=world.store, steps=base_store.runner(), progress=lambda _: pytest.fail("built")
    )
    assert again.digest == world.image.digest


def test_the_interpreter_is_where_aws_has_it(world: World) -> None:
    status, output = world.run(
        "sh",
        "-c",
        "command -v python python3 python3.13 pip pip3; python -c '"
        "import site, sys, sysconfig;"
        'print(sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), sysconfig.get_path("scripts"));'
        'print("/var/lang/lib/python3.13/site-packages" in site.getsitepackages())\'',
    )
    assert status == 0
    assert output.splitlines() == [
        *(f"/var/lang/bin/{name}" for name in ("python", "python3", "python3.13", "pip", "pip3")),
        "/var/lang /var/lang /var/lang/lib/python3.13/site-packages /var/lang/bin",
        "True",
    ]


def test_the_standard_library_is_whole(world: World) -> None:
    modules = "asyncio bz2 ctypes curses dbm.ndbm decimal hashlib lzma readline sqlite3 ssl uuid venv zlib"
    status, output = world.run("python3", "-c", "".join(f"import {name}\n" for name in modules.split()))
    assert (status, output) == (0, "")


def test_pip_installs_into_the_interpreter(world: World) -> None:
    status, output = world.run("pip", "install", "--dry-run", "--no-index", "--no-deps", "pip")
    assert status == 0
    assert "/var/lang/lib/python3.13/site-packages" in output


def test_all_bytecode_is_valid_without_a_look_at_the_source(world: World) -> None:
    tree = build_tree.LayersTree(world.layers)
    sources = 0
    for top in ("var/lang/lib/python3.13", "var/runtime"):
        for node in build_tree.walk(tree, top):
            if node.kind is not Kind.FILE or not node.name.endswith(".py") or node.name == "bootstrap.py":
                continue
            folder, _, name = node.path.rpartition("/")
            compiled = tree.node(f"{folder}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc")
            if compiled is None:
                assert "lib2to3" in node.path, node.path
                continue
            sources += 1
            assert struct.unpack("<I", compiled.place.read_bytes()[4:8]) == (UNCHECKED_HASH,), node.path
    assert sources > 800


def test_it_is_small_and_holds_no_documentation(world: World) -> None:
    tree = build_tree.LayersTree(world.layers)
    nodes = [node for node in build_tree.walk(tree, "") if node.kind is Kind.FILE]
    assert sum(node.status.st_size for node in nodes) < 130_000_000
    unwanted = ("usr/share/", "var/lib/dpkg", "var/log/", "etc/machine-id", "etc/apt", "etc/resolv.conf")
    assert not [node.path for node in nodes if node.path.startswith(unwanted)]
    assert {(node.uid, node.gid) for node in nodes} == {(0, 0)}
    assert not [node.path for node in nodes if not node.mode & 0o004]


@pytest.mark.parametrize("arguments", [(), ("a.b", "c.d")], ids=["none", "two"])
def test_entry_script_wants_exactly_one_argument(world: World, arguments: tuple[str, ...]) -> None:
    status, output = world.run("/lambda-entrypoint.sh", *arguments)
    assert status == 142
    assert output == "entrypoint requires the handler name to be the first argument\n"


def test_entry_script_says_that_there_is_no_emulator(world: World) -> None:
    status, output = world.run("/lambda-entrypoint.sh", "app.handler")
    assert status == 1
    assert "AWS_LAMBDA_RUNTIME_API is not set" in output
    assert "hint:" in output


@pytest.mark.parametrize(
    ("wrapper", "status", "message"),
    [
        ("/opt/gone", 127, "/opt/gone: does not exist\n"),
        ("/opt/plain", 126, "/opt/plain: is not an executable\n"),
    ],
)
def test_a_broken_wrapper_ends_as_on_aws(world: World, wrapper: str, status: int, message: str) -> None:
    found = world.run(
        "/lambda-entrypoint.sh",
        "app.handler",
        files={"opt/plain": "x"},
        AWS_LAMBDA_RUNTIME_API="127.0.0.1:9",
        AWS_LAMBDA_EXEC_WRAPPER=wrapper,
    )
    assert found == (status, message)


def test_the_handler_s_search_path_is_that_of_aws(world: World) -> None:
    files = {
        "var/task/app.py": "import os, sys\nprint(sys.path[:5], os.environ['AWS_EXECUTION_ENV'], "
        "os.environ['PYTHONPATH'], sys.modules.get('by_pth'))\nos._exit(0)\n",
        "var/task/more.pth": "import sys; sys.modules['by_pth'] = 'pth'\n",
    }
    status, output = world.run(
        "/lambda-entrypoint.sh", "app.handler", files=files, AWS_LAMBDA_RUNTIME_API="127.0.0.1:9"
    )
    packages = "lib/python3.13/site-packages"
    expected = [
        "/var/task",
        f"/opt/python/{packages}",
        "/opt/python",
        f"/var/lang/{packages}",
        "/var/runtime",
    ]
    assert status == 0
    assert output.splitlines()[-1] == f"{expected} AWS_Lambda_python3.13 /var/runtime pth"


def test_a_pythonpath_of_the_user_switches_the_additions_off(world: World) -> None:
    files = {"var/task/app.py": "import os, sys\nprint(sys.path[:3])\nos._exit(0)\n"}
    status, output = world.run(
        "/lambda-entrypoint.sh",
        "app.handler",
        files=files,
        AWS_LAMBDA_RUNTIME_API="127.0.0.1:9",
        PYTHONPATH="/mine",
    )
    assert status == 0
    assert output.splitlines()[-1] == "['/var/task', '/var/runtime', '/mine']"


def test_tls_trusts_public_authorities(world: World) -> None:
    status, output = world.run(
        "python3", "-c", "import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 100)"
    )
    assert (status, output) == (0, "True\n")


def test_an_unknown_base_is_refused(world: World) -> None:
    with pytest.raises(UnderstudyError, match="python2") as caught:
        base.build_base("python2", store=world.store, steps=base_store.runner(), progress=lambda _: None)
    assert caught.value.hint == "./understudy base build python3.13"
