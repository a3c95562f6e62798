import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.lambda_world import ARN, World
from understudy.engine.protocol import ApiError


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World(tmp_path).start()
    yield made
    await made.close()


async def refused(world: World, operation: str, **params: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await world.call(operation, **params)
    return caught.value


async def test_a_function_is_pending_until_its_image_is_prepared(world: World) -> None:
    digest = world.repositories.tags["1"]
    created = await world.create(Tags={"team": "x"})
    assert created["State"] == "Pending"
    assert created["StateReasonCode"] == "Creating"
    assert created["StateReason"] == "The function is being created."
    assert "LastUpdateStatus" not in created
    await world.service.settle()
    got = await world.call("GetFunction", FunctionName="dash")
    assert got["Code"] == {
        "RepositoryType": "ECR",
        "ImageUri": world.uri(),
        "ResolvedImageUri": f"{world.uri().rpartition(':')[0]}@{digest}",
    }
    assert got["Tags"] == {"team": "x"}
    configuration = got["Configuration"]
    assert configuration["State"] == "Active"
    assert configuration["LastUpdateStatus"] == "Successful"
    assert "StateReason" not in configuration
    assert configuration["CodeSha256"] == digest.removeprefix("sha256:")
    assert (configuration["CodeSize"], configuration["PackageType"]) == (0, "Image")
    assert configuration["FunctionArn"] == ARN
    assert configuration["RevisionId"] != created["RevisionId"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", configuration["LastModified"])
    assert "Runtime" not in configuration
    assert "Handler" not in configuration
    assert "Environment" not in configuration


async def test_a_name_is_taken_once(world: World) -> None:
    await world.create()
    caught = await refused(
        world,
        "CreateFunction",
        FunctionName="dash",
        Role="arn:aws:iam::000000000000:role/x",
        PackageType="Image",
        Code={"ImageUri": world.uri()},
    )
    assert (caught.code, caught.status) == ("ResourceConflictException", 409)
    assert caught.message == "Function already exist: dash"


async def test_an_image_must_exist(world: World) -> None:
    with pytest.raises(ApiError) as caught:
        await world.create(Code={"ImageUri": world.uri("nope")})
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.message == (
        f"Source image {world.uri('nope')} does not exist. Provide a valid source image."
    )


async def test_changes_wait_for_one_another(world: World) -> None:
    await world.create()
    pending = await refused(world, "UpdateFunctionConfiguration", FunctionName="dash", Timeout=4)
    assert pending.message == (
        "The operation cannot be performed at this time. The function is currently in the following state: "
        "Pending"
    )
    await world.service.settle()
    updated = await world.call("UpdateFunctionConfiguration", FunctionName="dash", Timeout=4)
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert updated["LastUpdateStatusReasonCode"] == "Creating"
    second = await refused(world, "UpdateFunctionCode", FunctionName="dash", ImageUri=world.uri())
    assert (second.code, second.status) == ("ResourceConflictException", 409)
    assert second.message == (
        f"The operation cannot be performed at this time. An update is in progress for resource: {ARN}"
    )
    await world.service.settle()
    settled = await world.call("GetFunctionConfiguration", FunctionName="dash")
    assert (settled["LastUpdateStatus"], settled["Timeout"]) == ("Successful", 4)


async def test_a_stale_revision_is_refused(world: World) -> None:
    active = await world.active()
    for operation in ("UpdateFunctionConfiguration", "UpdateFunctionCode"):
        caught = await refused(world, operation, FunctionName="dash", ImageUri=world.uri(), RevisionId="old")
        assert (caught.code, caught.status) == ("PreconditionFailedException", 412)
    await world.call("UpdateFunctionConfiguration", FunctionName="dash", RevisionId=active["RevisionId"])


async def test_new_code_moves_the_digest(world: World) -> None:
    await world.active()
    digest = world.push("2")
    dry = await world.call("UpdateFunctionCode", FunctionName="dash", ImageUri=world.uri("2"), DryRun=True)
    assert dry["CodeSha256"] == digest[7:]
    await world.call("UpdateFunctionCode", FunctionName="dash", ImageUri=world.uri("2"), Publish=True)
    await world.service.settle()
    latest = await world.call("GetFunctionConfiguration", FunctionName="dash")
    published = await world.call("GetFunctionConfiguration", FunctionName="dash", Qualifier="1")
    assert latest["CodeSha256"] == published["CodeSha256"] == digest[7:]
    assert (published["State"], published["Version"]) == ("Active", "1")
    assert published["FunctionArn"] == f"{ARN}:1"


async def test_code_of_another_kind_is_refused(world: World) -> None:
    await world.active()
    caught = await refused(world, "UpdateFunctionCode", FunctionName="dash", ZipFile=b"zip")
    assert caught.message == "Please provide ImageUri when updating a function with packageType Image."


async def test_a_vanished_image_fails_the_update_and_the_old_code_goes_on(world: World) -> None:
    await world.active()
    digest = world.push("2")
    world.store.path(world.store.image(digest).manifest.layers[0].digest).unlink()
    await world.call("UpdateFunctionCode", FunctionName="dash", ImageUri=world.uri("2"))
    await world.service.settle()
    failed = await world.call("GetFunctionConfiguration", FunctionName="dash")
    assert (failed["State"], failed["LastUpdateStatus"]) == ("Active", "Failed")
    assert failed["LastUpdateStatusReasonCode"] == "InvalidImage"
    assert (await world.call("Invoke", FunctionName="dash"))["StatusCode"] == 200
    unpublishable = await refused(world, "PublishVersion", FunctionName="dash")
    assert "currently in the following state: Failed" in unpublishable.message


async def test_a_function_whose_image_cannot_be_prepared_is_failed_until_it_is_saved_again(
    world: World,
) -> None:
    layer = world.store.image(world.repositories.tags["1"]).manifest.layers[0].digest
    world.store.path(layer).unlink()
    failed = await world.active()
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidImage")
    caught = await refused(world, "Invoke", FunctionName="dash")
    assert "currently in the following state: Failed" in caught.message
    world.push("2")
    await world.call("UpdateFunctionCode", FunctionName="dash", ImageUri=world.uri("2"))
    await world.service.settle()
    assert (await world.call("GetFunctionConfiguration", FunctionName="dash"))["State"] == "Active"


async def test_lists_pages_of_functions(world: World) -> None:
    for name in ("c", "a", "b"):
        await world.create(FunctionName=name)
    await world.service.settle()
    first = await world.call("ListFunctions", MaxItems=2)
    assert [item["FunctionName"] for item in first["Functions"]] == ["a", "b"]
    assert "State" not in first["Functions"][0]
    second = await world.call("ListFunctions", MaxItems=2, Marker=first["NextMarker"])
    assert [item["FunctionName"] for item in second["Functions"]] == ["c"]
    assert "NextMarker" not in second
    every = await world.call("ListFunctions", FunctionVersion="ALL")
    assert every["Functions"][0]["FunctionArn"].endswith(":a:$LATEST")
    assert (await refused(world, "ListFunctions", FunctionVersion="ONE")).code == "ValidationException"


async def test_deletes_functions_and_versions(world: World) -> None:
    await world.active(Publish=True)
    assert (
        "without deleting"
        in (await refused(world, "DeleteFunction", FunctionName="dash", Qualifier="$LATEST")).message
    )
    await world.call("CreateAlias", FunctionName="dash", Name="live", FunctionVersion="1")
    used = await refused(world, "DeleteFunction", FunctionName="dash:1")
    assert used.code == "ResourceConflictException"
    assert used.message == "Unable to delete version because the following aliases reference it: [live]"
    await world.call("DeleteAlias", FunctionName="dash", Name="live")
    await world.call("DeleteFunction", FunctionName="dash", Qualifier="1")
    gone = await refused(world, "GetFunction", FunctionName="dash", Qualifier="1")
    assert gone.message == f"Function not found: {ARN}:1"
    await world.call("DeleteFunction", FunctionName="dash")
    missing = await refused(world, "GetFunction", FunctionName="dash")
    assert (missing.code, missing.status) == ("ResourceNotFoundException", 404)
    assert missing.message == f"Function not found: {ARN}"


async def test_a_function_deleted_while_pending_does_not_come_back(world: World) -> None:
    await world.create()
    await world.call("DeleteFunction", FunctionName="dash")
    await world.service.settle()
    assert (await world.call("ListFunctions"))["Functions"] == []
