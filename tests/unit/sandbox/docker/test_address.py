"""The Docker engine that is talked to is the one that the ``docker`` command would talk to."""

import hashlib
import json
from pathlib import Path

import pytest

from understudy.errors import EnvironmentProblemError
from understudy.sandbox.docker import address


def test_docker_host_wins_over_every_context(tmp_path: Path) -> None:
    found = address.find({"DOCKER_HOST": "unix:///x.sock", "DOCKER_CONTEXT": "other"}, tmp_path)
    assert (found.socket, found.url) == ("/x.sock", "http://docker")


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"DOCKER_HOST": "tcp://10.0.0.1:2375"}, "http://10.0.0.1:2375"),
        ({"DOCKER_HOST": "tcp://docker"}, "http://docker:2375"),
        ({"DOCKER_HOST": "tcp://docker", "DOCKER_TLS_VERIFY": "1"}, "https://docker:2376"),
        ({"DOCKER_HOST": "tcp://docker:1", "DOCKER_TLS_VERIFY": "1"}, "https://docker:1"),
    ],
)
def test_tcp_has_its_usual_ports(tmp_path: Path, environment: dict[str, str], url: str) -> None:
    assert address.find(environment, tmp_path).url == url


@pytest.mark.parametrize(("scheme", "hint"), [("ssh", "ssh -fnNT -L"), ("npipe", "WSL 2"), ("fd", "export")])
def test_refuses_what_it_does_not_speak_with_a_way_out(tmp_path: Path, scheme: str, hint: str) -> None:
    with pytest.raises(EnvironmentProblemError, match="neither unix:// nor tcp://") as caught:
        address.find({"DOCKER_HOST": f"{scheme}://user@host"}, tmp_path)
    assert hint in caught.value.hint


def context(home: Path, name: str, document: object) -> None:
    folder = home / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps(document))


def test_the_current_context_names_the_engine(tmp_path: Path) -> None:
    context(tmp_path, "colima", {"Endpoints": {"docker": {"Host": "unix:///colima.sock"}}})
    (tmp_path / ".docker/config.json").write_text('{"currentContext": "colima"}')
    assert address.find({}, tmp_path).socket == "/colima.sock"
    assert address.find({"DOCKER_CONTEXT": "default"}, tmp_path).socket != "/colima.sock"


def test_certificates_of_a_context_are_used(tmp_path: Path) -> None:
    context(tmp_path, "far", {"Endpoints": {"docker": {"Host": "tcp://far:2376"}}})
    folder = tmp_path / ".docker/contexts/tls" / hashlib.sha256(b"far").hexdigest() / "docker"
    folder.mkdir(parents=True)
    found = address.find({"DOCKER_CONTEXT": "far"}, tmp_path)
    assert (found.certificates, found.url) == (folder, "https://far:2376")


@pytest.mark.parametrize("document", [{}, {"Endpoints": []}, {"Endpoints": {"docker": {}}}])
def test_a_context_without_an_engine_is_named(tmp_path: Path, document: object) -> None:
    context(tmp_path, "empty", document)
    with pytest.raises(EnvironmentProblemError, match="context empty names no engine"):
        address.find({"DOCKER_CONTEXT": "empty"}, tmp_path)


def test_a_socket_of_the_user_is_found(tmp_path: Path) -> None:
    (tmp_path / "docker.sock").touch()
    found = address.find({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path).socket
    assert found in {"/var/run/docker.sock", str(tmp_path / "docker.sock")}
