"""Images as the real tools write them: Docker's engine and archives, skopeo's layouts, Debian's registry."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.registry_servers import docker_registry
from tests.tools import require_docker, require_tool
from tests.unit.image.samples import file, folder, image_of, noise, store_at
from tests.unit.verify import samples
from understudy.image.layers import Entry, Kind
from understudy.image.layers.writer import opaque, whiteout
from understudy.image.model import Image
from understudy.image.registry import RegistryClient
from understudy.image.store import Store
from understudy.verify import sources, subject
from understudy.verify.model import Node, Subject
from understudy.verify.sources.engine import DockerCommand, EngineUnreachableError
from understudy.verify.sources.model import ImageNotFoundError

LAYERS = (
    [
        folder("var/task"),
        file("var/task/app.py", b"old", mtime_s=1_600_000_000),
        file("var/task/gone.py", b"gone"),
        folder("var/cache"),
        file("var/cache/old", b"1"),
        folder("opt/replaced"),
        file("opt/replaced/below", b"1"),
        Entry(path="opt/link", kind=Kind.SYMLINK, target="/var/task/app.py"),
        file("opt/big", noise(300_000)),
    ],
    [
        file("var/task/app.py", b"def handler(event, context): ...\n", mode=0o600, uid=993, gid=990),
        whiteout("var/task/gone.py"),
        opaque("var/cache"),
        file("var/cache/new", b"2"),
        file("opt/replaced", b"a file now"),
        file("opt/one", b"one content", mode=0o751),
        Entry(path="opt/twin", kind=Kind.HARDLINK, target="opt/one", mode=0o751),
    ],
)
BY_DOCKER = ("/.dockerenv", "/dev", "/etc", "/proc", "/sys")
"""What Docker adds to a container's root."""


@pytest.fixture(name="host")
def registry(tmp_path: Path) -> Iterator[str]:
    with docker_registry(tmp_path) as address:
        yield address


@pytest.fixture(name="store")
def verifying_store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "verifying")


@pytest.fixture(name="pushed")
def image_in_a_registry(host: str, tmp_path: Path) -> tuple[str, Image]:
    builder = store_at(tmp_path / "building")
    image = image_of(builder, *LAYERS)
    with RegistryClient(host) as client:
        client.push(image, builder, "team/app", ["v1"])
    return f"{host}/team/app:v1", image


@pytest.fixture(name="in_engine")
def image_in_the_engine(pushed: tuple[str, Image]) -> Iterator[str]:
    reference, _ = pushed
    require_docker()
    run("docker", "pull", "-q", reference)
    run("docker", "tag", reference, "understudy-verify-test:v1")
    try:
        yield "understudy-verify-test:v1"
    finally:
        run("docker", "rmi", "-f", "understudy-verify-test:v1", reference)


