"""The final ACK documents of a stack on a target: what `kubectl apply` would take.

What AWS chose is filled in from what exists there, as far as apply would keep it: the number of a version
that apply would publish is not known before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.manifests import printed, references, render
from understudy.manifests.model import JsonMap, ResourceKey, Stack
from understudy.manifests.printed import Annotations
from understudy.manifests.references import Reference
from understudy.manifests.render import Lookup
from understudy.reconcile.model import Action
from understudy.targets import stack as stacks
from understudy.targets.deployment import Deployment
from understudy.targets.target import Target
from understudy.targets.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Documents and what they leave open.

    Attributes:
        documents: the documents, in an order that respects their dependencies.
        unknown: placeholders still in them, each with the resources that hold it.
    """

    documents: tuple[JsonMap, ...]
    unknown: Mapping[str, tuple[ResourceKey, ...]]


def offline(workspace: Workspace, target: Target, digests: Mapping[str, str]) -> Rendered:
    """The documents as far as they follow from the manifests, the target and the built images alone.

    Raises:
        UnderstudyError: a manifest is wrong, or an image has not been built.
    """
    stack = stacks.load(workspace.root, workspace.project, target, digests)
    return _rendered(stack, lambda reference: _registry(stack, target, reference), {})


def observed(
    deployment: Deployment, digests: Mapping[str, str], tags: Sequence[str], *, adopt: bool
) -> Rendered:
    """The documents with what AWS chose.

    Args:
        deployment: the project on the target.
        digests: digest of each built image, by its name in the project file.
        tags: tags of the images.
        adopt: annotate what exists so that a controller takes it over instead of making another.

    Raises:
        UnderstudyError: a manifest is wrong, or the target cannot be used.
        EnvironmentProblemError: nothing answers there, or there are no credentials.
    """
    stack, _, plan = deployment.plan(digests, tags)
    kept = {action.key: action for action in plan.actions if action.verb not in ("create", "replace")}

    def known(reference: Reference) -> str | None:
        action = kept.get(reference.target)
        found = action.observed.status.get(reference.field) if action and action.observed else None
        return found or _registry(stack, deployment.target, reference)

    return _rendered(stack, known, _adoptions(kept) if adopt else {})


def _registry(stack: Stack, target: Target, reference: Reference) -> str | None:
    """The URI of a repository that AWS itself would make; an endpoint in its place chooses its own."""
    resource = stack.get(reference.target)
    if reference.field != "repositoryURI" or target.endpoint_url is not None or resource is None:
        return None
    suffix = ".cn" if target.region.startswith("cn-") else ""
    return f"{target.account()}.dkr.ecr.{target.region}.amazonaws.com{suffix}/{resource.spec['name']}"


def _adoptions(kept: Mapping[ResourceKey, Action]) -> Annotations:
    return {
        key: printed.adoption(action.desired, action.observed.status)
        for key, action in kept.items()
        if action.desired and action.observed and action.desired.document
    }


def _rendered(stack: Stack, lookup: Lookup, annotations: Annotations) -> Rendered:
    unknown: dict[str, tuple[ResourceKey, ...]] = {}
    for resource in stack:
        for reference in references.unresolved(render.filled(resource, lookup).document):
            unknown[str(reference)] = (*unknown.get(str(reference), ()), resource.key)
    return Rendered(documents=printed.documents(stack, lookup, annotations), unknown=unknown)
