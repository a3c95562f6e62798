"""Builds the stand-in base image: packages, runtime interface client, bytecode, one layer."""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image import layers, locks
from understudy.image.base import assemble, fetch, layout, lock
from understudy.image.builder import EPOCH, STAND_IN_LABEL, BuildEvent, Notice, Work, kit
from understudy.image.builder import space as build_space
from understudy.image.builder.cache import CachedLayer
from understudy.image.builder.run import StepFailedError
from understudy.image.deferred import httpx
from understudy.image.layers import diff
from understudy.image.model import HistoryEntry, ImageConfig
from understudy.image.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from understudy.image.base.lock import Lock, Package
    from understudy.image.model import Image
    from understudy.image.steps import StepRunner
    from understudy.image.store import Store

NAMES: Final = {"python3.13": "public.ecr.aws/lambda/python:3.13"}
"""The bases that can be built, and the image that each stands in for."""

_MACHINE: Final = "x86_64"
_PIP: Final = "python3-pip-whl"
_CREATED: Final = "1980-01-01T00:00:00Z"
_SOURCES: Final = (
    "assemble.py",
    "layout.py",
    "lock.json",
    "runtime_bootstrap.py",
    "bootstrap.sh",
    "build.py",
)
# Both halves at once: a step has no /dev/shm, which compileall's own workers need.
_COMPILE: Final = """
compile() {
  /var/lang/bin/python3.13 -I -B -m compileall -q -f --invalidation-mode unchecked-hash "$@"
}
compile /var/lang/lib/python3.13/site-packages & other=$!
compile -x '/(site-packages|lib2to3)/' /var/lang/lib/python3.13 /var/runtime || exit 1
wait "$other" || exit 1
cd / && exec /var/lang/bin/python3.13 -I -B -c '
import ctypes, ssl, sqlite3, sys
sys.path.insert(0, "/var/runtime")
import awslambdaric.bootstrap, runtime_client, pip
assert ssl.create_default_context().get_ca_certs(), "no certificate authorities"
'
"""


def tag(name: str) -> str:
    """Returns the store's tag of a base: another recipe, another tag."""
    recipe = hashlib.sha256(b"".join(_source(item) for item in _SOURCES)).hexdigest()[:12]
    return f"understudy.local/base/{name}:{recipe}"


def build_base(
    name: str,
    *,
    store: Store,
    steps: StepRunner,
    progress: Callable[[BuildEvent], None],
    rebuild: bool = False,
) -> Image:
    """Returns the stand-in base `name`, building it when the store does not have it.

    Args:
        name: one of `NAMES`.
        store: receives the image under `tag(name)` and `understudy.local/base/NAME:latest`.
        steps: compiles the bytecode with the image's own interpreter.
        progress: receives what happens.
        rebuild: whether it is built although it is there.

    Raises:
        UnderstudyError: no such base, no connection, or another machine than x86-64.
    """
    _check(name)
    store.root.mkdir(parents=True, exist_ok=True)
    with store.session(), locks.exclusive(store.root / f"base-{name}.lock"):
        wanted = tag(name)
        if rebuild or wanted not in store.tags():
            image = _built(name, store, steps, progress)
            for old in store.tags():
                if old.startswith(wanted.rpartition(":")[0] + ":"):
                    store.untag(old)
            store.tag(wanted, image.digest)
        else:
            image = store.image(wanted)
        store.tag(f"understudy.local/base/{name}:latest", image.digest)
        return image


def _built(name: str, store: Store, steps: StepRunner, progress: Callable[[BuildEvent], None]) -> Image:
    with build_space.workspace(store) as space:
        root = space / "root"
        root.mkdir()
        root.chmod(0o755)
        chosen = lock.load()
        progress(Work(message=f"unpacking {len(chosen.packages)} Debian packages and awslambdaric"))
        _packages(chosen, root, progress)
        assemble.finish(root)
        progress(Work(message="compiling the standard library"))
        upper = _compiled(root, space, steps)
        entries = [*diff.overlay_entries(root, epoch=EPOCH), *diff.overlay_entries(upper, epoch=EPOCH)]
        descriptor, diff_id = layers.write_layer(store, entries, epoch=EPOCH)
    return _image(name, store, CachedLayer(descriptor=descriptor, diff_id=diff_id))


