"""The project's stack with a REST API before its function, against moto server, MiniStack and the engine."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract import reconcile_servers as servers
from tests.contract.reconcile_servers import ROOT, World
from understudy.manifests.model import Stack
from understudy.reconcile import apply, observe, orphans, removal
from understudy.targets import project

REST = frozenset({"RestAPI", "Resource", "Method", "RestIntegration", "RestDeployment", "RestStage"})
HEAD = """\
apiVersion: apigateway.services.k8s.aws/v1alpha1
kind: {kind}
metadata: {{name: {name}, annotations: {{{annotations}}}}}
spec:
"""
API = "  restAPIRef: {from: {name: dashboard-proxy}}\n"
METHOD = f"{API}  resourceRef: {{from: {{name: dashboard-path}}}}\n  httpMethod: ANY\n"
URI = "arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${Alias.dashboard-live.arn}/invocations"


def document(kind: str, name: str, spec: str, annotations: str = "") -> str:
    return HEAD.format(kind=kind, name=name, annotations=annotations) + spec


def documents(path_part: str) -> str:
    """The manifests of a REST API that hands every request over."""
    return "---\n".join(
        [
            document(
                "RestAPI", "dashboard-proxy", "  name: proxy\n  endpointConfiguration: {types: [REGIONAL]}\n"
            ),
            document(
                "Resource",
                "dashboard-path",
                f"{API}  parentID: ${{RestAPI.dashboard-proxy.rootResourceID}}\n  pathPart: '{path_part}'\n",
            ),
            document("Method", "dashboard-any", f"{METHOD}  authorizationType: NONE\n"),
            document(
                "Integration",
                "dashboard-function",
                f"{METHOD}  type: AWS_PROXY\n  integrationHTTPMethod: POST\n  uri: {URI}\n",
            ),
            document(
                "Deployment",
                "dashboard-proxy",
                f"{API}  description: proxy\n",
                'understudy.dev/auto-deploy: "true"',
            ),
            document(
                "Stage",
                "dashboard-rest",
                f"{API}  stageName: live\n  deploymentRef: {{from: {{name: dashboard-proxy}}}}\n",
            ),
        ]
    )


@pytest.fixture(params=["moto", "ministack", "engine"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with servers.PROCESSES[request.param](tmp_path) as url:
        if request.param == "engine":
            made = servers.engine_world(url, tmp_path)
        else:
            made = servers.moto_world(url) if request.param == "moto" else servers.ministack_world(url)
        yield replace(made, kinds=made.kinds | REST)


def with_rest(world: World, folder: Path, path_part: str = "{proxy+}") -> Stack:
    """The project's stack with the REST API, as far as the endpoint can follow."""
    shutil.copytree(ROOT / "deploy", folder / "deploy", dirs_exist_ok=True)
    shutil.copy(ROOT / project.FILE_NAME, folder)
    (folder / "deploy/base/rest.yaml").write_text(documents(path_part))
    kustomization = folder / "deploy/base/kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("- api.yaml", "- api.yaml\n  - rest.yaml"))
    return world.stack_in(folder)


def test_rest_api_before_a_function_converges_and_goes(world: World, tmp_path: Path) -> None:
    desired = with_rest(world, tmp_path / "project")
    first = world.apply(desired)
    assert {key.kind for key in first.writes} >= REST
    world.apply(desired)
    assert world.writes == []

    client = world.aws.apigateway()
    (api,) = world.call(client.get_rest_apis)["items"]
    assert api["tags"]["understudy.dev/resource"] == "RestAPI.dashboard-proxy"
    (child,) = (
        item for item in world.call(client.get_resources, restApiId=api["id"])["items"] if item["path"] != "/"
    )
    where = {"restApiId": api["id"], "resourceId": child["id"], "httpMethod": "ANY"}
    integration = world.call(client.get_integration, **where)
    assert integration["uri"].endswith(":function:dashboard:live/invocations")
    before = world.call(client.get_stage, restApiId=api["id"], stageName="live")["deploymentId"]

    # Another path is another resource, and a new snapshot goes live.
    desired = with_rest(world, tmp_path / "other", "all")
    world.apply(desired)
    world.apply(desired)
    assert world.writes == []
    after = world.call(client.get_stage, restApiId=api["id"], stageName="live")["deploymentId"]
    assert after != before
    pruned = removal.pruning(
        orphans.find(world.aws, observe.observe(desired, world.aws), "dashboard", only=REST)
    )
    assert [str(action.key) for action in pruned.actions] == ["Method/ANY /{proxy+}", "Resource//{proxy+}"]
    apply.apply(pruned, world.aws)
    paths = [item["path"] for item in world.call(client.get_resources, restApiId=api["id"])["items"]]
    assert sorted(paths) == ["/", "/all"]

    observed = observe.observe(desired, world.aws)
    apply.apply(removal.deletion(desired, observed), world.aws)
    assert {key.kind for key in observe.observe(desired, world.aws).resources} & REST == set()
    assert world.call(client.get_rest_apis)["items"] == []
