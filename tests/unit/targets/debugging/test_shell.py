from pathlib import Path

import pytest

from understudy.image.rootfs import Rootfs
from understudy.sandbox.model import SandboxSpec
from understudy.targets.debugging import shell


@pytest.mark.parametrize(
    ("files", "expected"),
    [(["bin/sh", "usr/bin/bash"], "/usr/bin/bash"), (["bin/sh"], "/bin/sh"), ([], "/bin/sh")],
)
def test_the_best_shell_of_the_image_is_taken(files: list[str], expected: str, tmp_path: Path) -> None:
    for path in files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    spec = SandboxSpec(
        rootfs=Rootfs(layers=(tmp_path,)), entrypoint=(), command=(), working_dir="/", environment={}
    )

    assert shell.shell_of(spec) == expected
