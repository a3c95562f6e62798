"""One registry, two names: ``localhost:PORT`` and ECR's, for docker, skopeo and oras, at once and at length.

On the internet every name below ``localhost.localstack.cloud`` is 127.0.0.1, which Docker counts among the
registries that need no TLS. Here nothing resolves it: an entry in /etc/hosts does, while the tests run.
"""

import base64
import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import figures
from tests.contract.engine_registry_client import (
    OCI_MANIFEST,
    Server,
    digest_of,
    docker,
    docker_image,
    image_parts,
    manifest,
    run,
    skopeo,
    write_layout,
)
from tests.tools import require_oras

MIB = 1 << 20
ECR = "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud"
OTHER = "111111111111.dkr.ecr.eu-west-1.localhost.localstack.cloud"
PLAIN = ("--src-tls-verify=false", "--dest-tls-verify=false")
LARGE_MIB = int(os.environ.get("UNDERSTUDY_LARGE_IMAGE_MIB", "160"))


@contextlib.contextmanager
def resolved(*names: str) -> Iterator[None]:
    """Lets this machine resolve the names to loopback, and forgets them again."""
    hosts, line = Path("/etc/hosts"), f"127.0.0.1 {' '.join(names)} # a test of understudy {os.getpid()}\n"
    with hosts.open("a") as file:
        file.write(line)
    try:
        yield
    finally:
        hosts.write_text(hosts.read_text().replace(line, ""))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("engine")).start()
    with resolved(ECR, OTHER):
        yield running
    running.stop()


@pytest.fixture
def repository(server: Server, request: pytest.FixtureRequest) -> str:
    name = "n/" + request.node.name.split("[")[0].lower().replace("_", "-")
    server.ecr().create_repository(repositoryName=name)
    return name


@pytest.fixture(params=["localhost", ECR], ids=["localhost", "ecr"])
def names(request: pytest.FixtureRequest, server: Server) -> tuple[str, str]:
    """The name that is pushed to, and the one that is pulled from."""
    pushed, pulled = request.param, ECR if request.param == "localhost" else "localhost"
    return f"{pushed}:{server.port}", f"{pulled}:{server.port}"


