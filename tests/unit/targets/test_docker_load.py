import tarfile
from pathlib import Path

import pytest

from tests.unit.image import samples
from understudy.errors import EnvironmentProblemError
from understudy.targets import docker_load


def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts a docker command of this test, and nothing else of that name, into PATH."""
    path = tmp_path / "bin" / "docker"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")


def test_docker_is_given_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path, monkeypatch, f'[ "$*" = "load --quiet" ] && cat >{tmp_path}/loaded.tar')
    store = samples.store_at(tmp_path / "store")

    docker_load.load(store, samples.image_of(store, [samples.file("one")]), "base:latest")

    with tarfile.open(tmp_path / "loaded.tar") as archive:
        assert archive.getnames() == ["manifest.json", "config.json", "0.tar"]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_docker_lacks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    docker(tmp_path, monkeypatch, "echo cannot connect to the engine >&2; exit 1")
    if not is_there:
        monkeypatch.setenv("PATH", str(tmp_path))
    store = samples.store_at(tmp_path / "store")

    with pytest.raises(EnvironmentProblemError) as caught:
        docker_load.load(store, samples.image_of(store, [samples.file("one")]), "base:latest")

    assert caught.value.code == "docker-load"
    assert ("cannot connect" if is_there else "no docker command") in caught.value.message
