"""A small project with an API, an alias and images that run, and deploys of it to a real engine.

Run as a program, it deploys one digest as `deploy` does after its build, so that it can be interrupted.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.lambda_image import put_runtime_image
from understudy.cli import interrupts
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.reconcile.aws import Aws
from understudy.reconcile.rollout import aliases, plan
from understudy.targets import target, workspace
from understudy.targets.delivery import Delivered, Delivery, Terms
from understudy.targets.deployment import Deployment
from understudy.targets.rollouts import Rollouts
from understudy.targets.workspace import Workspace

ROOT = Path(__file__).parents[2]

_PROJECT = """\
project: shop
images:
  shop: {{context: app, dockerfile: app/Dockerfile, repository: shop}}
{images}targets:
  local: {{type: local, endpoint: "{url}", overlay: deploy}}
  preprod: {{type: aws, account: "123456789012", overlay: deploy, production: true}}
"""

_MANIFESTS = """\
apiVersion: ecr.services.k8s.aws/v1alpha1
kind: Repository
metadata: {name: shop}
spec: {name: shop}
---
apiVersion: cloudwatchlogs.services.k8s.aws/v1alpha1
kind: LogGroup
metadata: {name: shop}
spec: {name: /aws/lambda/shop}
---
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Function
metadata: {name: shop}
spec:
  name: shop
  packageType: Image
  code: {imageURI: "${image.shop}"}
  role: arn:aws:iam::${account}:role/shop
  memorySize: 256
  timeout: 5
---
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Version
metadata:
  name: shop
  annotations: {understudy.dev/auto-publish: "true"}
