"""Dockerfiles built for real: RUN in namespaces, on the stand-in base, checked by Docker."""

import io
import os
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import base_store
from tests.fakes.build_world import BuildWorld
from tests.tools import require_docker, require_tool
from understudy.image.builder.run import StepFailedError
from understudy.image.layers import Kind
from understudy.image.model import Image

BASE = "base"


def new_world(folder: Path) -> BuildWorld:
    world = BuildWorld(folder)
    shutil.rmtree(world.store.root)
    world.store, world.bases.images[BASE] = base_store.with_base(folder)
    world.runner = base_store.runner()
    return world


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> BuildWorld:
    return new_world(tmp_path_factory.mktemp("build"))


@pytest.fixture
def world(shared: BuildWorld) -> Iterator[BuildWorld]:
    yield shared
    shutil.rmtree(shared.context)
    shared.context.mkdir()


def layer_paths(world: BuildWorld, image: Image) -> list[str]:
    """Returns what the topmost layer holds."""
    raw = world.store.read(image.manifest.layers[-1].digest)
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        return archive.getnames()


def test_a_step_that_changes_nothing_leaves_an_empty_layer(world: BuildWorld) -> None:
    ca = Path("/etc/ssl/certs/ca-certificates.crt")
    image = world.build(
        f"FROM {BASE}\nRUN test -s /run/understudy/ca.pem && ls -d /proc/self /dev/null > /dev/null\n",
        environment={"SSL_CERT_FILE": str(ca)},
        root=Path("/"),
    )
    assert layer_paths(world, image) == []


def test_one_digest_in_two_folders_and_timestamp_bytecode_stays_valid(
    world: BuildWorld, tmp_path: Path
) -> None:
    dockerfile = (
        f"FROM {BASE}\nCOPY m.py /var/task/\n"
        "RUN echo 'y = 2' > n.py && python3 -m compileall -q --invalidation-mode timestamp /var/task "
        "&& date > /dev/null && mkdir -p /opt/x\n"
    )
    other = new_world(tmp_path)
    images = []
    for one in (world, other):
        one.write({"m.py": "x = 1\n"})
        images.append(one.build(dockerfile))
    assert images[0].digest == images[1].digest
    tree = world.tree(images[0])
    for name in ("m", "n"):
        source = tree.node(f"var/task/{name}.py")
        compiled = tree.node(f"var/task/__pycache__/{name}.cpython-313.pyc")
        assert source is not None
        assert compiled is not None
        flags, mtime, size = struct.unpack("<III", compiled.place.read_bytes()[4:16])
        assert (flags, mtime, size) == (0, int(source.status.st_mtime), source.status.st_size)


def test_run_is_the_user_in_the_directory_with_the_shell(world: BuildWorld) -> None:
    image = world.build(
        f"FROM {BASE}\nRUN echo 'bob:x:1234:55::/home/bob:/bin/sh' >> /etc/passwd && mkdir -m 777 /w\n"
        'WORKDIR /w\nUSER bob\nSHELL ["/bin/bash", "-c"]\n'
        'RUN printf "%s " "$(id -u)" "$PWD" "$HOME" "$(umask)" "${BASH_VERSION:+bash}" > out\n'
    )
    assert world.text(image, "w/out") == "1234 /w /home/bob 0022 bash "
    assert world.mode(image, "w/out") == (0o644, 1234, 55)


def test_run_removes_and_replaces_files_of_the_base(world: BuildWorld) -> None:
    image = world.build(
        f"FROM {BASE}\nRUN rm /etc/host.conf && rm -r /etc/ssl && mkdir /etc/ssl && echo new > /etc/ssl/f\n"
    )
    assert not world.has(image, "etc/host.conf")
    assert world.tree(image).names("etc/ssl") == ["f"]


def test_run_keeps_the_rest_of_a_directory_that_an_earlier_one_replaced(world: BuildWorld) -> None:
    image = world.build(
        f"FROM {BASE}\nRUN mkdir /one && touch /one/a /one/b && mv /one /two && rm -r /etc/ssl "
        "&& mkdir /etc/ssl && touch /etc/ssl/a /etc/ssl/b\nRUN rm /two/a /etc/ssl/a\n"
    )
    assert world.tree(image).names("two") == ["b"]
    assert world.tree(image).names("etc/ssl") == ["b"]


def test_run_without_network_has_loopback_alone(world: BuildWorld) -> None:
    image = world.build(f"FROM {BASE}\nRUN --network=none tail -n +3 /proc/net/dev > /out\n")
    assert [line.split(":")[0].strip() for line in world.text(image, "out").splitlines()] == ["lo"]


def test_mounts_work_and_leave_nothing(world: BuildWorld) -> None:
    world.write({"src/a": "from the context"})
    secret = world.context.parent / "secret"
    secret.write_text("hush")
    dockerfile = (
        f"FROM {BASE}\nRUN --mount=source=src,target=/in --mount=type=cache,target=/cache "
        "--mount=type=secret,id=s,mode=0400 --mount=type=tmpfs,target=/tmp/t "
        "cat /in/a /run/secrets/s > /out; echo kept >> /cache/f; cat /cache/f >> /out; "
        "touch /tmp/t/x; echo {}\n"
    )
    first = world.build(dockerfile.format(1), secrets={"s": secret})
    assert world.text(first, "out") == "from the contexthushkept\n"
    second = world.build(dockerfile.format(2), secrets={"s": secret})
    assert world.text(second, "out") == "from the contexthushkept\nkept\n"
    assert layer_paths(world, second) == ["out"]