def _packages(chosen: Lock, root: Path, progress: Callable[[BuildEvent], None]) -> None:
    """Takes the locked versions; the suite's present ones where no mirror has a locked one any more."""
    try:
        _unpacked(chosen, chosen.packages, root)
    except fetch.PackageGoneError as gone:
        newer = _newer(chosen, gone)
        progress(Notice(message=f"{gone.message}; taking Debian's present versions, another digest follows"))
        shutil.rmtree(root)
        root.mkdir()
        root.chmod(0o755)
        _unpacked(chosen, newer, root)


def _unpacked(chosen: Lock, wanted: Sequence[Package], root: Path) -> None:
    """Unpacks pip first: the runtime interface client is installed while the rest follows."""
    with concurrent.futures.ThreadPoolExecutor(1, "client") as pool:
        job: concurrent.futures.Future[None] | None = None
        for package, data in fetch.packages(chosen, sorted(wanted, key=lambda item: item.name != _PIP)):
            assemble.unpack(data, root)
            if package.name == _PIP:
                job = pool.submit(_client, chosen, root)
        if job is not None:
            job.result()


def _newer(chosen: Lock, gone: fetch.PackageGoneError) -> list[Package]:
    try:
        return lock.current([item.name for item in chosen.packages], fetch.read)
    except (httpx.HTTPError, KeyError, ValueError) as exc:
        raise gone from exc


def _client(chosen: Lock, root: Path) -> None:
    """Installs the runtime interface client with pip, so that pip's own settings reach its index.

    Raises:
        EnvironmentProblemError: the index cannot be reached, or has other wheels.
    """
    requirements = root.parent / "requirements.txt"
    requirements.write_text(chosen.requirements)
    command = [
        *(sys.executable, f"{assemble.pip_wheel(root)}/pip", "install", "--quiet", "--no-deps"),
        *("--require-hashes", "--no-compile", "--no-cache-dir", "--only-binary=:all:"),
        *("--disable-pip-version-check", "--root-user-action=ignore", "--no-warn-script-location"),
        *("--python-version", "3.13", "--implementation", "cp", "--abi", "cp313"),
        *("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"),
        *("--target", str(root / layout.RUNTIME), "--requirement", str(requirements)),
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        last = " ".join(done.stderr.split()[-60:])
        raise EnvironmentProblemError(
            "base-client-missing",
            f"awslambdaric cannot be installed from the package index: {last}",
            hint=f"check that {sys.executable} -m pip download awslambdaric works here",
            retryable=True,
        )
    assemble.settle(root / layout.RUNTIME)


def _compiled(root: Path, space: Path, steps: StepRunner) -> Path:
    upper, work = space / "upper", space / "work"
    upper.mkdir()
    upper.chmod(0o755)
    work.mkdir()
    output: list[bytes] = []
    step = Step(
        lower=(root,),
        upper=upper,
        work=work,
        argv=("/bin/sh", "-c", _COMPILE),
        env={"PATH": dict(layout.ENV)["PATH"], "PYTHONHASHSEED": "0", "HOME": "/"},
        working_dir="/",
        user="",
        network=False,
    )
    status = steps.run(step, output.append)
    if status != 0:
        text = b"".join(output).decode("utf-8", "replace")
        raise StepFailedError(
            f"compiling the base's standard library ended with exit status {status}: {text[-500:]}",
            hint="run ./understudy doctor, which says what this machine's sandbox lacks",
            where="base python3.13",
            status=status,
            last_lines=text.splitlines()[-40:],
        )
    return upper


def _image(name: str, store: Store, layer: CachedLayer) -> Image:
    config = ImageConfig(
        architecture="amd64",
        os="linux",
        env=layout.ENV,
        entrypoint=layout.ENTRYPOINT,
        working_dir=layout.WORKING_DIR,
        labels={STAND_IN_LABEL: NAMES[name]},
        diff_ids=(layer.diff_id,),
        history=(
            HistoryEntry(created=_CREATED, created_by=f"understudy base build {name}", comment="understudy"),
        ),
        created=_CREATED,
    )
    return store.image(kit.stored(store, config, [layer]).digest)


def _check(name: str) -> None:
    if name not in NAMES:
        raise UnderstudyError(
            "base-unknown",
            f"base {name!r} cannot be built; known is {', '.join(NAMES)}",
            hint=f"./understudy base build {next(iter(NAMES))}",
        )
    if os.uname().machine != _MACHINE:
        raise EnvironmentProblemError(
            "base-architecture",
            f"base {name} is for {_MACHINE}, this machine is {os.uname().machine}",
            hint="pull public.ecr.aws/lambda/python:3.13 for this machine and build FROM it",
        )


def _source(name: str) -> bytes:
    return Path(__file__).with_name(name).read_bytes()