spec: {functionRef: {from: {name: shop}}}
---
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Alias
metadata: {name: shop-live}
spec:
  name: live
  functionRef: {from: {name: shop}}
  functionVersion: ${Version.shop.version}
  permissions:
    - statementID: http-api
      action: lambda:InvokeFunction
      principal: apigateway.amazonaws.com
      sourceARN: arn:${partition}:execute-api:${region}:${account}:${API.shop.apiID}/*/*
---
apiVersion: apigatewayv2.services.k8s.aws/v1alpha1
kind: API
metadata: {name: shop}
spec: {name: shop, protocolType: HTTP}
---
apiVersion: apigatewayv2.services.k8s.aws/v1alpha1
kind: Integration
metadata: {name: shop}
spec:
  apiRef: {from: {name: shop}}
  description: shop:live
  integrationType: AWS_PROXY
  integrationURI: ${Alias.shop-live.arn}
  payloadFormatVersion: "2.0"
---
apiVersion: apigatewayv2.services.k8s.aws/v1alpha1
kind: Route
metadata: {name: shop}
spec:
  apiRef: {from: {name: shop}}
  routeKey: $default
  targetRef: {from: {name: shop}}
---
apiVersion: apigatewayv2.services.k8s.aws/v1alpha1
kind: Stage
metadata: {name: shop}
spec: {apiRef: {from: {name: shop}}, stageName: $default, autoDeploy: true}
"""

# A second function with an image and an API of its own, and a third that runs that image and has neither.
_ADMIN_IMAGE = "  admin: {context: app, dockerfile: app/Dockerfile, repository: shop}\n"
_ADMIN = _MANIFESTS.partition("kind: LogGroup")[2].partition("---\n")[2].replace("shop", "admin")
_WORKER = """\
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Function
metadata: {name: worker}
spec:
  name: worker
  packageType: Image
  code: {imageURI: "${image.admin}"}
  role: arn:aws:iam::${account}:role/shop
  memorySize: 256
"""

_SUITE = """\
import os, urllib.request

def pytest_addoption(parser):
    parser.addoption("--target")
"""
_TEST = """\
import os, urllib.request

def test_the_api_answers():
    assert urllib.request.urlopen(os.environ["E2E_API_URL"] + "/health").status == 200
    assert os.environ["E2E_FUNCTION"] == "shop:live"
"""

ALIVE = """
def handler(event, headers):
    return {"statusCode": 200, "body": "%s"}
"""
RAISES = """
def handler(event, headers):
    raise ValueError("broken release")
"""
NO_IMPORT = """
import no_such_module
"""
UNHEALTHY = """
def handler(event, headers):
    return {"statusCode": 503, "body": "no database"}
"""
# Fine for whoever invokes it, not for who comes through the API.
BEHIND_API = """
def handler(event, headers):
    invoked = event["requestContext"]["requestId"] == "understudy-invoke"
    return {"statusCode": 200 if invoked else 500, "body": "only by hand"}
"""
LOGS_ERRORS = """
def handler(event, headers):
    print("[ERROR] ValueError: broken for some", flush=True)
    return {"statusCode": 200, "body": "fine"}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The project, on one engine."""

    found: Workspace
    url: str

    @property
    def store(self) -> Store:
        """The project's images."""
        return Store(self.found.layout.store).open()

    @property
    def aws(self) -> Aws:
        """Clients of the engine."""
        return target.find(self.found.project, "local").session()

    def image(self, handler: str) -> str:
        """The digest of an image of that handler, built as far as the store can tell."""
        digest = put_runtime_image(self.store, handler=handler)
        self.store.tag("shop:latest", digest)
        return digest

    def deploy(self, digest: str, canary: str = "", *, admin: str = "", **terms: Any) -> Delivered:
        """Deploys a digest to the engine; with another for the functions of the other image."""
        there = target.find(self.found.project, "local")
        deployment = Deployment(self.found, there, self.store)
        share = plan.parse_canary(canary) if canary else None
        delivery = Delivery(deployment, there, _say)
        digests = {"shop": digest, **({"admin": admin} if admin else {})}
        return delivery.deliver(digests, ["latest"], Terms(canary=share, **terms))

    def rollouts(self) -> Rollouts:
        """The releases."""
        there = target.find(self.found.project, "local")
        return Rollouts(self.found, there, there.session(), lambda _: None)

    def live(self, function: str = "shop") -> tuple[str, dict[str, float]]:
        """The version that an alias points at, and its weights."""
        state = aliases.get(self.aws, function, "live")
        return state.version, dict(state.weights)

    def start(self, digest: str, canary: str) -> "subprocess.Popen[str]":
        """The same as `deploy`, in a process of its own."""
        argv = [sys.executable, "-m", "tests.contract.rollout_project", str(self.found.root), digest, canary]
        return subprocess.Popen(argv, cwd=ROOT, env=variables(), stdout=subprocess.PIPE, text=True)

    def understudy(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Runs the command line in the project."""
        return subprocess.run(
            [sys.executable, "-m", "understudy", *arguments],
            cwd=self.found.root,
            env={**variables(), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def variables() -> dict[str, str]:
    """That the command line of the tests runs with."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONUNBUFFERED": "1"}


def make(folder: Path, url: str, *, with_admin: bool = False) -> Shop:
    """Writes the project: one function, or three with two images."""
    manifests = "---\n".join([_MANIFESTS, _ADMIN, _WORKER] if with_admin else [_MANIFESTS])
    for name, text in {
        "understudy.yaml": _PROJECT.format(url=url, images=_ADMIN_IMAGE if with_admin else ""),
        "app/Dockerfile": "FROM scratch\n",
        "deploy/kustomization.yaml": "resources: [stack.yaml]\n",
        "deploy/stack.yaml": manifests,
        "tests/e2e/conftest.py": _SUITE,
        "tests/e2e/test_shop.py": _TEST,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Shop(found=workspace.find(folder), url=url)


if __name__ == "__main__":
    shop = Shop(found=workspace.find(Path(sys.argv[1])), url="")
    try:
        with interrupts.stopping() as stop:
            shop.deploy(sys.argv[2], sys.argv[3], stop=stop)
    except UnderstudyError as error:
        _say(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
