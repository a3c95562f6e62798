"""AWS's words for ECR's refusals, as recorded in public issue threads."""

from understudy.engine.ecr import errors
from understudy.engine.ecr.model import Registry, Repository

APP = Repository(registry=Registry(), name="app", created_at=0)
ID = "000000000000"


def test_texts_are_the_recorded_ones() -> None:
    assert errors.repository_not_found("app", ID).message == (
        "The repository with name 'app' does not exist in the registry with id '000000000000'"
    )
    assert errors.image_not_found(APP, digest=None, tag="v1").message == (
        "The image with imageId {imageDigest:'null', imageTag:'v1'} does not exist within the "
        "repository with name 'app' in the registry with id '000000000000'"
    )
    assert errors.layers_not_found(APP, ["sha256:1", "sha256:2"]).message == (
        "Layers with digests '[sha256:1, sha256:2]' required for pushing image into repository with name "
        "'app' in the registry with id '000000000000' do not exist"
    )
    assert errors.tag_immutable(APP, "v1").message == (
        "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the "
        "tag is immutable."
    )
    assert errors.scan_not_found(APP, digest=None, tag="v1").message == (
        "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'v1'}' in the "
        "repository with name 'app' in the registry with id '000000000000'"
    )
