"""The deployer may do what deploys, changes and deletions of this project ask AWS for: no less, and no more.

The calls are recorded between our code and two endpoints: moto answers for every kind, the engine takes the
image and what is attached to it. "Changes" are other values of the fields that deploy/overlays/preprod
states. What holds data is retained by a deletion, so the deployer may not delete it.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract import iam_actions
from tests.contract import reconcile_servers as servers
from tests.contract.iam_actions import Need, Place, Policy
from tests.contract.reconcile_servers import ROOT, World
from tests.doubles.server import Double, Forward
from tests.doubles.wire import Call, Message
from understudy.image.store import Store, attachments
from understudy.manifests.model import DesiredResource, Json, Stack
from understudy.reconcile import apply, function_logs, invocation, observe, removal
from understudy.reconcile.promotion import Promoter
from understudy.reconcile.services import ecr
from understudy.targets import project, stack
from understudy.targets.local import ACCOUNT, LocalTarget

PLACE = Place(account=ACCOUNT, region="us-east-1")

_TAGS: Json = [{"key": "other", "value": "tag"}]
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
CHANGES: dict[str, dict[str, Json]] = {
    "API": {"description": "other", "tags": {"other": "tag"}},
    "Alias": {"description": "other", "permissions": []},
    "Bucket": {
        "encryption": {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
        "publicAccessBlock": {"blockPublicACLs": False},
        "tagging": {"tagSet": _TAGS},
        "versioning": {"status": "Suspended"},
    },
    "EventSourceMapping": {"batchSize": 20},
    "FunctionURLConfig": {"authType": "NONE"},
    "Function": {"memorySize": 1024, "tags": {"other": "tag"}},
    "Integration": {"timeoutInMillis": 29000},
    "LogGroup": {"retentionDays": 7, "tags": {"other": "tag"}},
    "Queue": {"delaySeconds": "1", "tags": {"other": "tag"}},
    "Repository": {
        "imageScanningConfiguration": {"scanOnPush": False},
        "imageTagMutability": "IMMUTABLE",
        "lifecyclePolicy": json.dumps({"rules": [], "other": "x" * 100}),
        "tags": _TAGS,
    },
    "Role": {
        "assumeRolePolicyDocument": json.dumps(_TRUST),
        "description": "other",
        "inlinePolicies": {},
        "tags": _TAGS,
    },
    "Route": {"authorizationType": "AWS_IAM"},
    # No Stage: moto changes none. It is a PATCH below /apis; its tags lie below /tags, as the API's.
    "Table": {
        "continuousBackups": {"pointInTimeRecoveryEnabled": False},
        "deletionProtectionEnabled": False,
        "tags": _TAGS,
    },
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(iam_actions.deployer_policy(PLACE))


@pytest.fixture(scope="module")
def needs(tmp_path_factory: pytest.TempPathFactory) -> frozenset[Need]:
    folder = tmp_path_factory.mktemp("policy")
    calls = [*_every_kind(folder), *_images(folder)]
    return frozenset(need for call in calls for need in PLACE.needs(call))


def _every_kind(folder: Path) -> list[Call]:
    """What creating, changing and deleting every kind of the overlay asks for."""
    with servers.moto_process(folder) as url, Double(url) as double:
        world = servers.moto_world(double.url)
        first, second = (_preprod(world, digest) for digest in world.images)
        _apply(world, first)
        _apply(world, replace(first, resources=tuple(_changed(one) for one in first.resources)))
        _apply(world, second)
        apply.apply(removal.deletion(second, observe.observe(second, world.aws)), world.aws)
        # By the API, for moto has no registry: what a push needs is recorded at the engine.
        return [call for call in double.calls if call.operation != "PutImage"]


def _preprod(world: World, digest: str) -> Stack:
    target = LocalTarget(name="preprod", endpoint_url=world.url)
    found = project.load(ROOT / project.FILE_NAME)
    loaded = stack.load(ROOT, found, target, dict.fromkeys(found.images, digest))
    return replace(loaded, resources=tuple(_as_moto_has_it(world.fitted(one)) for one in loaded.resources))


def _as_moto_has_it(one: DesiredResource) -> DesiredResource:
    """A mapping to a function instead of its alias: moto tells the version behind it."""
    if one.key.kind != "EventSourceMapping":
        return one
    return replace(one, spec={**one.spec, "functionName": "analysis"})


def _changed(resource: Any) -> Any:
    return replace(resource, spec={**resource.spec, **CHANGES.get(resource.key.kind, {})})


def _apply(world: World, desired: Stack) -> None:
    world.apply(desired)
    assert world.plan(desired).writes == ()


def _images(folder: Path) -> list[Call]:
    """What pushing an image with its proof, running another one and looking at it asks for."""
    with servers.engine_process(folder) as url, Double(url) as double:

        async def to_us(call: Call, forward: Forward) -> Message:
            """The engine's repositories under the address of the double, so that pushes are seen."""
            answer = await forward(call)
            here, there = double.url.rpartition(":")[2], url.rpartition(":")[2]
            return replace(answer, body=answer.body.replace(f":{there}/".encode(), f":{here}/".encode()))

        double.hook = to_us
        world = servers.engine_world(double.url, folder)
        store = Store(folder / "store").open()
        attachments.attach(store, world.images[0], "application/x", [("text/plain", b"proof")])
        world.apply(world.stack())
        promoter = Promoter(world.aws, store)
        uri = ecr.repository_uri(world.aws, "dashboard")
        assert uri is not None
        assert promoter.attach(world.images[0], uri) == 1
        world.apply(world.stack(world.images[1]))
        assert invocation.invoke(world.aws, "dashboard:live", b"{}").function_error == ""
        list(function_logs.lines(world.aws, "/aws/lambda/dashboard", since_ms=0))
        return double.calls


def test_nothing_is_missing(needs: frozenset[Need], policy: Policy) -> None:
    missing = policy.missing(needs)
    assert not missing, "allow in deploy/aws-bootstrap.yaml:\n" + "\n".join(missing)


def test_nothing_is_superfluous(needs: frozenset[Need], policy: Policy) -> None:
    superfluous = policy.superfluous(needs)
    assert not superfluous, "remove from deploy/aws-bootstrap.yaml:\n" + "\n".join(superfluous)


def test_the_role_goes_to_lambda_alone() -> None:
    statements = iam_actions.deployer_policy(PLACE)["Statement"]
    (passing,) = [one for one in statements if one["Action"] == "iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


def test_the_template_is_one_that_cloudformation_takes() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), iam_actions.TEMPLATE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
