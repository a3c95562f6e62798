"""Docker and skopeo as the other party: what they push we pull, what we push they pull."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.registry_servers import docker_registry
from tests.tools import require_tool
from tests.unit.image.samples import file, folder, image_of, noise, store_at
from understudy.image import model, rootfs
from understudy.image.registry import RegistryClient
from understudy.image.store import Store


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    with docker_registry(tmp_path) as address:
        yield address


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


def run(*command: str, data: bytes | None = None) -> str:
    tool = require_tool(command[0])
    done = subprocess.run([tool, *command[1:]], input=data, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_docker_pulls_and_runs_what_we_push(host: str, store: Store) -> None:
    image = image_of(
        store, [folder("opt"), file("opt/hello", b"from understudy")], [file("opt/big", noise(300_000))]
    )
    with RegistryClient(host) as client:
        client.push(image, store, "team/ours", ["v1"])
    name = f"{host}/team/ours:v1"
    run("docker", "pull", "-q", name)
    try:
        container = run("docker", "create", name).strip()
        packed = subprocess.run(
            ["docker", "cp", f"{container}:/opt/hello", "-"], capture_output=True, check=True
        ).stdout
        run("docker", "rm", container)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            member = archive.extractfile("hello")
            assert member is not None
            assert member.read() == b"from understudy"
        repo_digests = json.loads(run("docker", "image", "inspect", name))[0]["RepoDigests"]
        assert repo_digests == [f"{host}/team/ours@{image.digest}"]
    finally:
        run("docker", "rmi", "-f", name)


def test_we_pull_and_unpack_what_docker_pushes(host: str, store: Store, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo("etc/motd")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"hello"))
    name = f"{host}/team/theirs:v1"
    run("docker", "import", "-", name, data=packed.getvalue())
    try:
        run("docker", "push", "-q", name)
    finally:
        run("docker", "rmi", "-f", name)
    with RegistryClient(host) as client:
        image = client.pull("team/theirs:v1", store)
    (layer,) = rootfs.prepare(store, image.digest).layers
    assert (layer / "etc/motd").read_bytes() == b"hello"


def test_skopeo_reads_the_store_as_an_oci_layout(store: Store, tmp_path: Path) -> None:
    image = image_of(store, [file("a", noise(200_000))], tag="team/app:v1")
    copied = store_at(tmp_path / "copied")
    run("skopeo", "copy", "-q", f"oci:{store.root}:team/app:v1", f"oci:{copied.root}:back")
    assert copied.resolve("back") == image.digest
    assert copied.image("back") == image


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_we_pull_what_skopeo_copies(host: str, store: Store, tmp_path: Path, form: str) -> None:
    image = image_of(store, [file("a", noise(200_000))], tag="app")
    target = f"docker://{host}/team/skopeo:v1"
    run(
        "skopeo", "copy", "-q", "--dest-tls-verify=false", f"--format={form}", f"oci:{store.root}:app", target
    )
    other = store_at(tmp_path / "other")
    with RegistryClient(host) as client:
        pulled = client.pull("team/skopeo:v1", other)
    assert pulled.manifest.media_type == (model.OCI_MANIFEST if form == "oci" else model.DOCKER_MANIFEST)
    assert pulled.config.diff_ids == image.config.diff_ids


def test_skopeo_copies_our_push_byte_for_byte(host: str, store: Store, tmp_path: Path) -> None:
    image = image_of(store, [file("a", noise(200_000))], docker=True)
    with RegistryClient(host) as client:
        client.push(image, store, "team/ours", ["v1"])
    target = tmp_path / "dir"
    run(
        "skopeo", "copy", "-q", "--preserve-digests", "--src-tls-verify=false",
        f"docker://{host}/team/ours:v1", f"dir:{target}",
    )  # fmt: skip
    assert (target / "manifest.json").read_bytes() == image.manifest.raw


def test_index_that_skopeo_copies_whole_gives_our_platform(host: str, store: Store, tmp_path: Path) -> None:
    from understudy.image import render

    images = [image_of(store, [file("a")], architecture=name) for name in ("arm64", "amd64")]
    entries = [
        {
            "mediaType": image.manifest.media_type,
            "digest": image.digest,
            "size": len(image.manifest.raw),
            "platform": {"os": "linux", "architecture": image.config.architecture},
        }
        for image in images
    ]
    index = render.document({"schemaVersion": 2, "mediaType": model.OCI_INDEX, "manifests": entries})
    store.tag("multi", store.put(index))
    run(
        "skopeo", "copy", "-q", "--all", "--dest-tls-verify=false",
        f"oci:{store.root}:multi", f"docker://{host}/team/multi:v1",
    )  # fmt: skip
    with RegistryClient(host) as client:
        pulled = client.pull("team/multi:v1", store_at(tmp_path / "other"))
    assert pulled.digest == images[1].digest
