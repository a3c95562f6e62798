"""A small project on disk, an image for it, and a target whose AWS answers as told."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.aws import Refusal, ScriptedAws
from understudy.errors import UnderstudyError
from understudy.image import render
from understudy.image.layers import Entry, Kind, write_layer
from understudy.image.model import OCI_CONFIG, Descriptor, Image, ImageConfig
from understudy.image.store import Store
from understudy.manifests import ownership
from understudy.reconcile.aws import Aws
from understudy.targets.record import StackRecord
from understudy.targets.workspace import Workspace, find

PROJECT = """\
project: shop
images:
  shop:
    context: app
    dockerfile: app/Dockerfile
    repository: shop
targets:
  local: {type: local, endpoint: "http://localhost:4599", overlay: deploy}
  preprod: {type: aws, overlay: deploy, account: "111122223333"}
devServer: {image: shop, app: "shop.app:app", source: app}
watch: {paths: [app, gone], ignore: [app/tests]}
"""

MANIFESTS = """\
apiVersion: ecr.services.k8s.aws/v1alpha1
kind: Repository
metadata: {name: shop}
spec: {name: shop}
---
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Function
metadata: {name: shop}
spec:
  name: shop
  packageType: Image
  code: {imageURI: "${image.shop}"}
  role: arn:aws:iam::000000000000:role/shop
  memorySize: 256
  environment: {variables: {STAGE: local}}
"""

RECORD = StackRecord(
    pid=1,
    endpoint="http://localhost:4577",
    api_url="http://localhost:4577/_aws/execute-api/abc",
    api_host_url="http://abc.execute-api.localhost:4577",
    dev_url="http://127.0.0.1:8000",
    image_digest=f"sha256:{'0' * 64}",
    function="shop:live",
    stand_in_for="",
    timings_s={"build": 0.12, "first_request": 0.3},
    region="eu-west-1",
)
URI = "host:4577/shop"
CONFIGURATION = {
    "FunctionName": "shop",
    "FunctionArn": "arn:shop",
    "Role": "arn:aws:iam::000000000000:role/shop",
    "PackageType": "Image",
    "MemorySize": 128,
    "Environment": {"Variables": {"STAGE": "local"}},
    "State": "Active",
    "LastUpdateStatus": "Successful",
}
NOTHING_EXISTS = {
    "DescribeImages": Refusal(code="RepositoryNotFoundException"),
    "DescribeRepositories": Refusal(code="RepositoryNotFoundException"),
    "GetFunction": Refusal(code="ResourceNotFoundException", status=404),
    "GetFunctionConfiguration": Refusal(code="ResourceNotFoundException", status=404),
}


def rest_api(alias: str, path: str = "{proxy+}") -> str:
    """Manifests of a REST API, stage v1, that hands the requests of a path to an alias."""
    group = "apigateway.services.k8s.aws/v1alpha1"
    api = "restAPIRef: {from: {name: shop}}"
    method = f"{api}, resourceRef: {{from: {{name: shop}}}}, httpMethod: ANY"
    uri = (
        f"arn:aws:apigateway:${{region}}:lambda:path/2015-03-31/functions/${{Alias.{alias}.arn}}/invocations"
    )
    specs = {
        "RestAPI": "name: shop",
        "Resource": f"{api}, parentID: '${{RestAPI.shop.rootResourceID}}', pathPart: '{path}'",
        "Method": f"{method}, authorizationType: NONE",
        "Integration": f"{method}, type: AWS_PROXY, integrationHTTPMethod: POST, uri: '{uri}'",
        "Deployment": f"{api}, description: shop",
        "Stage": f"{api}, stageName: v1, deploymentRef: {{from: {{name: shop}}}}",
    }
    return "".join(
        f"---\napiVersion: {group}\nkind: {kind}\nmetadata: {{name: shop}}\nspec: {{{spec}}}\n"
        for kind, spec in specs.items()
    )


def tags_of(resource: str) -> dict[str, str]:
    """The tags that the project puts on its resources."""
    return {ownership.STACK: "shop", ownership.RESOURCE: resource}


def exists(digest: str, **changed: object) -> dict[str, object]:
    """Answers of an AWS that has the repository and the function, running `digest`."""
    configuration = {**CONFIGURATION, "MemorySize": 256, **changed}
    repository = {
        "repositoryName": "shop",
        "repositoryArn": "arn:r",
        "repositoryUri": URI,
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
    }
    return {
        "DescribeRepositories": {"repositories": [repository]},
        "GetFunction": {
            "Configuration": configuration,
            "Code": {"ImageUri": f"{URI}@{digest}", "ResolvedImageUri": f"{URI}@{digest}"},
            "Tags": tags_of("Function.shop"),
        },
        "GetFunctionConfiguration": configuration,
        "ListTagsForResource": {
            "tags": [{"Key": key, "Value": text} for key, text in tags_of("Repository.shop").items()]
        },
        "DescribeImages": {"imageDetails": [{"imageDigest": digest, "imageTags": ["latest"]}]},
    }


def make(folder: Path) -> Workspace:
    """Writes the project and returns it."""
    (folder / "app").mkdir(parents=True)
    (folder / "deploy").mkdir()
    (folder / "understudy.yaml").write_text(PROJECT)
    (folder / "app" / "Dockerfile").write_text("FROM scratch\n")
    (folder / "deploy" / "kustomization.yaml").write_text("resources: [stack.yaml]\n")
    (folder / "deploy" / "stack.yaml").write_text(MANIFESTS)
    return find(folder)


def image(
    workspace: Workspace,
    *,
    name: str = "shop",
    labels: dict[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    architecture: str = "amd64",
) -> Image:
    """An image in the project's store, tagged as a build tags it."""
    store = Store(workspace.layout.store).open()
    entries = [
        Entry(path=path, kind=Kind.FILE, data=text.encode()) for path, text in (files or {"a": "a"}).items()
    ]
    layer, diff_id = write_layer(store, entries, epoch=1)
    config = render.image_config(
        ImageConfig(
            architecture=architecture,
            os="linux",
            env=(("PATH", "/usr/bin"),),
            cmd=("handler.handler",),
            labels=labels or {},
            diff_ids=(diff_id,),
        )
    )
    described = Descriptor(media_type=OCI_CONFIG, digest=store.put(config.raw), size_bytes=len(config.raw))
    digest = store.put_image(render.image_manifest(described, [layer]))
    store.tag(f"{name}:latest", digest)
    return store.image(digest)


@dataclass
class ScriptedTarget:
    """A target whose AWS answers as told; `down` is what its guard raises."""

    fake: ScriptedAws
    down: UnderstudyError | None = None
    name: str = "local"
    endpoint_url: str | None = "http://127.0.0.1:9"
    region: str = "us-east-1"
    production: bool = False
    guarded: bool = False
    notices: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def session(self) -> Aws:
        """The scripted clients."""
        return self.fake.aws

    def account(self) -> str:
        """The account that local stacks play."""
        return "000000000000"

    def api_url(self, api_id: str) -> str:
        return f"{self.endpoint_url}/{api_id}"

    def function_url(self, url: str) -> str:
        return url

    def guard(self) -> None:
        """Notes that somebody asked."""
        self.asked.append(self.name)
        if self.down is not None:
            raise self.down


def running_at(endpoint: str) -> StackRecord:
    """The record of a stack at that endpoint."""
    return dataclasses.replace(RECORD, endpoint=endpoint)
