"""Images are loaded once, with the layers that Docker lacks, and few are kept."""

import dataclasses
from pathlib import Path

import pytest

from tests.fakes.docker_containers import FakeDocker
from understudy.errors import UnderstudyError
from understudy.image.rootfs import PackedLayer, Rootfs
from understudy.sandbox.docker.images import Images
from understudy.sandbox.model import SandboxSpec


@pytest.fixture
def spec(tmp_path: Path) -> SandboxSpec:
    packed = []
    for number in range(2):
        (tmp_path / f"layer{number}").mkdir()
        (tmp_path / f"blob{number}").write_bytes(b"x")
        packed.append(PackedLayer(diff_id=f"sha256:{number}", path=tmp_path / f"blob{number}"))
    root = Rootfs(layers=(tmp_path / "layer0", tmp_path / "layer1"), packed=tuple(packed))
    return SandboxSpec(rootfs=root, entrypoint=(), command=(), working_dir="", environment={})


async def opened(docker: FakeDocker) -> Images:
    api = docker.api()
    await api.open()
    return Images(api, "amd64")


def other(spec: SandboxSpec, number: int) -> SandboxSpec:
    return dataclasses.replace(spec, files={"/x": str(number)})


async def test_an_image_is_loaded_once(spec: SandboxSpec) -> None:
    docker = FakeDocker()
    images = await opened(docker)
    assert await images.ensure(spec) == await images.ensure(spec)
    assert await (await opened(docker)).ensure(spec) in docker.images
    assert docker.loads == [["0.tar", "1.tar", "2.tar"]]


async def test_layers_that_the_engine_has_are_not_sent_again(spec: SandboxSpec) -> None:
    docker = FakeDocker()
    images = await opened(docker)
    await images.ensure(spec)
    await images.ensure(other(spec, 1))
    assert docker.loads[1] == ["2.tar"]
    above = PackedLayer(diff_id="sha256:new", path=spec.rootfs.packed[1].path)
    changed = dataclasses.replace(spec.rootfs, packed=(spec.rootfs.packed[0], above))
    await images.ensure(dataclasses.replace(spec, rootfs=changed))
    assert docker.loads[2] == ["1.tar", "2.tar"]


async def test_an_engine_that_wants_every_layer_gets_them(spec: SandboxSpec) -> None:
    docker = FakeDocker(wants_all=True)
    images = await opened(docker)
    await images.ensure(spec)
    await images.ensure(other(spec, 1))
    assert docker.loads[1:] == [["2.tar"], ["0.tar", "1.tar", "2.tar"]]
    assert len(docker.images) == 2


async def test_the_newest_are_kept_and_one_in_use(spec: SandboxSpec) -> None:
    docker = FakeDocker()
    images = await opened(docker)
    names = [await images.ensure(other(spec, number)) for number in range(3)]
    docker.refusals = {f"/images/{names[0]}": "container is using it"}
    names += [await images.ensure(other(spec, number)) for number in range(3, 12)]
    assert list(docker.images) == [names[0], *names[-8:]]


async def test_a_removed_image_is_loaded_again(spec: SandboxSpec) -> None:
    docker = FakeDocker()
    images = await opened(docker)
    name = await images.ensure(spec)
    docker.images.clear()
    images.forget(name)
    assert await images.ensure(spec) in docker.images


@pytest.mark.parametrize("gone", ["packed", "unpacked"])
async def test_a_layer_that_went_meanwhile_is_to_be_tried_again(spec: SandboxSpec, gone: str) -> None:
    if gone == "packed":
        spec.rootfs.packed[1].path.unlink()
    else:
        spec.rootfs.layers[1].rmdir()
    with pytest.raises(UnderstudyError, match="removed meanwhile") as caught:
        await (await opened(FakeDocker())).ensure(spec)
    assert caught.value.retryable
