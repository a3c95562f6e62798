from pathlib import Path

import pytest

from understudy.image.rootfs import Rootfs
from understudy.image.rootfs_view import RootfsView
from understudy.sandbox import prologue
from understudy.sandbox.model import SandboxSpec

LIBRARY = "/usr/lib/python3.13"


def view(tmp_path: Path, **texts: str) -> RootfsView:
    for path in (f"{LIBRARY}/encodings/__init__.py", *texts):
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(texts.get(path, ""))
    return RootfsView(Rootfs(layers=(tmp_path,)))


def spec(**environment: str) -> SandboxSpec:
    return SandboxSpec(
        rootfs=Rootfs(layers=()),
        entrypoint=("/usr/bin/python3",),
        command=(),
        working_dir="",
        environment=environment,
    )


def test_the_program_is_laid_where_the_interpreter_looks_first(tmp_path: Path) -> None:
    assert prologue.files(view(tmp_path), spec(), "X = 1\n") == {f"{LIBRARY}/sitecustomize.py": "X = 1\n"}


@pytest.mark.parametrize("folder", [LIBRARY, "/opt/hooks"])
def test_one_that_the_image_has_runs_after_it(tmp_path: Path, folder: str) -> None:
    place = f"{folder}/sitecustomize.py"
    found = prologue.files(view(tmp_path, **{place: "Y = X + 1\n"}), spec(PYTHONPATH="/opt/hooks"), "X = 1\n")

    names: dict[str, int] = {}
    exec(found[place], names)
    assert (names["X"], names["Y"]) == (1, 2)


def test_an_image_without_python_gets_no_file(tmp_path: Path) -> None:
    assert prologue.files(RootfsView(Rootfs(layers=(tmp_path,))), spec(), "X = 1\n") == {}
