import shutil
from pathlib import Path

import pytest

from tests.fakes.lambda_world import World
from understudy.engine.ecr import Registry
from understudy.engine.functions.images import Images, ImageUnusableError
from understudy.engine.functions.model import FunctionId
from understudy.engine.protocol import DEFAULT_ACCOUNT_ID, DEFAULT_REGION, ApiError

OWNER = FunctionId(account_id=DEFAULT_ACCOUNT_ID, region=DEFAULT_REGION, name="f")


def images(world: World) -> Images:
    return Images(world.store, world.repositories)


async def test_a_tag_is_resolved_to_the_digest_it_stands_for_now(tmp_path: Path) -> None:
    world = World(tmp_path)
    digest = world.push("1")
    code = images(world).resolve(world.uri(), "arm64", OWNER)
    assert (code.image_uri, code.digest, code.architecture) == (world.uri(), digest, "arm64")
    assert code.resolved_uri.endswith(f"/dash@{digest}")
    assert code.sha256 == digest[7:]
    with pytest.raises(ApiError, match="does not exist"):
        images(world).resolve(world.uri("2"), "x86_64", OWNER)
    await world.close()


@pytest.mark.parametrize(
    ("registry", "policy", "refusal"),
    [
        pytest.param(Registry(region="eu-west-1"), None, "is not valid", id="another region"),
        pytest.param(Registry(account_id="1" * 12), None, "does not have permission", id="another account"),
        pytest.param(
            Registry(account_id="1" * 12),
            '{"Service": "ec2"}',
            "does not have permission",
            id="not for Lambda",
        ),
        pytest.param(Registry(account_id="1" * 12), "lambda.amazonaws.com", "", id="policy lets Lambda in"),
    ],
)
async def test_an_image_lies_within_the_function_s_reach(
    tmp_path: Path, registry: Registry, policy: str | None, refusal: str
) -> None:
    world = World(tmp_path)
    world.push("1")
    world.repositories.registry, world.repositories.policy = registry, policy
    if refusal:
        with pytest.raises(ApiError, match=refusal):
            images(world).resolve(world.uri(), "x86_64", OWNER)
    else:
        assert images(world).resolve(world.uri(), "x86_64", OWNER).image_uri == world.uri()
    await world.close()


async def test_a_prepared_image_is_kept_until_its_layers_are_collected(tmp_path: Path) -> None:
    world = World(tmp_path)
    digest = world.push("1")
    ready = images(world)
    first = await ready.prepare(digest)
    assert (first.architecture, (first.rootfs.layers[0] / "app.py").read_text()) == ("x86_64", "image 1")
    assert ready.prepared(digest) is first
    shutil.rmtree(first.rootfs.layers[0])
    assert ready.prepared(digest).rootfs.layers[0].is_dir()
    ready.keep_only(set())
    assert ready.prepared(digest) is not first
    await world.close()


async def test_an_image_that_is_gone_is_unusable(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(ImageUnusableError) as caught:
        await images(world).prepare("sha256:" + "0" * 64)
    assert caught.value.reason_code == "InvalidImage"
    await world.close()


async def test_a_machine_without_room_fails_the_function_instead_of_leaving_it_pending(
    tmp_path: Path,
) -> None:
    world = await World(tmp_path).start()
    # Where layers are unpacked to is a file: nothing can be made below it.
    shutil.rmtree(world.store.root / "layers")
    (world.store.root / "layers").write_bytes(b"")
    failed = await world.active()
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InternalError")
    assert "cannot be unpacked here" in failed["StateReason"]
    (world.store.root / "layers").unlink()
    (world.store.root / "layers").mkdir()
    await world.call("UpdateFunctionCode", FunctionName="dash", ImageUri=world.uri())
    await world.service.settle()
    again = await world.call("GetFunctionConfiguration", FunctionName="dash")
    assert (again["State"], again["LastUpdateStatus"]) == ("Active", "Successful")
    await world.close()


@pytest.mark.parametrize(("size", "fits"), [(100_000, True), (100_001, False)])
async def test_the_size_limit_counts_uncompressed_bytes(tmp_path: Path, size: int, *, fits: bool) -> None:
    world = World(tmp_path)
    digest = world.push("1", "".join(f"{number:06d}" for number in range(20_000))[:size])
    limited = Images(world.store, world.repositories, limit_bytes=100_000)
    if fits:
        await limited.prepare(digest)
    else:
        with pytest.raises(ImageUnusableError, match="SizeLimitExceeded: Uncompressed container image size"):
            await limited.prepare(digest)
    await world.close()
