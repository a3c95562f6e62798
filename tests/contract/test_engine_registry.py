"""The registry protocol against its real clients: docker, skopeo, and the specification's table over HTTP."""

import base64
import hashlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contract.engine_registry_client import (
    OCI_MANIFEST,
    Server,
    digest_of,
    docker,
    docker_image,
    image_parts,
    manifest,
    skopeo,
    write_layout,
)

MIB = 1 << 20
PLAIN = ("--src-tls-verify=false", "--dest-tls-verify=false")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("engine")).start()
    yield running
    running.stop()


@pytest.fixture
def repository(server: Server, request: pytest.FixtureRequest) -> str:
    name = "t/" + request.node.name.split("[")[0].lower().replace("_", "-")
    server.ecr().create_repository(repositoryName=name)
    return name


def test_docker_pushes_pulls_and_finds_layers_again(server: Server, repository: str, tmp_path: Path) -> None:
    with docker_image(tmp_path, f"{server.host}/{repository}:v1") as name:
        first = docker("push", name)
        assert "Pushed" in first
        assert "Layer already exists" in docker("push", name)
        [detail] = server.ecr().describe_images(repositoryName=repository)["imageDetails"]
        assert detail["imageDigest"] in first
        assert detail["imageSizeInBytes"] > 100_000
        assert "lastRecordedPullTime" not in detail
        docker("rmi", name)
        assert detail["imageDigest"] in docker("pull", name)
        assert detail["imageDigest"] in docker("image", "inspect", "--format", "{{.RepoDigests}}", name)
    assert (
        "lastRecordedPullTime" in server.ecr().describe_images(repositoryName=repository)["imageDetails"][0]
    )


def test_docker_is_told_what_ecr_tells(server: Server, repository: str, tmp_path: Path) -> None:
    ecr = server.ecr()
    with docker_image(tmp_path, f"{server.host}/never-created:v1") as name:
        refused = docker("push", name, ok=False)
        assert (
            "name unknown: The repository with name 'never-created' does not exist in the registry with id "
            "'000000000000'" in refused
        )
    ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")
    with docker_image(tmp_path, f"{server.host}/{repository}:v1") as name:
        docker("push", name)
        refused = docker("push", name, ok=False)
        assert f"tag invalid: The image tag 'v1' already exists in the '{repository}' repository" in refused


def test_docker_login_takes_ecrs_token(server: Server, tmp_path: Path) -> None:
    [data] = server.ecr().get_authorization_token()["authorizationData"]
    user, password = base64.b64decode(data["authorizationToken"]).decode().split(":")
    own = ("--config", str(tmp_path), "login")
    assert "Login Succeeded" in docker(*own, "-u", user, "-p", password, server.host)


def test_skopeo_copies_byte_for_byte_both_ways(server: Server, repository: str, tmp_path: Path) -> None:
    raw = write_layout(tmp_path / "layout", "skopeo")
    address = f"docker://{server.host}/{repository}"
    skopeo("copy", *PLAIN, f"oci:{tmp_path}/layout:it", f"{address}:v1")
    [image] = server.ecr().batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}])["images"]
    assert image["imageManifest"].encode() == raw
    skopeo("copy", *PLAIN, f"{address}@{digest_of(raw)}", f"oci:{tmp_path}/back:it")
    index = json.loads((tmp_path / "back" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == digest_of(raw)
    skopeo("copy", *PLAIN, f"{address}:v1", f"{address}:v2")
    assert json.loads(skopeo("list-tags", "--tls-verify=false", address))["Tags"] == ["v1", "v2"]
    skopeo("delete", "--tls-verify=false", f"{address}:v1")
    assert server.ecr().list_images(repositoryName=repository)["imageIds"] == []


def test_skopeo_mounts_between_repositories(server: Server, repository: str, tmp_path: Path) -> None:
    server.ecr().create_repository(repositoryName=f"{repository}-2")
    write_layout(tmp_path / "layout", "mounted")
    address = f"docker://{server.host}/{repository}"
    skopeo("copy", *PLAIN, f"oci:{tmp_path}/layout:it", f"{address}:v1")
    skopeo("copy", *PLAIN, f"{address}:v1", f"{address}-2:v1")
    assert len(server.ecr().list_images(repositoryName=f"{repository}-2")["imageIds"]) == 1


def test_pushes_at_the_same_time_do_not_disturb_each_other(server: Server, repository: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: server.push_image(repository, f"v{n}", f"salt {n // 2}"), range(16)))
    assert len(set(found)) == 8
    details = server.ecr().describe_images(repositoryName=repository)["imageDetails"]
    assert sorted(tag for each in details for tag in each["imageTags"]) == sorted(f"v{n}" for n in range(16))
    for digest in set(found):
        assert server.http("GET", f"/v2/{repository}/manifests/{digest}").status == 200


def test_keep_five_keeps_five(server: Server, repository: str) -> None:
    ecr = server.ecr()
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}
    rule = {"rulePriority": 1, "description": "keep 5", "selection": selection, "action": {"type": "expire"}}
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": [rule]}))
    for number in range(7):
        server.push_image(repository, f"v{number}", f"keep {number}")
    details = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert [each["imageTags"] for each in details] == [["v6"], ["v5"], ["v4"], ["v3"], ["v2"]]
    assert server.http("GET", f"/v2/{repository}/manifests/v1").code == "MANIFEST_UNKNOWN"


