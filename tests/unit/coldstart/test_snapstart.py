from pathlib import Path

import pytest

from understudy.coldstart import snapstart
from understudy.coldstart.model import Subject
from understudy.coldstart.snapstart import Eligibility
from understudy.image.rootfs import Rootfs
from understudy.image.rootfs_view import RootfsView
from understudy.sandbox.model import SandboxSpec

AWS = "/lambda-entrypoint.sh"
ALLOWED = {"com.amazonaws.lambda.feature.snapstart": "Allow"}


@pytest.mark.parametrize(
    ("python", "entrypoint", "labels", "has_hooks"),
    [
        ("python3.13", AWS, {}, True),
        ("python3.12", AWS, {}, True),
        ("python3.11", AWS, {}, False),
        ("python3.11", AWS, ALLOWED, True),
        ("python3.13", "/usr/bin/python3", {}, False),
        ("python3.13", "/usr/bin/python3", ALLOWED, True),
        ("", AWS, {}, False),
    ],
)
def test_aws_s_bases_from_3_12_on_and_labelled_images_qualify(
    tmp_path: Path, python: str, entrypoint: str, labels: dict[str, str], has_hooks: bool
) -> None:
    (tmp_path / "var/lang/lib" / python).mkdir(parents=True)
    (tmp_path / "var/runtime").mkdir()
    (tmp_path / "var/runtime/bootstrap").touch()
    rootfs = Rootfs(layers=(tmp_path,))
    spec = SandboxSpec(
        rootfs=rootfs, entrypoint=(entrypoint,), command=(), working_dir="", environment={}, ephemeral_mb=1024
    )
    subject = Subject(
        image="shop", digest="", function="shop", spec=spec, event=b"", event_name="", labels=labels
    )

    found = snapstart.of(RootfsView(rootfs), subject)

    assert found == Eligibility(has_hooks=has_hooks, ephemeral_mb=1024)


def test_an_entrypoint_of_that_name_without_aws_s_runtime_is_not_aws_s(tmp_path: Path) -> None:
    (tmp_path / "var/lang/lib/python3.13").mkdir(parents=True)
    rootfs = Rootfs(layers=(tmp_path,))
    spec = SandboxSpec(rootfs=rootfs, entrypoint=(AWS,), command=(), working_dir="", environment={})
    subject = Subject(image="shop", digest="", function="shop", spec=spec, event=b"", event_name="")

    assert not snapstart.of(RootfsView(rootfs), subject).has_hooks


def test_one_that_qualifies_is_told_how_to_turn_it_on_and_what_it_costs() -> None:
    found = snapstart.suggestion(Eligibility(has_hooks=True, ephemeral_mb=512))

    assert (found.saves_ms, found.per_request) == (None, False)
    assert "takes this image" in found.what
    assert "billed" in found.what
    assert "snapStart: {applyOn: PublishedVersions}" in found.fix


def test_one_that_does_not_is_told_every_reason_with_its_remedy() -> None:
    found = snapstart.suggestion(Eligibility(has_hooks=False, ephemeral_mb=1024))
    small = snapstart.suggestion(Eligibility(has_hooks=True, ephemeral_mb=1024))

    assert "its base is not AWS's for Python 3.12 or later; 1024 MB of ephemeral storage" in found.what
    assert 'LABEL com.amazonaws.lambda.feature.snapstart="Allow"' in found.fix
    assert small.fix == "ephemeralStorage.size: 512"
    assert small.saves_ms is None