def details(server: Server, repository: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ecr().describe_images(repositoryName=repository)["imageDetails"]
    return found


def oras(*arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [require_oras(), *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_docker_pushes_by_one_name_and_pulls_by_the_other(
    server: Server, names: tuple[str, str], tmp_path: Path
) -> None:
    repository = f"n/docker-{names[0].partition(':')[0]}"
    server.ecr().create_repository(repositoryName=repository)
    pushed, pulled = (f"{host}/{repository}:v1" for host in names)
    with docker_image(tmp_path, pushed):
        docker("push", pushed)
        [detail] = details(server, repository)
    try:
        docker("pull", pulled)
        [found] = json.loads(docker("image", "inspect", pulled))
        assert found["RepoDigests"] == [f"{names[1]}/{repository}@{detail['imageDigest']}"]
    finally:
        docker("rmi", "--force", pulled)


def test_docker_logs_in_and_pushes_to_the_account_of_the_name(server: Server, tmp_path: Path) -> None:
    far = server.ecr(account="111111111111", region="eu-west-1")
    far.create_repository(repositoryName="far")
    [data] = far.get_authorization_token()["authorizationData"]
    user, password = base64.b64decode(data["authorizationToken"]).decode().split(":")
    host = f"{OTHER}:{server.port}"
    own = ("--config", str(tmp_path / "config"))
    assert "Login Succeeded" in docker(*own, "login", "-u", user, "-p", password, host)
    with docker_image(tmp_path, f"{host}/far:v1") as name:
        docker(*own, "push", name)
    assert [each["imageTag"] for each in far.list_images(repositoryName="far")["imageIds"]] == ["v1"]
    own = server.ecr().describe_repositories()["repositories"]
    assert "far" not in [each["repositoryName"] for each in own]


def test_skopeo_copies_by_both_names(server: Server, names: tuple[str, str], tmp_path: Path) -> None:
    repository = f"n/skopeo-{names[0].partition(':')[0]}"
    server.ecr().create_repository(repositoryName=repository)
    raw = write_layout(tmp_path / "layout", f"skopeo {names[0]}")
    pushed, pulled = (f"docker://{host}/{repository}:v1" for host in names)
    skopeo("copy", *PLAIN, f"oci:{tmp_path}/layout:it", pushed)
    assert skopeo("inspect", "--raw", "--tls-verify=false", pulled).encode() == raw


def test_oras_pushes_pulls_copies_and_attaches(server: Server, repository: str, tmp_path: Path) -> None:
    local, named = f"localhost:{server.port}/{repository}", f"{ECR}:{server.port}/{repository}"
    (tmp_path / "report.json").write_text('{"passed": true}')
    oras("push", "--plain-http", f"{named}:report", "report.json:application/json", cwd=tmp_path)
    assert oras("repo", "tags", "--plain-http", local).split() == ["report"]
    oras("pull", "--plain-http", "--output", str(tmp_path / "back"), f"{local}:report")
    assert (tmp_path / "back" / "report.json").read_text() == '{"passed": true}'
    raw = write_layout(tmp_path / "layout", "oras")
    oras("cp", "--from-oci-layout", f"{tmp_path}/layout:it", "--to-plain-http", f"{named}:image")
    assert oras("manifest", "fetch", "--plain-http", f"{local}:image").encode() == raw
    oras(
        *("attach", "--plain-http", "--artifact-type", "application/vnd.example.report", f"{named}:image"),
        "report.json:application/json",
        cwd=tmp_path,
    )
    referrers = json.loads(oras("discover", "--plain-http", "--format", "json", f"{local}:image"))
    found = referrers.get("manifests") or referrers["referrers"]
    assert [each["artifactType"] for each in found] == ["application/vnd.example.report"]


def test_docker_and_oras_push_at_the_same_time(server: Server, repository: str, tmp_path: Path) -> None:
    """Four images by docker, and one image six times by oras, by both names."""
    hosts = [f"{host}:{server.port}/{repository}" for host in ("localhost", ECR)]
    images = [f"{hosts[number % 2]}:v{number}" for number in range(4)]
    raw = write_layout(tmp_path / "layout", "same")
    same = ("cp", "--from-oci-layout", f"{tmp_path}/layout:it", "--to-plain-http")
    with contextlib.ExitStack() as stack:
        for number, name in enumerate(images):
            folder = tmp_path / str(number)
            folder.mkdir()
            stack.enter_context(docker_image(folder, name, 8 * MIB))
        with ThreadPoolExecutor(10) as pool:
            pushes = [pool.submit(docker, "push", name) for name in images]
            pushes += [pool.submit(oras, *same, f"{hosts[number % 2]}:same{number}") for number in range(6)]
            for each in pushes:
                each.result()
    found = {tag: each["imageDigest"] for each in details(server, repository) for tag in each["imageTags"]}
    assert {found[f"same{number}"] for number in range(6)} == {digest_of(raw)}
    assert len({found[f"v{number}"] for number in range(4)}) == 4
    for digest in set(found.values()):
        document = json.loads(server.http("GET", f"/v2/{repository}/manifests/{digest}").body)
        for layer in document["layers"]:
            blob = server.http("GET", f"/v2/{repository}/blobs/{layer['digest']}").body
            assert digest_of(blob) == layer["digest"]


def test_a_large_image_passes_in_flat_memory(server: Server, repository: str, tmp_path: Path) -> None:
    """By skopeo, both ways; of 1 GiB with UNDERSTUDY_LARGE_IMAGE_MIB=1024."""
    layout = tmp_path / "layout"
    raw = _large_layout(layout, LARGE_MIB)
    address = f"docker://{ECR}:{server.port}/{repository}:large"
    server.probe()
    before = server.probe()
    same = ("copy", "--preserve-digests", *PLAIN)
    skopeo(*same, f"oci:{layout}:it", address)
    pushed = server.probe()
    skopeo(*same, address, f"oci:{tmp_path}/back:it")
    pulled = server.probe()
    [blob] = json.loads(raw)["layers"]
    name = blob["digest"].removeprefix("sha256:")
    run("cmp", *(str(folder / "blobs" / "sha256" / name) for folder in (layout, tmp_path / "back")))
    grown = [(probe["peak_kb"] - before["rss_kb"]) / 1024 for probe in (pushed, pulled)]
    figures.tell(
        f"an image of {LARGE_MIB} MiB: the engine grows by {grown[0]:.0f} MiB while it is pushed, "
        f"{grown[1]:.0f} MiB while it is pulled"
    )
    assert max(grown) < 32


def _large_layout(folder: Path, size_mib: int) -> bytes:
    """Writes an OCI layout with one layer of this size, one block again and again; returns its manifest."""
    write_layout(folder, "large")
    blobs, block, sha = folder / "blobs" / "sha256", os.urandom(MIB), hashlib.sha256()
    with (blobs / "layer").open("wb") as file:
        for _ in range(size_mib):
            file.write(block)
            sha.update(block)
    (blobs / "layer").rename(blobs / sha.hexdigest())
    kind = "application/vnd.oci.image.layer.v1.tar"
    document = json.loads(manifest(image_parts("large")[0], []))
    document["layers"] = [{"mediaType": kind, "digest": f"sha256:{sha.hexdigest()}", "size": size_mib * MIB}]
    raw = json.dumps(document).encode()
    (blobs / digest_of(raw).removeprefix("sha256:")).write_bytes(raw)
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0] |= {"mediaType": OCI_MANIFEST, "digest": digest_of(raw), "size": len(raw)}
    (folder / "index.json").write_text(json.dumps(index))
    return raw
