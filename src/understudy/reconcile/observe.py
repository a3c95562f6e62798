"""Reads from AWS what exists of a stack; writes nothing."""

from collections.abc import Mapping
from dataclasses import replace

from understudy.errors import UnderstudyError
from understudy.manifests import references, render
from understudy.manifests.model import DesiredResource, ImageBinding, ResourceKey, Stack
from understudy.manifests.references import Reference
from understudy.reconcile import graph, managers
from understudy.reconcile.aws import Aws
from understudy.reconcile.model import IMAGE, Observed, ObservedResource
from understudy.reconcile.services import ecr

# Ids of what a resource hangs below, or cannot be without.
_BELOW = ("apiID", "eventSourceARN", "parentID", "resourceID", "restAPIID")
# Fields that decide what is looked up, or that the answer is held against while it is read.
_LOOKED_UP_BY = (*_BELOW, "code")


def observe(desired: Stack, aws: Aws) -> Observed:
    """What exists of the stack.

    Raises:
        UnderstudyError: AWS refused a call or cannot be reached.
    """
    stack = {resource.key: resource for resource in desired}
    images = {ResourceKey(IMAGE, image.name): image for image in desired.images}
    needs = {key: _needs(resource) for key, resource in stack.items()}
    needs.update(dict.fromkeys(images, ()))
    found: dict[ResourceKey, ObservedResource] = {}

    def work(key: ResourceKey) -> None:
        image = images.get(key)
        observed = _image(aws, image, stack) if image else resource(aws, stack[key], found)
        if observed is not None:
            found[key] = observed

    outcome = graph.run(needs, work)
    for failure in outcome.failures.values():
        raise failure
    return Observed(resources=found)


def resource(
    aws: Aws, desired: DesiredResource, found: Mapping[ResourceKey, ObservedResource]
) -> ObservedResource | None:
    """One resource as it is; None also when something that it hangs below does not exist."""
    filled = fill(desired, found)
    if references.unresolved([filled.spec.get(name) for name in _BELOW]):
        return None
    return managers.of(desired.key.kind).observe(aws, filled)


def fill(desired: DesiredResource, found: Mapping[ResourceKey, ObservedResource]) -> DesiredResource:
    """The resource with every value filled in that the observed resources know."""

    def lookup(reference: Reference) -> str | None:
        observed = found.get(reference.target)
        return observed.status.get(reference.field) if observed else None

    filled = render.filled(desired, lookup)
    return replace(filled, spec=render.literal(filled.spec))


def _needs(resource: DesiredResource) -> tuple[ResourceKey, ...]:
    """The resources whose ids must be known before this one can be looked up."""
    fields = [resource.spec.get(name) for name in _LOOKED_UP_BY]
    return tuple(reference.target for reference in references.unresolved(fields))


def _image(
    aws: Aws, image: ImageBinding, stack: Mapping[ResourceKey, DesiredResource]
) -> ObservedResource | None:
    tags = ecr.image_tags(aws, repository_name(image, stack), image.digest)
    if tags is None:
        return None
    return ObservedResource(
        key=ResourceKey(IMAGE, image.name),
        spec={"digest": image.digest, "tags": [tag for tag in image.tags if tag in tags]},
    )


def repository_name(image: ImageBinding, stack: Mapping[ResourceKey, DesiredResource]) -> str:
    """The AWS name of the repository that an image goes to.

    Raises:
        UnderstudyError: the stack does not hold that repository.
    """
    repository = stack.get(ResourceKey("Repository", image.repository))
    if repository is None:
        raise UnderstudyError(
            "image-repository",
            f"image {image.name} goes to Repository {image.repository}, which the stack does not hold",
            hint="correct images.*.repository in understudy.yaml",
        )
    return str(repository.spec["name"])
