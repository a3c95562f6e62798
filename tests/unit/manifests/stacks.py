"""Stacks for tests, from inline manifests."""

from understudy.manifests import documents, render, resources
from understudy.manifests.model import ImageBinding, Stack

DIGEST = f"sha256:{'a' * 64}"
IMAGE = ImageBinding(name="app", repository="repo", digest=DIGEST)
CONTEXT = render.RenderContext(account="111122223333", region="eu-west-1", images={"app": IMAGE})

_GROUPS = {
    "Repository": "ecr",
    "Role": "iam",
    "Table": "dynamodb",
    "Bucket": "s3",
    "LogGroup": "cloudwatchlogs",
    "API": "apigatewayv2",
    "Integration": "apigatewayv2",
    "Route": "apigatewayv2",
    "Stage": "apigatewayv2",
}


def document(kind: str, name: str, spec: str, annotations: str = "{}") -> str:
    """One document with the spec in flow style."""
    group = _GROUPS.get(kind, "lambda")
    return (
        f"apiVersion: {group}.services.k8s.aws/v1alpha1\nkind: {kind}\n"
        f"metadata: {{name: {name}, annotations: {annotations}}}\nspec: {spec}\n"
    )


def stack(*texts: str, context: render.RenderContext = CONTEXT) -> Stack:
    """The rendered stack of these documents, in a repository that `IMAGE` goes to."""
    held = [document("Repository", "repo", "{name: repo}"), *texts]
    return render.render(resources.read(documents.parse("---\n".join(held), file="a.yaml")), context)
