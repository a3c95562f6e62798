from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import image_files
from tests.unit.image.samples import file, image_of, store_at
from understudy.verify import trial
from understudy.verify.boot import Attempt, BootReport, Event, Outcome
from understudy.verify.model import Severity
from understudy.verify.sources import ImageSource
from understudy.verify.trial import Conditions, Trial

HEALTH = Event(name="GET /health", kind="web", payload=b"{}")
ANSWER = Outcome(event=HEALTH, verdict="answered", duration_ms=21.34, status_code=200)
STARTED = BootReport(
    constraints={"user": "993:990", "root": "read-only overlay"},
    attempts=(Attempt(phase="init", duration_ms=312.0),),
    outcomes=(ANSWER, replace(ANSWER, duration_ms=1.5)),
    peak_mb=61.53,
)


def judged(booted: BootReport, **launch: object) -> Trial:
    looked = image_files.subject(
        {"/var/task/handler.py": "def handler(event, context): return {}\n"}, function_name="f", **launch
    )
    return trial.judged(booted, looked)


def test_a_boot_that_answered_passes_with_its_figures() -> None:
    boot = judged(STARTED, memory_mb=512).boot
    assert boot is not None
    assert boot.passed
    assert (boot.init_ms, boot.first_request_ms, boot.second_request_ms) == (312.0, 21.34, 1.5)
    assert boot.peak_memory_mb == 61.5
    assert boot.constraints == ("user: 993:990", "root: read-only overlay")
    assert boot.observations[0] == ("GET /health", "answered 200, 21.3 ms")


def test_names_that_init_looked_up_are_told() -> None:
    boot = judged(replace(STARTED, names_at_init=("a.example", "b.example"))).boot
    assert boot is not None
    assert ("names looked up at init", "a.example, b.example") in boot.observations


def test_a_boot_that_never_asked_fails_and_says_why() -> None:
    error = Attempt(
        phase="init",
        duration_ms=90.0,
        error_type="Runtime.ImportModuleError",
        message="Unable to import module 'handler': No module named 'gone'",
    )
    found = judged(BootReport(attempts=(error,)))
    assert found.boot is not None
    assert not found.boot.passed
    assert next(one.severity for one in found.findings if one.source == "boot") is Severity.FAILS


def test_limits_are_judged_by_the_figures() -> None:
    found = judged(replace(STARTED, peak_mb=300.0), memory_mb=256)
    (memory,) = [one for one in found.findings if one.rule == "memory-below-peak"]
    assert memory.source == "boot"
    assert found.boot is not None
    assert not found.boot.passed


def test_without_a_boot_the_reason_is_told() -> None:
    found = judged(BootReport(skipped="the image is for arm64"))
    assert (found.boot, found.skipped) == (None, "the image is for arm64")


@pytest.mark.parametrize("damage", ["media-type", "content"])
def test_an_image_that_cannot_be_unpacked_is_not_booted(damage: str, tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    image = image_of(store, [file("a")])
    if damage == "media-type":
        layer = replace(image.manifest.layers[0], media_type="application/vnd.oci.image.layer.v1.tar+zstd")
        image = replace(image, manifest=replace(image.manifest, layers=(layer,)))
    else:
        store.path(image.manifest.layers[0].digest).write_bytes(b"no layer")
    source = ImageSource(reference="r", image=image, index=None, blobs=store)

    found = trial.run(source, image_files.subject(), Conditions(store=store, state=tmp_path), lambda _: None)

    assert found.boot is None
    assert found.skipped
