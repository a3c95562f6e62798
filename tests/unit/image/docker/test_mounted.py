"""What RUN gets of this machine, and what it does not."""

from pathlib import Path

import pytest

from understudy.image.builder.env import Host
from understudy.image.docker import mounted


def host(root: Path, **environment: str) -> Host:
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True)
    bundle.write_text("the authorities")
    return Host(environment=environment, root=root)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    folder = tmp_path / "space"
    folder.mkdir()
    return folder


def test_certificates_and_pip_settings_are_secrets(tmp_path: Path, space: Path) -> None:
    found = mounted.secrets(host(tmp_path, PIP_INDEX_URL="https://u:p@index/simple"), space, "FROM a\n")
    assert [secret.target for secret in found] == ["/etc/understudy-ca.pem", "/etc/pip.conf"]
    assert found[0].source.read_text() == "the authorities"
    assert found[1].source.read_text().splitlines() == [
        "[global]",
        "index-url = https://u:p@index/simple",
        "cert = /etc/understudy-ca.pem",
    ]
    assert found[0].flags == ("--secret", f"id=understudy-ca,src={space}/ca.pem")
    assert mounted.mounts(found).count("--mount=type=secret,") == 2


def test_a_dockerfile_with_a_pip_conf_keeps_pip_to_itself(tmp_path: Path, space: Path) -> None:
    found = mounted.secrets(host(tmp_path), space, "FROM a\nCOPY pip.conf /etc/\n")
    assert [secret.target for secret in found] == ["/etc/understudy-ca.pem"]


def test_a_machine_without_anything_gives_nothing(tmp_path: Path, space: Path) -> None:
    found = mounted.secrets(Host(environment={}, root=tmp_path), space, "FROM a\n")
    assert found == ()
    assert mounted.mounts(found) == ""


def test_folders_of_this_machine_are_no_indexes() -> None:
    variables = {
        "PIP_FIND_LINKS": "/opt/wheels https://index/wheels",
        "PIP_EXTRA_INDEX_URL": "file:///opt/simple",
        "PIP_DEFAULT_TIMEOUT": "180",
    }
    assert mounted.pip_options(variables) == {"find-links": "https://index/wheels", "timeout": "180"}
