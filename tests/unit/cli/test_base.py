import json
import tarfile
from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.unit.cli.conftest import Understudy
from understudy.targets import images
from understudy.targets.workspace import Workspace


def test_prints_the_digest_of_the_base(
    understudy: Understudy, project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = projects.image(project)
    asked: list[str] = []
    monkeypatch.setattr(images, "build_base", lambda name, **_: asked.append(name) or image)

    text, document = understudy("base", "build"), understudy("base", "build", "-o", "json")

    assert (text.exit_code, text.stdout) == (0, f"{image.digest}\n")
    assert json.loads(document.stdout) == {
        "name": "python3.13",
        "digest": image.digest,
        "size_bytes": image.size_bytes,
    }
    assert asked == ["python3.13", "python3.13"]


def test_an_unknown_base_names_the_known_ones(understudy: Understudy, project: Workspace) -> None:
    done = understudy("base", "build", "python9")

    assert done.exit_code == 1
    assert "error[base-unknown]" in done.stderr
    assert "python3.13" in done.stderr


def test_writes_what_docker_loads(
    understudy: Understudy, project: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = projects.image(project)
    monkeypatch.setattr(images, "build_base", lambda _name, **_: image)

    done = understudy("base", "build", "--archive", str(tmp_path / "base.tar"))

    assert (done.exit_code, done.stdout) == (0, f"{image.digest}\n")
    with tarfile.open(tmp_path / "base.tar") as archive:
        [told] = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert told["RepoTags"] == ["understudy.local/base/python3.13:latest"]
