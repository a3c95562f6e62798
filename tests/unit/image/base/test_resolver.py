"""When FROM falls back to the stand-in, and when it must not."""

from pathlib import Path

import pytest

from tests.fakes.steps import FakeSteps
from understudy.image import base, reference
from understudy.image.base import FallbackResolver
from understudy.image.builder import STAND_IN_LABEL, BuildEvent, StandInUsed, Work, kit
from understudy.image.model import Image, ImageConfig
from understudy.image.reference import Ref
from understudy.image.registry import RegistryUnreachableError
from understudy.image.registry.errors import RegistryNotFoundError
from understudy.image.store import Store

AWS = "public.ecr.aws/lambda/python:3.13"
PLATFORM = "linux/amd64"


class World:
    """A store with a stand-in, a registry that can be switched off, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store").open()
        self.now = 1000.0
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.events: list[BuildEvent] = []
        self.stand_in = self._image("stand-in")
        self.store.tag(base.tag("python3.13"), self.stand_in.digest)

    def resolver(self, *, refresh: bool = False) -> FallbackResolver:
        return FallbackResolver(
            self.store,
            self._pull,
            FakeSteps(),
            progress=self.events.append,
            refresh=refresh,
            clock=lambda: self.now,
        )

    def switch_off(self) -> None:
        self.error = RegistryUnreachableError("registry-unreachable", "no answer", hint="check the network")

    def _pull(self, ref: Ref, platform: str) -> Image:
        self.asked.append(f"{ref} {platform}")
        if self.error is not None:
            raise self.error
        return self._image(str(ref))

    def _image(self, name: str) -> Image:
        config = ImageConfig(architecture="amd64", os="linux", labels={"name": name})
        return self.store.image(kit.stored(self.store, config, ()).digest)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_registry_s_image_is_used_and_kept(world: World) -> None:
    first = world.resolver().resolve(AWS, PLATFORM)
    again = world.resolver().resolve(AWS, PLATFORM)
    assert first.stand_in_for is None
    assert first.image.config.labels == {"name": AWS}
    assert again.image.digest == first.image.digest
    assert world.asked == [f"{AWS} {PLATFORM}"]


def test_refresh_asks_although_the_store_has_it(world: World) -> None:
    world.resolver().resolve(AWS, PLATFORM)
    world.resolver(refresh=True).resolve(AWS, PLATFORM)
    assert len(world.asked) == 2


def test_a_silent_registry_means_the_stand_in_and_says_so(world: World) -> None:
    world.switch_off()
    found = world.resolver().resolve(AWS, PLATFORM)
    assert found.image.digest == world.stand_in.digest
    assert found.stand_in_for == AWS
    assert [type(event) for event in world.events] == [Work, StandInUsed]


def test_a_silent_registry_is_not_asked_again_for_a_while(world: World) -> None:
    world.switch_off()
    resolver = world.resolver()
    resolver.resolve(AWS, PLATFORM)
    resolver.resolve(AWS, PLATFORM)
    world.resolver().resolve(AWS, PLATFORM)
    assert len(world.asked) == 1
    world.now += 1000
    world.error = None
    assert world.resolver().resolve(AWS, PLATFORM).stand_in_for is None


def test_other_images_raise_the_registry_s_error(world: World) -> None:
    world.switch_off()
    resolver = world.resolver()
    for ref in ("docker.io/library/debian:13", "public.ecr.aws/lambda/python:3.12"):
        with pytest.raises(RegistryUnreachableError):
            resolver.resolve(ref, PLATFORM)


def test_a_python_without_a_stand_in_is_told_which_has_one(world: World) -> None:
    world.switch_off()
    with pytest.raises(RegistryUnreachableError, match=f"a stand-in is known for {AWS} on {PLATFORM} alone"):
        world.resolver().resolve("public.ecr.aws/lambda/python:3.12", PLATFORM)


def test_an_answer_that_is_no_image_is_no_reason_for_a_stand_in(world: World) -> None:
    world.error = RegistryNotFoundError("registry-not-found", "gone", hint="name another tag")
    with pytest.raises(RegistryNotFoundError):
        world.resolver().resolve(AWS, PLATFORM)


@pytest.mark.parametrize(
    ("ref", "platform", "name"),
    [
        (AWS, PLATFORM, "python3.13"),
        ("public.ecr.aws/lambda/python:3.13-x86_64", PLATFORM, "python3.13"),
        ("public.ecr.aws/lambda/python:3.13.2025.06.10.15", PLATFORM, "python3.13"),
        ("amazon/aws-lambda-python:3.13", PLATFORM, "python3.13"),
        (AWS, "linux/arm64", None),
        ("public.ecr.aws/lambda/python:3.13-arm64", PLATFORM, None),
        ("public.ecr.aws/lambda/python:3.12", PLATFORM, None),
        ("public.ecr.aws/lambda/python", PLATFORM, None),
        ("public.ecr.aws/lambda/nodejs:3.13", PLATFORM, None),
        (f"{AWS}@sha256:{'0' * 64}", PLATFORM, None),
    ],
)
def test_what_the_stand_in_stands_in_for(ref: str, platform: str, name: str | None) -> None:
    assert base.stands_in_for(reference.parse(ref), platform) == name


def test_the_label_names_the_real_base() -> None:
    assert base.NAMES["python3.13"] == AWS
    assert STAND_IN_LABEL == "dev.understudy.base.stand-in-for"
