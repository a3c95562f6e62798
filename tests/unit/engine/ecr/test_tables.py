"""Rows outlive the process and keep their relations."""

from dataclasses import replace
from pathlib import Path

import pytest

from understudy.engine.ecr.model import ExclusionFilter, ImageRecord, Registry, Repository
from understudy.engine.ecr.tables import Tables
from understudy.engine.state import State

FULL = Repository(
    registry=Registry(account_id="111111111111", region="eu-west-1"),
    name="team/app",
    created_at=5.5,
    mutability="IMMUTABLE_WITH_EXCLUSION",
    exclusions=(ExclusionFilter(pattern="latest"),),
    scan_on_push=True,
    encryption={"encryptionType": "KMS", "kmsKey": "alias/x"},
    policy="{}",
    lifecycle_policy="{}",
    lifecycle_evaluated_at=7.0,
    tags={"a": "b"},
)
IMAGE = ImageRecord(
    digest="sha256:1",
    media_type="m",
    size_bytes=3,
    pushed_at=1.0,
    artifact_type="c",
    subject="s",
    children=("x",),
)


def opened(path: Path) -> tuple[State, Tables]:
    state = State(path / "db").open()
    tables = Tables(state)
    tables.open()
    return state, tables


def test_a_restart_finds_everything_again(tmp_path: Path) -> None:
    state, tables = opened(tmp_path)
    assert tables.insert_repository(FULL)
    stored = tables.repository(FULL.registry, FULL.name)
    assert stored is not None
    tables.insert_image(stored, IMAGE)
    tables.set_tag(stored, "v1", IMAGE.digest)
    tables.record_pull(stored, IMAGE.digest, 9.0)
    tables.link_blobs(stored, ["sha256:b"], 1.0)
    tables.insert_upload(stored, "up", 1.0)
    tables.set_preview(stored, "text")
    state.close()
    state, tables = opened(tmp_path)
    again = tables.repository(FULL.registry, FULL.name)
    assert again == replace(FULL, key=stored.key)
    assert tables.images(again) == [replace(IMAGE, pulled_at=9.0, tags=("v1",))]
    assert (tables.linked(again, "sha256:b"), tables.has_upload(again, "up"), tables.preview(again)) == (
        True,
        True,
        "text",
    )
    state.close()


def test_a_name_is_taken_per_account_and_region(tmp_path: Path) -> None:
    state, tables = opened(tmp_path)
    assert tables.insert_repository(FULL)
    assert not tables.insert_repository(FULL)
    assert tables.insert_repository(replace(FULL, registry=Registry()))
    assert [each.name for each in tables.repositories(Registry())] == ["team/app"]
    assert len(tables.repositories()) == 2
    state.close()


def test_deleting_takes_what_belongs_to_it(tmp_path: Path) -> None:
    state, tables = opened(tmp_path)
    tables.insert_repository(FULL)
    repository = tables.repositories()[0]
    tables.insert_image(repository, IMAGE)
    tables.set_tag(repository, "v1", IMAGE.digest)
    tables.delete_image(repository, IMAGE.digest)
    assert tables.tagged(repository, "v1") is None
    tables.insert_image(repository, IMAGE)
    tables.insert_upload(repository, "up", 1.0)
    tables.delete_repository(repository)
    assert tables.manifests() == frozenset()
    assert tables.delete_uploads_before(99) == []
    state.close()


def test_a_second_push_keeps_the_time_of_the_first(tmp_path: Path) -> None:
    state, tables = opened(tmp_path)
    tables.insert_repository(FULL)
    repository = tables.repositories()[0]
    tables.insert_image(repository, IMAGE)
    tables.insert_image(repository, replace(IMAGE, pushed_at=50.0))
    assert tables.images(repository, IMAGE.digest)[0].pushed_at == pytest.approx(1.0)
    state.close()
