from pathlib import Path

import pytest

from tests.fakes import project
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets import built


def test_each_image_has_the_digest_of_its_last_build(tmp_path: Path) -> None:
    workspace = project.make(tmp_path)
    image = project.image(workspace)
    assert built.digests(workspace, Store(workspace.layout.store)) == {"shop": image.digest}


def test_an_image_that_was_not_built_comes_with_the_command(tmp_path: Path) -> None:
    workspace = project.make(tmp_path)
    with pytest.raises(UnderstudyError, match="has not been built") as raised:
        built.digests(workspace, Store(workspace.layout.store).open())
    assert raised.value.hint == "./understudy build shop"