def run(*command: str, data: bytes | None = None, **environment: str) -> bytes:
    tool = require_tool(command[0])
    done = subprocess.run(
        [tool, *command[1:]],
        input=data,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def seen(found: Subject) -> dict[str, tuple[object, ...]]:
    """What a container of the image would see."""
    return {node.path: facts(node, found) for node in found.files.walk() if not is_dockers(node.path)}


def facts(node: Node, found: Subject) -> tuple[object, ...]:
    content = found.files.read(node.path) if node.kind == "file" else None
    return node.kind, node.mode, node.uid, node.gid, node.link, node.size_bytes, content


def is_dockers(path: str) -> bool:
    return any(path == name or path.startswith(f"{name}/") for name in BY_DOCKER)


def exported(name: str) -> dict[str, tuple[object, ...]]:
    """The same by Docker: the root of a container that was never started."""
    container = run("docker", "create", name, "x").decode().strip()
    try:
        content = run("docker", "export", container)
    finally:
        run("docker", "rm", container)
    seen: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            path = f"/{member.name.strip('/')}"
            if path == "/" or is_dockers(path):
                continue
            if member.islnk():
                seen[path] = seen[f"/{member.linkname.strip('/')}"]
                continue
            kind = "dir" if member.isdir() else "symlink" if member.issym() else "file"
            reader = archive.extractfile(member) if member.isfile() else None
            seen[path] = (
                kind,
                member.mode & 0o7777,
                member.uid,
                member.gid,
                member.linkname,
                member.size,
                None if reader is None else reader.read(),
            )
    return seen


def verified(reference: str, store: Store, platform: str = "linux/amd64") -> dict[str, tuple[object, ...]]:
    with sources.open(reference, store=store, platform=platform) as source:
        found = subject.load(source)
        assert [layer.problem for layer in found.layers] == [""] * len(found.layers)
        assert [layer.actual_diff_id for layer in found.layers] == [layer.diff_id for layer in found.layers]
        return seen(found)


def test_the_flattened_tree_is_dockers_own(in_engine: str, store: Store, pushed: tuple[str, Image]) -> None:
    theirs = exported(in_engine)
    assert "/var/task/app.py" in theirs
    assert "/var/cache/old" not in theirs
    for reference in (f"docker://{in_engine}", in_engine, pushed[0]):
        assert verified(reference, store) == theirs, reference


def test_docker_save_is_read_from_disk_plain_and_compressed(
    in_engine: str, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "saved.tar"
    run("docker", "save", in_engine, "-o", str(path))
    theirs = exported(in_engine)
    assert verified(str(path), store) == theirs
    assert verified(f"docker-archive:{path}", store) == theirs
    run("gzip", str(path))
    assert verified(f"{path}.gz", store) == theirs


def test_what_the_classic_store_saves_is_an_export(in_engine: str, store: Store, tmp_path: Path) -> None:
    classic = b"overlayfs" not in run("docker", "info", "--format", "{{.DriverStatus}}")
    with sources.open(f"docker://{in_engine}", store=store) as source:
        assert source.exported is classic
        assert subject.load(source).exported is classic


def test_the_docker_command_gives_what_its_engine_gives(in_engine: str, store: Store) -> None:
    through = sources.Outside(engine=DockerCommand)
    with sources.open(in_engine, store=store, outside=through) as source:
        assert seen(subject.load(source)) == exported(in_engine)
    command = DockerCommand(os.environ)
    assert command.has(in_engine)
    assert not command.has("understudy-verify-test:unknown")
    with pytest.raises(ImageNotFoundError):
        command.save("understudy-verify-test:unknown", lambda _: None)
    nowhere = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    with pytest.raises(EngineUnreachableError):
        DockerCommand(nowhere).has(in_engine)


def test_an_engine_that_is_not_there_is_said_to_be_so(store: Store) -> None:
    beyond = sources.Outside(environment={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    with (
        pytest.raises(EngineUnreachableError, match="does not answer"),
        sources.open("docker://app", store=store, outside=beyond),
    ):
        pass


def test_an_image_that_the_engine_lacks_is_named(store: Store) -> None:
    require_docker()
    with (
        pytest.raises(ImageNotFoundError, match="has no image"),
        sources.open("docker://understudy-verify-test:unknown", store=store),
    ):
        pass


def test_layers_of_dockers_builder_say_their_instruction(store: Store, tmp_path: Path) -> None:
    require_docker()
    (tmp_path / "app.py").write_bytes(b"x = 1\n")
    lines = ("FROM scratch", "COPY app.py /var/task/", "ENV A=1", "COPY --chown=993:990 app.py /opt/")
    (tmp_path / "Dockerfile").write_text("\n".join((*lines, 'CMD ["app.handler"]', "")))
    run("docker", "build", "-q", "-t", "understudy-verify-built", str(tmp_path), DOCKER_BUILDKIT="0")
    try:
        with sources.open("docker://understudy-verify-built", store=store) as source:
            found = subject.load(source)
            assert [layer.instruction for layer in found.layers] == [
                "COPY ... /var/task/",
                "COPY --chown=993:990 ... /opt/",
            ]
            assert found.place("/opt/app.py").instruction == "COPY --chown=993:990 ... /opt/"
            assert found.launch.command == ("app.handler",)
    finally:
        run("docker", "rmi", "-f", "understudy-verify-built")


def test_skopeos_layouts_and_archives_are_the_image(
    pushed: tuple[str, Image], store: Store, tmp_path: Path
) -> None:
    reference, image = pushed
    expected = verified(reference, store)
    forms = {
        f"oci:{tmp_path}/layout:v1": f"oci:{tmp_path}/layout:v1",
        f"oci-archive:{tmp_path}/oci.tar:v1": f"oci-archive:{tmp_path}/oci.tar:v1",
        f"docker-archive:{tmp_path}/docker.tar:app:v1": f"docker-archive:{tmp_path}/docker.tar:app:v1",
        f"dir:{tmp_path}/unused": f"{tmp_path}/layout",
    }
    for written, read in forms.items():
        run("skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{reference}", written)
        assert verified(read, store_at(tmp_path / "empty")) == expected, read
    with sources.open(f"oci:{tmp_path}/layout:v1", store=store) as source:
        assert (source.image.digest, source.exported) == (image.digest, False)
    with sources.open(f"docker-archive:{tmp_path}/docker.tar", store=store) as source:
        assert source.exported


def test_a_registrys_layers_are_fetched_once(pushed: tuple[str, Image], store: Store) -> None:
    reference, image = pushed
    with sources.open(reference, store=store) as source:
        assert source.image.digest == image.digest
    assert all(store.has(layer.digest) for layer in image.manifest.layers)
    by_digest = f"{reference.rpartition(':')[0]}@{image.digest}"
    assert verified(by_digest, store) == verified(reference, store)
    with pytest.raises(Exception, match="no such image"), sources.open(f"{reference}x", store=store):
        pass


def test_an_index_gives_each_platform_its_image(host: str, store: Store, tmp_path: Path) -> None:
    layout = samples.Layout()
    entries = [layout.image([samples.file(f"for-{name}")], architecture=name) for name in ("amd64", "arm64")]
    layout.add(layout.index(*entries), "multi").write(tmp_path / "multi")
    destination = f"docker://{host}/team/multi:1"
    run(
        "skopeo", "copy", "-q", "--all", "--dest-tls-verify=false", f"oci:{tmp_path}/multi:multi", destination
    )
    for reference in (f"{host}/team/multi:1", f"oci:{tmp_path}/multi"):
        for platform, name in (("linux/amd64", "for-amd64"), ("linux/arm64", "for-arm64")):
            assert list(verified(reference, store, platform)) == [f"/{name}"]
        with sources.open(reference, store=store) as source:
            assert source.index is not None


def test_an_arm64_image_alone_loads_whatever_was_wanted(host: str, store: Store, tmp_path: Path) -> None:
    builder = store_at(tmp_path / "building")
    image = image_of(builder, *LAYERS, architecture="arm64")
    with RegistryClient(host) as client:
        client.push(image, builder, "team/arm", ["v1"])
    with sources.open(f"{host}/team/arm:v1", store=store) as source:
        assert subject.load(source).architecture == "arm64"
