"""The ECR API through boto3: shapes, typed exceptions, paginators and waiters work as against AWS."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.engine_registry_client import Server, digest_of, image_parts, manifest

KEEP_ONE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "keep the newest",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("engine")).start()
    yield running
    running.stop()


def test_repository_round_trip(server: Server) -> None:
    ecr = server.ecr()
    made = ecr.create_repository(
        repositoryName="team/app",
        imageTagMutability="MUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        tags=[{"Key": "owner", "Value": "me"}],
    )["repository"]
    [found] = ecr.describe_repositories(repositoryNames=["team/app"])["repositories"]
    assert found == made
    assert found["repositoryUri"] == (
        f"000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:{server.port}/team/app"
    )
    assert abs(found["createdAt"] - datetime.now(UTC)) < timedelta(minutes=5)
    assert ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"] == [
        {"Key": "owner", "Value": "me"}
    ]
    with pytest.raises(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName="team/app")
    ecr.delete_repository(repositoryName="team/app")
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException) as caught:
        ecr.describe_repositories(repositoryNames=["team/app"])
    assert caught.value.response["Error"]["Message"] == (
        "The repository with name 'team/app' does not exist in the registry with id '000000000000'"
    )


def test_accounts_and_regions_are_separate(server: Server) -> None:
    server.ecr(account="111111111111").create_repository(repositoryName="mine")
    server.ecr(account="111111111111", region="eu-west-1").create_repository(repositoryName="mine")
    names = [
        each["repositoryName"]
        for page in server.ecr().get_paginator("describe_repositories").paginate()
        for each in page["repositories"]
    ]
    assert "mine" not in names


def test_policies_and_their_absence(server: Server) -> None:
    ecr = server.ecr()
    ecr.create_repository(repositoryName="policies")
    with pytest.raises(ecr.exceptions.RepositoryPolicyNotFoundException):
        ecr.get_repository_policy(repositoryName="policies")
    with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
        ecr.get_lifecycle_policy(repositoryName="policies")
    with pytest.raises(ecr.exceptions.RegistryPolicyNotFoundException):
        ecr.get_registry_policy()
    with pytest.raises(ecr.exceptions.InvalidParameterException, match="tagStatus=TAGGED"):
        ecr.put_lifecycle_policy(
            repositoryName="policies", lifecyclePolicyText=KEEP_ONE.replace('"any"', '"tagged"')
        )
    ecr.put_lifecycle_policy(repositoryName="policies", lifecyclePolicyText=KEEP_ONE)
    assert ecr.get_lifecycle_policy(repositoryName="policies")["lifecyclePolicyText"] == KEEP_ONE


def test_preview_waiter_and_paginator(server: Server) -> None:
    ecr = server.ecr()
    ecr.create_repository(repositoryName="preview")
    for tag in ("a", "b", "c"):
        server.push_image("preview", tag, tag)
    ecr.start_lifecycle_policy_preview(repositoryName="preview", lifecyclePolicyText=KEEP_ONE)
    ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName="preview")
    pages = ecr.get_paginator("get_lifecycle_policy_preview").paginate(
        repositoryName="preview", PaginationConfig={"PageSize": 1}
    )
    assert [each["imageTags"] for page in pages for each in page["previewResults"]] == [["a"], ["b"]]


def test_layers_and_image_without_the_registry_protocol(server: Server) -> None:
    ecr, name = server.ecr(), {"repositoryName": "api-only"}
    ecr.create_repository(**name)
    config, layer = image_parts("api only")
    raw = manifest(config, [layer])
    with pytest.raises(ecr.exceptions.LayersNotFoundException):
        ecr.put_image(**name, imageManifest=raw.decode())
    for blob in (config, layer):
        upload = ecr.initiate_layer_upload(**name)["uploadId"]
        half = len(blob) // 2
        for first, last in ((0, half - 1), (half, len(blob) - 1)):
            ecr.upload_layer_part(
                **name,
                uploadId=upload,
                partFirstByte=first,
                partLastByte=last,
                layerPartBlob=blob[first : last + 1],
            )
        ecr.complete_layer_upload(**name, uploadId=upload, layerDigests=[digest_of(blob)])
    image = ecr.put_image(**name, imageManifest=raw.decode(), imageTag="v1")["image"]
    assert image["imageId"] == {"imageDigest": digest_of(raw), "imageTag": "v1"}
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(**name, imageManifest=raw.decode(), imageTag="v1")
    [detail] = ecr.describe_images(**name)["imageDetails"]
    assert detail["imageSizeInBytes"] == len(config) + len(layer)
    url = ecr.get_download_url_for_layer(**name, layerDigest=digest_of(layer))["downloadUrl"]
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == layer


def test_upload_errors_are_typed(server: Server) -> None:
    ecr, name = server.ecr(), {"repositoryName": "upload-errors"}
    ecr.create_repository(**name)
    upload = ecr.initiate_layer_upload(**name)["uploadId"]
    with pytest.raises(ecr.exceptions.InvalidLayerPartException) as caught:
        ecr.upload_layer_part(**name, uploadId=upload, partFirstByte=5, partLastByte=5, layerPartBlob=b"x")
    assert caught.value.response["lastValidByteReceived"] == 0
    with pytest.raises(ecr.exceptions.EmptyUploadException):
        ecr.complete_layer_upload(**name, uploadId=upload, layerDigests=[digest_of(b"x")])
    with pytest.raises(ecr.exceptions.UploadNotFoundException):
        ecr.complete_layer_upload(
            **name, uploadId="00000000-0000-4000-8000-000000000000", layerDigests=[digest_of(b"x")]
        )


def test_images_page_and_delete(server: Server) -> None:
    ecr, name = server.ecr(), {"repositoryName": "images"}
    ecr.create_repository(**name)
    pushed = [server.push_image("images", f"v{number}", str(number)) for number in range(5)]
    pages = ecr.get_paginator("describe_images").paginate(**name, PaginationConfig={"PageSize": 2})
    assert [each["imageDigest"] for page in pages for each in page["imageDetails"]] == pushed[::-1]
    answer = ecr.batch_delete_image(**name, imageIds=[{"imageTag": "v0"}, {"imageTag": "none"}])
    assert answer["imageIds"] == [{"imageDigest": pushed[0], "imageTag": "v0"}]
    assert answer["failures"][0]["failureCode"] == "ImageNotFound"
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(**name, imageIds=[{"imageTag": "v0"}])
    with pytest.raises(ecr.exceptions.ScanNotFoundException):
        ecr.describe_image_scan_findings(**name, imageId={"imageTag": "v1"})
    with pytest.raises(ecr.exceptions.RepositoryNotEmptyException):
        ecr.delete_repository(**name)
    ecr.delete_repository(**name, force=True)


def test_what_is_missing_says_so(server: Server) -> None:
    ecr = server.ecr()
    with pytest.raises(ecr.exceptions.ClientError, match="StartImageScan is not implemented"):
        ecr.start_image_scan(repositoryName="any", imageId={"imageTag": "v1"})
