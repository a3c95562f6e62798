"""Which way to BuildKit a client has, told by what it answers."""

from pathlib import Path

import pytest

from understudy.errors import EnvironmentProblemError
from understudy.image.docker import client


def put_docker(folder: Path, version: str, *, buildx: str = "", engine: str = "") -> dict[str, str]:
    """A docker command that answers as told; `engine` is what a missing engine lets it say."""
    lines = ["#!/bin/sh", 'case "$1" in']
    answer = f"echo '{engine}' >&2; exit 1" if engine else f"echo '{version} 20.10'"
    lines.append(f"version) {answer};;")
    lines.append(f"buildx) echo '{buildx}';;" if buildx else "buildx) exit 1;;")
    lines += ["context) echo desktop;;", "esac"]
    command = folder / "docker"
    command.write_text("\n".join(lines))
    command.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("buildx", "attestations"),
    [
        ("github.com/docker/buildx v0.13.1 788433953", ["--provenance=false", "--sbom=false"]),
        ("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3", ["--provenance=false", "--sbom=false"]),
        ("github.com/docker/buildx v0.9.1 ed00243a", []),
    ],
)
def test_buildx_makes_one_manifest_in_the_contexts_own_builder(
    tmp_path: Path, buildx: str, attestations: list[str]
) -> None:
    docker = client.find(put_docker(tmp_path, "28.2.2", buildx=buildx))
    assert docker.build_command()[1:] == ["buildx", "build", "--builder", "desktop", "--load", *attestations]


def test_an_old_client_builds_itself(tmp_path: Path) -> None:
    assert client.find(put_docker(tmp_path, "20.10.24+dfsg1")).build_command()[1:] == ["build"]


def test_a_new_client_without_buildx_is_told_which_package(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        client.find(put_docker(tmp_path, "28.2.2"))
    assert caught.value.code == "docker-buildx-missing"
    assert "docker-buildx-plugin" in caught.value.hint


@pytest.mark.parametrize(
    ("says", "hint"),
    [
        ("Cannot connect to the Docker daemon", "sudo systemctl start docker"),
        ("permission denied while trying to connect", "usermod -aG docker"),
    ],
)
def test_an_engine_that_does_not_answer(tmp_path: Path, says: str, hint: str) -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        client.find(put_docker(tmp_path, "28.2.2", engine=says))
    assert caught.value.code == "docker-unreachable"
    assert says in caught.value.message
    assert hint in caught.value.hint


def test_no_client_at_all(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        client.find({"PATH": str(tmp_path)})
    assert caught.value.code == "docker-missing"
