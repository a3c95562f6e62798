"""A store with the stand-in base, built once per test run; every test gets a copy made of links."""

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

from understudy.image import base, rootfs
from understudy.image.model import Image
from understudy.image.store import Store
from understudy.sandbox.steps import NamespaceStepRunner

NAME = "python3.13"


@functools.cache
def runner() -> NamespaceStepRunner:
    """Returns the real step runner, one for the whole run."""
    folder = Path(tempfile.mkdtemp(prefix="understudy-steps-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    found = NamespaceStepRunner(folder)
    atexit.register(found.close)
    return found


@functools.cache
def _built() -> Store:
    folder = Path(tempfile.mkdtemp(prefix="understudy-base-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Store(folder / "store").open()
    image = base.build_base(NAME, store=store, steps=runner(), progress=lambda _: None)
    rootfs.prepare(store, image.digest)
    return store


def with_base(folder: Path) -> tuple[Store, Image]:
    """Returns a store below `folder` that has the base."""
    source = _built()
    shutil.copytree(source.root, folder / "store", symlinks=True, copy_function=_link)
    store = Store(folder / "store").open()
    return store, store.image(base.tag(NAME))


def _link(source: str, target: str) -> None:
    if Path(source).suffix in {".json", ".lock"}:
        shutil.copy2(source, target)
    else:
        os.link(source, target, follow_symlinks=False)
