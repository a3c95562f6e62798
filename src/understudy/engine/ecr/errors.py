"""ECR's refusals, in AWS's words, as one function or class per refusal.

The registry protocol maps the same errors to its own codes (`registry.model`), so that `docker push` and
boto3 tell the same story. Texts: recorded answers quoted in aws/containers-roadmap, moby/buildkit#3776,
oras-project/oras-py#54 and moto's recorded messages.
"""

from collections.abc import Sequence

from understudy.engine.ecr.model import Repository
from understudy.engine.protocol import ApiError


def _in(repository: Repository) -> str:
    return (
        f"repository with name '{repository.name}' in the registry with id '{repository.registry.account_id}'"
    )


def repository_not_found(name: str, account_id: str) -> ApiError:
    """Repository `name` was never created here."""
    return ApiError(
        "RepositoryNotFoundException",
        f"The repository with name '{name}' does not exist in the registry with id '{account_id}'",
    )


def repository_exists(name: str, account_id: str) -> ApiError:
    """Repository `name` is there already."""
    return ApiError(
        "RepositoryAlreadyExistsException",
        f"The repository with name '{name}' already exists in the registry with id '{account_id}'",
    )


def repository_not_empty(repository: Repository) -> ApiError:
    """A repository with images needs force."""
    return ApiError(
        "RepositoryNotEmptyException",
        f"The repository with name '{repository.name}' in registry with id "
        f"'{repository.registry.account_id}' cannot be deleted because it still contains images",
    )


def invalid_parameter(name: str, constraint: str) -> ApiError:
    """Parameter `name` breaks `constraint`."""
    return ApiError(
        "InvalidParameterException",
        f"Invalid parameter at '{name}' failed to satisfy constraint: '{constraint}'",
    )


def repository_policy_not_found(repository: Repository) -> ApiError:
    """No repository policy was set."""
    return ApiError(
        "RepositoryPolicyNotFoundException", f"Repository policy does not exist for the {_in(repository)}"
    )


def lifecycle_policy_not_found(repository: Repository) -> ApiError:
    """No lifecycle policy was put."""
    return ApiError(
        "LifecyclePolicyNotFoundException", f"Lifecycle policy does not exist for the {_in(repository)}"
    )


def lifecycle_preview_not_found(repository: Repository) -> ApiError:
    """No preview was started."""
    return ApiError(
        "LifecyclePolicyPreviewNotFoundException",
        f"Lifecycle policy preview does not exist for the {_in(repository)}",
    )


def registry_policy_not_found(account_id: str) -> ApiError:
    """This engine keeps no registry policy."""
    return ApiError(
        "RegistryPolicyNotFoundException",
        f"Registry policy does not exist in the registry with id '{account_id}'",
    )


def image_not_found(repository: Repository, *, digest: str | None, tag: str | None) -> ApiError:
    """The repository holds no such image; absent parts read ``null``, as on AWS."""
    return ApiError(
        "ImageNotFoundException", f"{_image_text(digest, tag)} does not exist within the {_in(repository)}"
    )


def scan_not_found(repository: Repository, *, digest: str | None, tag: str | None) -> ApiError:
    """Nothing here scans images, so no image has findings."""
    image_id = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
    return ApiError(
        "ScanNotFoundException",
        f"Image scan does not exist for the image with '{image_id}' in the {_in(repository)}",
    )


def image_exists(repository: Repository, *, digest: str, tag: str | None) -> ApiError:
    """The same manifest already has the same tag."""
    return ApiError(
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository with name "
        f"'{repository.name}' in registry with id '{repository.registry.account_id}'",
    )


def tag_immutable(repository: Repository, tag: str) -> ApiError:
    """The tag is taken and must not move, not even to the image it has (aws/containers-roadmap#2179)."""
    return ApiError(
        "ImageTagAlreadyExistsException",
        f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be "
        "overwritten because the tag is immutable.",
    )


def digest_mismatch(given: str, computed: str) -> ApiError:
    """The manifest does not have the digest it was sent with."""
    return ApiError(
        "ImageDigestDoesNotMatchException",
        f"The provided image digest '{given}' does not match the calculated image digest '{computed}'",
    )


def layers_not_found(repository: Repository, missing: Sequence[str]) -> ApiError:
    """The manifest needs blobs that were never uploaded."""
    return ApiError("LayersNotFoundException", _required("Layers", missing, repository))


def referenced_images_not_found(repository: Repository, missing: Sequence[str]) -> ApiError:
    """The index needs manifests that were never pushed here."""
    return ApiError("ReferencedImagesNotFoundException", _required("Images", missing, repository))


def layer_not_found(repository: Repository, digest: str) -> ApiError:
    """The repository holds no such blob."""
    return ApiError(
        "LayersNotFoundException", f"Layer with digest '{digest}' does not exist in the {_in(repository)}"
    )


def upload_not_found(repository: Repository, upload_id: str) -> ApiError:
    """No upload of that id is open in this repository."""
    return ApiError(
        "UploadNotFoundException",
        f"Upload with id '{upload_id}' could not be found for the {_in(repository)}",
    )


def unsupported_image(detail: str) -> ApiError:
    """The manifest is of a kind that ECR does not keep."""
    return ApiError("UnsupportedImageTypeException", detail)


def _image_text(digest: str | None, tag: str | None) -> str:
    return f"The image with imageId {{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"


def _required(what: str, missing: Sequence[str], repository: Repository) -> str:
    names = ", ".join(missing)
    return f"{what} with digests '[{names}]' required for pushing image into {_in(repository)} do not exist"
