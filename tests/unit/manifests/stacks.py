"""Stacks for tests, from inline manifests."""

from understudy.manifests import documents, kinds, render, resources
from understudy.manifests.model import ImageBinding, Stack

DIGEST = f"sha256:{'a' * 64}"
IMAGE = ImageBinding(name="app", repository="repo", digest=DIGEST)
CONTEXT = render.RenderContext(account="111122223333", region="eu-west-1", images={"app": IMAGE})


def document(kind: str, name: str, spec: str, annotations: str = "{}") -> str:
    """One document with the spec in flow style."""
    known = kinds.KINDS[kind]
    return (
        f"apiVersion: {known.api_version}\nkind: {known.kind}\n"
        f"metadata: {{name: {name}, annotations: {annotations}}}\nspec: {spec}\n"
    )


def stack(*texts: str, context: render.RenderContext = CONTEXT) -> Stack:
    """The rendered stack of these documents, in a repository that `IMAGE` goes to."""
    held = [document("Repository", "repo", "{name: repo}"), *texts]
    return render.render(resources.read(documents.parse("---\n".join(held), file="a.yaml")), context)
