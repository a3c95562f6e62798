from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets.debugging import functions
from understudy.targets.workspace import Workspace

ARN = "arn:aws:lambda:eu-west-1:000000000000:function:shop:live"
CONFIGURATION = {
    "FunctionName": "shop",
    "FunctionArn": ARN,
    "Version": "3",
    "Timeout": 5,
    "MemorySize": 256,
    "EphemeralStorage": {"Size": 1024},
    "Environment": {"Variables": {"STAGE": "local"}},
    "ImageConfigResponse": {"ImageConfig": {"Command": ["other.handler"]}},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/shop"},
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return projects.make(tmp_path / "project")


def _describe(workspace: Workspace, code: dict[str, str]) -> functions.Described:
    aws = ScriptedAws({"GetFunction": {"Configuration": CONFIGURATION, "Code": code}}).aws
    return functions.describe(aws, Store(workspace.layout.store).open(), "shop:live", "http://localhost:4577")


def test_a_sandbox_is_made_of_what_the_stack_says(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest

    found = _describe(workspace, {"ResolvedImageUri": f"{projects.URI}@{digest}"})

    assert (found.name, found.arn, found.digest) == ("shop:3", ARN, digest)
    assert (found.spec.memory_mb, found.spec.timeout_s, found.spec.ephemeral_mb) == (256, 5, 1024)
    assert found.spec.command == ("other.handler",)
    sources = {one.name: (one.value, one.source) for one in found.variables()}
    assert sources["STAGE"] == ("local", "function")
    assert sources["PATH"] == ("/usr/bin", "image")
    assert sources["AWS_REGION"] == ("eu-west-1", "lambda")
    assert sources["AWS_ENDPOINT_URL"] == ("http://localhost:4577", "lambda")


def test_a_function_without_an_image_is_refused(workspace: Workspace) -> None:
    projects.image(workspace)

    with pytest.raises(UnderstudyError) as caught:
        _describe(workspace, {})

    assert caught.value.code == "function-image"
