"""Build steps and the development server's process in real namespaces."""

import json
import os
from typing import Any

import pytest

from tests.fakes.runtime_root import Place

IDENTITIES = [0, 65534] if os.geteuid() == 0 else [os.geteuid()]


@pytest.fixture(scope="module")
def place(sandbox_place: Place) -> Place:
    return sandbox_place


@pytest.fixture(scope="module", params=IDENTITIES, ids=lambda uid: "root" if uid == 0 else "unprivileged")
def steps(request: pytest.FixtureRequest, place: Place) -> Any:
    return place.run(request.param, "steps")


def test_step_is_root_in_its_own_namespaces(steps: Any) -> None:
    seen = json.loads(steps["run"]["output"])
    assert seen["uid"] == 0
    assert seen["cwd"] == "/var"
    assert seen["hostname"] == "buildkitsandbox"
    assert seen["umask"] == "0o22"
    assert seen["pid"] == 2
    assert seen["sys"]
    assert seen["shm"]
    seen["env"].pop("LC_CTYPE", None)  # CPython sets it itself (PEP 538)
    assert seen["env"] == {"A": "b", "PATH": "/bin"}


def test_difference_is_in_overlay_form_and_nothing_else(steps: Any) -> None:
    assert steps["run"]["upper"] == {
        "etc": False,
        "etc/passwd": True,
        "made": False,
        "made/file": False,
        "var": False,
        "var/task": False,
        "var/task/moved": False,
        "var/task/noexec": True,
    }


def test_mounts_are_seen_and_not_kept(steps: Any) -> None:
    seen = json.loads(steps["run"]["output"])
    assert seen["secret"] == "s3cret"
    assert seen["forbidden"] == "Read-only file system"
    assert steps["run"]["cache"] == ["used"]


def test_step_has_the_hosts_network_or_loopback_alone(steps: Any) -> None:
    assert json.loads(steps["run"]["output"])["reach"] == "Connection refused"
    offline = json.loads(steps["offline"]["output"])
    assert offline["interfaces"] == ["lo"]
    assert offline["reach"] == "Connection refused"


@pytest.mark.parametrize(("name", "status"), [("status", 5), ("killed", 137), ("absent", 127), ("user", 0)])
def test_exit_status_is_the_shells(steps: Any, name: str, status: int) -> None:
    assert steps[name]["status"] == status


def test_absent_program_is_named(steps: Any) -> None:
    assert "not found on PATH" in steps["absent"]["output"]


@pytest.mark.parametrize("uid", IDENTITIES)
def test_program_in_the_image_sees_the_hosts_folder_and_ends_when_told(place: Place, uid: int) -> None:
    assert place.run(uid, "process") == {"status": 143, "output": "from the host\n"}
