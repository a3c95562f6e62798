"""Which executor is taken, and what is said of one that is not there."""

from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.sandbox import NamespaceExecutor, executors
from understudy.sandbox.docker.executor import DockerExecutor


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "namespaces"),
        ({executors.VARIABLE: ""}, "namespaces"),
        ({executors.VARIABLE: "docker"}, "docker"),
    ],
)
def test_the_variable_chooses(environment: dict[str, str], name: str) -> None:
    assert executors.chosen(environment) == name


def test_an_unknown_executor_is_refused_by_name() -> None:
    with pytest.raises(UnderstudyError, match="'podman', expected namespaces or docker") as caught:
        executors.chosen({executors.VARIABLE: "podman"})
    assert caught.value.code == "executor-unknown"


def test_makes_the_one_that_was_chosen(tmp_path: Path) -> None:
    assert isinstance(executors.make("docker", tmp_path), DockerExecutor)
    assert isinstance(executors.make("namespaces", tmp_path), NamespaceExecutor)
