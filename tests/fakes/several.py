"""A project with several images, one of them in two functions, behind an API with an authorizer."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FILES = {
    "understudy.yaml": """\
project: shop
images:
  dashboard: {context: app, dockerfile: app/Dockerfile, repository: dashboard}
  analysis: {context: analysis, dockerfile: analysis/Dockerfile, repository: analysis}
  sse: {context: sse, dockerfile: sse/Dockerfile, repository: sse}
targets:
  local: {type: local, overlay: deploy}
  preprod: {type: aws, overlay: deploy, account: "111122223333", region: eu-west-1}
""",
    "deploy/kustomization.yaml": """\
resources:
  - repositories.yaml
  - functions.yaml
  - api.yaml
patches:
  - target: {kind: Function, name: analysis}
    patch: |-
      - op: replace
        path: /spec/memorySize
        value: 1024
""",
    "deploy/repositories.yaml": "---\n".join(
        f"""\
apiVersion: ecr.services.k8s.aws/v1alpha1
kind: Repository
metadata: {{name: {name}}}
spec: {{name: shop/{name}}}
"""
        for name in ("dashboard", "analysis", "sse")
    ),
    "deploy/functions.yaml": """\
apiVersion: iam.services.k8s.aws/v1alpha1
kind: Role
metadata: {name: lambda}
spec: {name: shop, assumeRolePolicyDocument: "{}"}
"""
    + "".join(
        f"""\
---
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Function
metadata: {{name: {name}}}
spec:
  name: shop-{name}
  packageType: Image
  memorySize: 256
  code:
    imageURI: ${{image.{image}}}
  roleRef:
    from: {{name: lambda}}
  imageConfig:
    command: [{name}.handler]
"""
        for name, image in (
            ("dashboard", "dashboard"),
            ("worker", "dashboard"),
            ("analysis", "analysis"),
            ("events", "sse"),
        )
    ),
    "deploy/api.yaml": """\
apiVersion: apigatewayv2.services.k8s.aws/v1alpha1
kind: API
metadata: {name: shop}
spec: {name: shop, protocolType: HTTP}
---
apiVersion: apigatewayv2.services.k8s.aws/v1alpha1
kind: Authorizer
metadata: {name: login}
spec:
  apiRef:
    from: {name: shop}
  name: login
  authorizerType: JWT
  identitySource: [$request.header.Authorization]
  jwtConfiguration:
    issuer: https://login.example
    audience: [shop]
---
apiVersion: apigatewayv2.services.k8s.aws/v1alpha1
kind: Integration
metadata: {name: dashboard}
spec:
  apiRef:
    from: {name: shop}
  integrationType: AWS_PROXY
  integrationURI: ${Function.dashboard.arn}
---
apiVersion: apigatewayv2.services.k8s.aws/v1alpha1
kind: Route
metadata: {name: admin}
spec:
  apiRef:
    from: {name: shop}
  routeKey: ANY /admin/{proxy+}
  authorizationType: JWT
  authorizerRef:
    from: {name: login}
  targetRef:
    from: {name: dashboard}
""",
}
DIGESTS = {
    name: f"sha256:{letter * 64}" for name, letter in (("dashboard", "d"), ("analysis", "a"), ("sse", "e"))
}


def write(root: Path, changes: Mapping[str, tuple[str, str]] = MappingProxyType({})) -> Path:
    """Writes the project and returns its folder; a change is a text and its replacement, by file."""
    for name, text in FILES.items():
        old, new = changes.get(name, ("", ""))
        assert old in text
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return root