def test_memory_stays_flat_under_300_mib(server: Server, repository: str) -> None:
    chunk, salt = os.urandom(MIB), os.urandom(16)
    sha = hashlib.sha256(salt)
    for _ in range(300):
        sha.update(chunk)
    digest = f"sha256:{sha.hexdigest()}"
    server.probe()
    before = server.probe()
    path = server.begin(repository)
    sent = server.http("PATCH", path, (salt, *(chunk for _ in range(300))))
    assert (sent.status, sent.headers["Range"]) == (202, f"0-{300 * MIB + 15}")
    assert server.http("PUT", f"{path}?digest={digest}").status == 201
    pushed = server.probe()
    tail = server.http("GET", f"/v2/{repository}/blobs/{digest}", headers={"Range": "bytes=-16"})
    assert (tail.status, tail.body) == (206, chunk[-16:])
    whole = server.http("GET", f"/v2/{repository}/blobs/{digest}")
    assert digest_of(whole.body) == digest
    pulled = server.probe()
    sys.stdout.write(f"before {before}\npush {pushed}\npull {pulled}\n")
    assert pushed["peak_kb"] - before["rss_kb"] < 32 * 1024
    assert pulled["peak_kb"] - before["rss_kb"] < 32 * 1024


def test_an_upload_goes_on_after_the_connection_and_the_engine_died(server: Server, repository: str) -> None:
    data = os.urandom(3 * MIB)
    path = server.begin(repository)
    head = f"PATCH {path} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: {len(data)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + data[:MIB])
    asked = (server.http("GET", path).headers["Range"] for _ in range(1000))
    assert f"0-{MIB - 1}" in asked
    assert server.http("PATCH", path, data[MIB : 2 * MIB]).headers["Range"] == f"0-{2 * MIB - 1}"
    server.kill(signal.SIGKILL)
    server.start()
    status = server.http("GET", path)
    assert (status.status, status.headers["Range"]) == (204, f"0-{2 * MIB - 1}")
    content_range = {"Content-Range": f"{2 * MIB}-{3 * MIB - 1}"}
    done = server.http("PUT", f"{path}?digest={digest_of(data)}", data[2 * MIB :], content_range)
    assert done.status == 201
    assert server.http("GET", f"/v2/{repository}/blobs/{digest_of(data)}").body == data


def test_images_survive_kill_9(server: Server, repository: str) -> None:
    digest = server.push_image(repository, "v1", "survivor")
    server.kill(signal.SIGKILL)
    server.start()
    assert server.http("GET", f"/v2/{repository}/manifests/v1").headers["Docker-Content-Digest"] == digest
    assert server.http("GET", f"/v2/{repository}/blobs/{digest_of(image_parts('survivor')[1])}").status == 200


