from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.fakes.project import RECORD
from tests.unit.targets.test_target import PROJECT
from understudy.errors import UnderstudyError
from understudy.targets import local_engine, record
from understudy.targets.record import AlreadyRunningError
from understudy.targets.up_options import UpOptions
from understudy.targets.workspace import Workspace


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return projects.make(tmp_path / "project")


def test_the_stack_s_own_target_is_the_first_of_type_local() -> None:
    assert local_engine.name_of(PROJECT) == "local"


def test_a_project_without_a_local_target_is_told() -> None:
    targets = {"preprod": PROJECT.targets["preprod"]}
    with pytest.raises(UnderstudyError) as caught:
        local_engine.name_of(PROJECT.model_copy(update={"targets": targets}))
    assert caught.value.code == "target-missing"


def test_without_its_delegate_the_engine_is_not_launched_yet(project: Workspace) -> None:
    with local_engine.claimed(project, UpOptions(port=0)) as engine:
        assert not engine.is_alive()
        assert engine.endpoint is None
        assert record.is_running(project.layout)
    assert not record.is_running(project.layout)


def test_a_second_stack_of_the_project_is_refused_and_the_first_lives_on(project: Workspace) -> None:
    with local_engine.claimed(project, UpOptions(port=0)):
        record.write(project.layout, RECORD)
        with (
            pytest.raises(AlreadyRunningError),
            local_engine.claimed(project, UpOptions(port=0)),
        ):
            pass
        assert record.read(project.layout) == RECORD
