import errno
from pathlib import Path

import pytest

from tests.fakes.docker_engine import FakeDockerEngine
from tests.unit.verify.samples import docker_save, file, write_tar
from understudy.errors import EnvironmentProblemError
from understudy.verify import subject
from understudy.verify.sources import engine
from understudy.verify.sources.engine import DockerCommand, DockerEngine, EngineUnreachableError
from understudy.verify.sources.model import ImageNotFoundError

ADDRESS = "unix:///var/run/docker.sock"


def archive(tmp_path: Path) -> bytes:
    return write_tar(tmp_path / "made.tar", docker_save([file("a", b"1")])).read_bytes()


def engine_of(fake: FakeDockerEngine) -> DockerEngine:
    return DockerEngine(ADDRESS, transport=fake.transport())


def test_an_image_of_the_engine_is_an_export(tmp_path: Path) -> None:
    fake = FakeDockerEngine({"team/app:1": archive(tmp_path)})
    spool = tmp_path / "spool"
    with engine.open_image("docker://x", "team/app:1", engine_of(fake), "linux/amd64", spool) as source:
        assert (source.reference, source.exported) == ("docker://x", True)
        assert subject.load(source).files.read("/a") == b"1"
        assert list(spool.iterdir()) == []
    assert fake.requests == ["/images/team/app:1/get"]


def test_says_whether_the_engine_has_an_image() -> None:
    local = engine_of(FakeDockerEngine({"app:latest": b""}))
    assert not local.has("other")
    assert engine_of(FakeDockerEngine({"app:latest": b"x"})).has("app")


def test_an_image_that_is_not_there_names_the_next_command(tmp_path: Path) -> None:
    local = engine_of(FakeDockerEngine({}))
    with (
        pytest.raises(ImageNotFoundError, match="No such image: app:1") as caught,
        engine.open_image("docker://app:1", "app:1", local, "linux/amd64", tmp_path),
    ):
        pass
    assert caught.value.hint == "docker pull app:1, or docker images for what it has"


@pytest.mark.parametrize("fault", ["down", "cut"])
def test_an_engine_that_is_not_there_or_stops_is_the_environments_fault(tmp_path: Path, fault: str) -> None:
    local = engine_of(
        FakeDockerEngine({"app:1": archive(tmp_path)}, down=fault == "down", cut=fault == "cut")
    )
    with (
        pytest.raises(EngineUnreachableError) as caught,
        engine.open_image("docker://app:1", "app:1", local, "linux/amd64", tmp_path / "spool"),
    ):
        pass
    assert isinstance(caught.value, EnvironmentProblemError)
    assert caught.value.hint == "sudo systemctl start docker"


def test_a_socket_that_refuses_us_has_another_hint() -> None:
    assert "usermod" in engine.unreachable(ADDRESS, "[Errno 13] Permission denied").hint


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        pytest.param({"DOCKER_HOST": "unix:///run/user/1000/docker.sock"}, DockerEngine, id="socket"),
        pytest.param({"DOCKER_HOST": "tcp://127.0.0.1:2375"}, DockerEngine, id="tcp"),
        pytest.param({"DOCKER_HOST": "ssh://host"}, DockerCommand, id="ssh"),
        pytest.param({}, DockerCommand, id="no socket"),
    ],
)
def test_docker_host_says_how_the_engine_is_reached(
    tmp_path: Path, environment: dict[str, str], kind: type
) -> None:
    assert isinstance(engine.from_environment(environment, usual=f"unix://{tmp_path}/none"), kind)


def test_the_usual_socket_is_taken_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "docker.sock").write_bytes(b"")
    found = engine.from_environment({}, usual=f"unix://{tmp_path}/docker.sock")
    assert isinstance(found, DockerEngine)


def test_without_a_command_there_is_no_engine(tmp_path: Path) -> None:
    nothing = DockerCommand({"PATH": str(tmp_path)})
    with pytest.raises(EngineUnreachableError):
        nothing.has("app")
    with pytest.raises(EngineUnreachableError):
        nothing.save("app", lambda _: None)


def command(tmp_path: Path, script: str) -> DockerCommand:
    path = tmp_path / "bin" / "docker"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return DockerCommand({"PATH": f"{path.parent}:/usr/bin:/bin"})


def test_the_command_is_asked_like_the_engine(tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_bytes(archive(tmp_path))
    local = command(tmp_path, f'case "$2" in inspect) exit 0;; save) cat {tmp_path}/image.tar;; esac')
    assert local.has("app:1")
    with engine.open_image("docker://app:1", "app:1", local, "linux/amd64", tmp_path / "spool") as source:
        assert subject.load(source).files.read("/a") == b"1"


def test_what_the_command_says_is_told(tmp_path: Path) -> None:
    local = command(
        tmp_path,
        'case "$2" in\n'
        'inspect) echo "Error response from daemon: No such image: app:1" >&2;;\n'
        'save) echo "Error: reference does not exist" >&2;;\nesac\nexit 1',
    )
    assert not local.has("app:1")
    with pytest.raises(ImageNotFoundError, match="reference does not exist"):
        local.save("app:1", lambda _: None)


def test_a_command_without_an_engine_says_so(tmp_path: Path) -> None:
    local = command(tmp_path, 'echo "Cannot connect to the Docker daemon" >&2; exit 1')
    with pytest.raises(EngineUnreachableError, match="Cannot connect"):
        local.has("app:1")


def test_a_full_disk_ends_the_command(tmp_path: Path) -> None:
    local = command(tmp_path, "exec cat /dev/zero")

    def full(data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        local.save("app:1", full)