def test_a_failing_command_is_reported_with_its_last_lines(world: BuildWorld) -> None:
    with pytest.raises(StepFailedError) as caught:
        world.build(f"FROM {BASE}\nRUN echo one; echo two >&2; exit 7\n")
    assert caught.value.status == 7
    assert caught.value.last_lines == ("one", "two")


def test_heredocs_run(world: BuildWorld) -> None:
    image = world.build(
        f"FROM {BASE}\nRUN <<EOF\nset -e\necho a > /a\nEOF\n"
        "RUN python3 <<EOF\nopen('/b', 'w').write('b')\nEOF\n"
        "RUN <<EOF\n#!/var/lang/bin/python3\nopen('/c', 'w').write('c')\nEOF\n"
    )
    assert [world.text(image, name) for name in "abc"] == ["a\n", "b", "c"]


def test_scratch_runs_a_copied_program(world: BuildWorld) -> None:
    image = world.build(
        f"FROM {BASE} AS base\nFROM scratch\nCOPY --from=base / /\nRUN /usr/bin/cp /etc/passwd /copy\n"
    )
    assert world.text(image, "copy").startswith("root:")


COMMON = """FROM understudy-test-base
WORKDIR /w/x
COPY d /one
COPY d/ /two/
COPY d/one /three
COPY d/o* top /four/
COPY d/* /five/
COPY --chown=5:6 d /six
COPY top /bin/tool
COPY top /etc
COPY link /seven
COPY . .
ADD a.tar.gz /eight/
COPY a.tar.gz /nine
ENV A=1 B="x y"
ENV C=$A-${B:-no}
RUN echo $C > /out && rm /etc/host.conf && chmod 600 /three && ln -s out /l
USER 7:8
CMD ["x"]
"""


def test_docker_makes_the_same_files_of_the_same_dockerfile(world: BuildWorld, tmp_path: Path) -> None:
    require_docker()
    skopeo = require_tool("skopeo")
    world.write({"d/one": "1", "d/sub/two": "2", "top": "t", ".dockerignore": "*.md\n!keep.md"})
    world.write({"no.md": "x", "keep.md": "y"})
    (world.context / "link").symlink_to("top")
    (world.context / "d/l").symlink_to("one")
    with tarfile.open(world.context / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("in/side")
        member.size, member.mode, member.uid = 2, 0o640, 9
        archive.addfile(member, io.BytesIO(b"hi"))
    world.bases.images["understudy-test-base"] = world.bases.images[BASE]
    ours = world.build(COMMON)
    world.store.tag("base-for-docker", world.bases.images[BASE].digest)
    world.store.tag("ours-for-docker", ours.digest)
    names = {
        "base-for-docker": "understudy-test-base:latest",
        "ours-for-docker": "understudy-test-ours:latest",
    }
    try:
        for tag, name in names.items():
            source, target = f"oci:{world.store.root}:{tag}", f"docker-daemon:{name}"
            subprocess.run(
                [skopeo, "--insecure-policy", "copy", "-q", source, target], check=True, capture_output=True
            )
        subprocess.run(
            ["docker", "build", "-q", "--network=none", "-t", "understudy-test-theirs", str(world.context)],
            check=True,
            capture_output=True,
            env={**os.environ, "DOCKER_BUILDKIT": "0"},
        )
        assert exported("understudy-test-ours") == exported("understudy-test-theirs")
    finally:
        subprocess.run(
            ["docker", "rmi", "-f", *names.values(), "understudy-test-theirs"],
            check=False,
            capture_output=True,
        )


def exported(name: str) -> dict[str, tuple[object, ...]]:
    """Returns every path of an image as Docker sees it, without times and what Docker itself adds."""
    container = subprocess.run(
        ["docker", "create", name, "x"], check=True, capture_output=True, text=True
    ).stdout.strip()
    try:
        raw = subprocess.run(["docker", "export", container], check=True, capture_output=True).stdout
    finally:
        subprocess.run(["docker", "rm", container], check=True, capture_output=True)
    added = {
        ".dockerenv",
        "dev/console",
        "dev/pts",
        "dev/shm",
        "etc/hosts",
        "etc/hostname",
        "etc/resolv.conf",
    }
    added |= {"etc/mtab"}
    found: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in archive:
            if member.name in added:
                continue
            file = archive.extractfile(member) if member.isfile() else None
            data = file.read() if file is not None else b""
            kind = {tarfile.DIRTYPE: Kind.DIR, tarfile.SYMTYPE: Kind.SYMLINK}.get(member.type, Kind.FILE)
            found[member.name] = (kind, oct(member.mode), member.uid, member.gid, member.linkname, hash(data))
    return found
