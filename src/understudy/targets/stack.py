"""The stack of a project on a target: its overlay, rendered with the images that were built."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.manifests import errors, overlays, references, render
from understudy.manifests.model import ImageBinding, Resource, Stack
from understudy.manifests.render import RenderContext
from understudy.targets.project import Project
from understudy.targets.target import Target

_ANY_DIGEST = f"sha256:{'0' * 64}"


def check(root: Path, project: Project, target: Target) -> None:
    """Returns when the manifests can be rendered, whatever digests the builds will have.

    Raises:
        ManifestError: a manifest is wrong, with every problem's line.
        UnderstudyError: the overlay is missing, or AWS refused the credentials.
    """
    load(root, project, target, any_digests(project))


def any_digests(project: Project) -> dict[str, str]:
    """A digest of no image for each image of the project, to render manifests before there is one."""
    return dict.fromkeys(project.images, _ANY_DIGEST)


def load(
    root: Path,
    project: Project,
    target: Target,
    digests: Mapping[str, str],
    *,
    tags: tuple[str, ...] = ("latest",),
) -> Stack:
    """The stack that `apply` brings about.

    Args:
        root: folder of the project file.
        project: the project.
        target: where it runs.
        digests: digest of each built image, by its name in the project file.
        tags: tags that the images carry in their repositories.

    Raises:
        ManifestError: a manifest is wrong, with every problem's line.
        UnderstudyError: the overlay is missing, an image that it uses was not built, or AWS refused the
            credentials.
    """
    overlay = root / project.targets[target.name].overlay
    resources = overlays.load(overlay, root=root)
    for name in sorted({name for resource in resources for name in references.images(resource.spec)}):
        if name in project.images and name not in digests:
            raise UnderstudyError(
                "image-unbuilt", f"image {name} has not been built", hint=f"./understudy build {name}"
            )
    images = {
        name: ImageBinding(name=name, repository=project.images[name].repository, digest=digest, tags=tags)
        for name, digest in digests.items()
    }
    _check_repositories(images.values(), resources)
    context = RenderContext(
        account=target.account(), region=target.region, project=project.project, images=images
    )
    return render.render(resources, context)


def _check_repositories(images: Iterable[ImageBinding], resources: Sequence[Resource]) -> None:
    """Returns when the stack holds the repository of every image."""
    names = [resource.key.name for resource in resources if resource.key.kind == "Repository"]
    for image in images:
        if image.repository not in names and resources:
            raise UnderstudyError(
                "image-repository",
                f"image {image.name} goes to Repository {image.repository}, which the stack does not hold",
                hint=errors.suggestion(image.repository, names),
                where=f"understudy.yaml, images.{image.name}.repository",
            )