def test_an_index_is_kept_with_its_images(server: Server, repository: str) -> None:
    digest = server.push_image(
        repository, digest_of(manifest(image_parts("x")[0], [image_parts("x")[1]])), "x"
    )
    size = len(server.http("GET", f"/v2/{repository}/manifests/{digest}").body)
    platform = {"os": "linux", "architecture": "amd64"}
    entry = {"mediaType": OCI_MANIFEST, "digest": digest, "size": size, "platform": platform}
    index_type = "application/vnd.oci.image.index.v1+json"
    index = json.dumps({"schemaVersion": 2, "mediaType": index_type, "manifests": [entry]}).encode()
    put = server.http("PUT", f"/v2/{repository}/manifests/multi", index, {"Content-Type": index_type})
    assert put.status == 201
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{server.host}/{repository}:multi")
    assert raw.encode() == index
    details = server.ecr().describe_images(repositoryName=repository, imageIds=[{"imageTag": "multi"}])
    assert details["imageDetails"][0]["imageManifestMediaType"] == index_type


def test_host_chooses_the_registry(server: Server) -> None:
    server.ecr(account="111111111111", region="eu-west-1").create_repository(repositoryName="far/away")
    for domain in ("localhost.localstack.cloud", "amazonaws.com"):
        host = f"111111111111.dkr.ecr.eu-west-1.{domain}"
        answer = server.http("POST", "/v2/far/away/blobs/uploads/", headers={"Host": host})
        assert (answer.status, answer.headers["Location"].startswith(f"http://{host}/v2/far/away/")) == (
            202,
            True,
        )
    assert server.http("POST", "/v2/far/away/blobs/uploads/").code == "NAME_UNKNOWN"
    assert server.http("GET", "/v2/", headers={"Host": "evil.example"}).status == 403


UNKNOWN = digest_of(b"unknown")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/", 200, None),
        ("HEAD", "/v2/", 200, None),
        ("GET", "/v2/_catalog", 200, None),
        ("GET", "/v2/_catalog?n=x", 400, "PAGINATION_NUMBER_INVALID"),
        ("GET", "/v2/REPO/tags/list", 200, None),
        ("GET", "/v2/none/tags/list", 404, "NAME_UNKNOWN"),
        ("GET", "/v2/REPO/manifests/none", 404, "MANIFEST_UNKNOWN"),
        ("HEAD", "/v2/REPO/manifests/none", 404, None),
        ("GET", f"/v2/REPO/manifests/{UNKNOWN}", 404, "MANIFEST_UNKNOWN"),
        ("PUT", "/v2/REPO/manifests/v1", 400, "MANIFEST_INVALID"),
        ("DELETE", "/v2/REPO/manifests/none", 404, "MANIFEST_UNKNOWN"),
        ("POST", "/v2/REPO/manifests/v1", 405, "UNSUPPORTED"),
        ("GET", f"/v2/REPO/blobs/{UNKNOWN}", 404, "BLOB_UNKNOWN"),
        ("HEAD", f"/v2/REPO/blobs/{UNKNOWN}", 404, None),
        ("GET", "/v2/REPO/blobs/sha256:abc", 400, "DIGEST_INVALID"),
        ("DELETE", f"/v2/REPO/blobs/{UNKNOWN}", 405, "UNSUPPORTED"),
        ("POST", "/v2/REPO/blobs/uploads/", 202, None),
        ("POST", f"/v2/REPO/blobs/uploads/?digest={UNKNOWN}", 400, "DIGEST_INVALID"),
        ("POST", f"/v2/REPO/blobs/uploads/?mount={UNKNOWN}&from=none", 202, None),
        ("GET", "/v2/REPO/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("PATCH", "/v2/REPO/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("PUT", f"/v2/REPO/blobs/uploads/none?digest={UNKNOWN}", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("DELETE", "/v2/REPO/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("GET", f"/v2/REPO/referrers/{UNKNOWN}", 200, None),
        ("GET", "/v2/REPO/referrers/none", 400, "DIGEST_INVALID"),
        ("GET", "/v2/apis", 599, None),
    ],
)
def test_status_table(server: Server, method: str, path: str, status: int, code: str | None) -> None:
    name = "table"
    if name not in json.loads(server.http("GET", "/v2/_catalog").body)["repositories"]:
        server.ecr().create_repository(repositoryName=name)
    answer = server.http(method, path.replace("REPO", name))
    assert answer.status == status
    if code is not None:
        assert answer.code == code
        assert answer.headers["Content-Type"] == "application/json"
