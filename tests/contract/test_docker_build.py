"""``--builder docker`` on a real engine: the plugin buildx, and what old clients carry in its place."""

import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract import base_store
from tests.tools import require_buildx, require_docker
from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image import rootfs
from understudy.image.base import FallbackResolver
from understudy.image.builder import BuildEvent, BuildRequest, model
from understudy.image.model import OCI_LAYER_GZIP, Image
from understudy.image.reference import Ref
from understudy.image.registry import RegistryUnreachableError
from understudy.image.store import Store
from understudy.targets import docker_build

DOCKERFILE = """
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13
FROM ${BASE_IMAGE} AS code
COPY app.py /build/
RUN test ! -e /build/secret.env && cp /build/app.py /tmp/app.py

FROM ${BASE_IMAGE}
ARG FLAVOUR=plain
RUN python3 -m pip install --no-deps --no-compile --no-cache-dir --root-user-action=ignore \\
      --target "${LAMBDA_TASK_ROOT}" colorama==0.4.6 \\
 && echo "${FLAVOUR}" > /flavour
COPY --from=code /tmp/app.py ${LAMBDA_TASK_ROOT}/
LABEL team=sales
CMD ["app.handler"]
"""
# The client of Debian's docker.io package, which is there wherever its engine is.
OLD_CLIENT = "/usr/bin/docker"


def no_registry(ref: Ref, platform: str) -> Image:
    raise RegistryUnreachableError("registry-unreachable", f"{ref} for {platform}", hint="none")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    require_docker()
    made, base = base_store.with_base(tmp_path_factory.mktemp("docker-build"))
    yield made
    name = f"understudy.local/from:{base.digest.removeprefix('sha256:')[:24]}"
    subprocess.run([require_docker(), "image", "rm", "-f", name], capture_output=True, check=False)


@pytest.fixture(params=["buildx", "embedded"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, str]:
    """Docker as one of its clients finds it."""
    if request.param == "buildx":
        return {**os.environ, "DOCKER_CONFIG": str(require_buildx())}
    require_docker()
    (tmp_path / "docker").symlink_to(OLD_CLIENT)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "DOCKER_CONFIG": str(tmp_path)}


class World:
    """A context and what a build of it said."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.context = folder / "context"
        self.context.mkdir()
        (self.context / "app.py").write_text("def handler(event, context):\n    return 1\n")
        (self.context / "secret.env").write_text("TOKEN=1\n")
        (self.context / ".dockerignore").write_text("*.env\n")
        self.store = store
        self.events: list[BuildEvent] = []

    def build(self, dockerfile: str, environment: Mapping[str, str], **asked: Any) -> Image:
        """Builds it, as `ImageBuilder` does."""
        (self.context / "Dockerfile").write_text(dockerfile)
        resolver = FallbackResolver(self.store, no_registry, base_store.runner(), progress=self.events.append)
        request = BuildRequest(
            context=self.context,
            dockerfile=self.context / "Dockerfile",
            base_resolver=resolver,
            tags=("app:latest",),
            **asked,
        )
        return docker_build.build(
            request, store=self.store, progress=self.events.append, environment=environment
        )


@pytest.fixture
def world(tmp_path: Path, store: Store) -> World:
    return World(tmp_path, store)


def entries(store: Store, digest: str) -> set[str]:
    with store.open_blob(digest) as blob, tarfile.open(fileobj=blob) as archive:
        return set(archive.getnames())


def test_the_same_dockerfile_is_built_and_stored(world: World, environment: Mapping[str, str]) -> None:
    image = world.build(DOCKERFILE, environment, build_args={"FLAVOUR": "salty"})
    base = world.store.image("understudy.local/base/python3.13:latest")
    assert world.store.tags()["app:latest"] == image.digest
    assert image.config.labels == {
        model.STAND_IN_LABEL: "public.ecr.aws/lambda/python:3.13",
        "team": "sales",
    }
    assert image.config.cmd == ("app.handler",)
    assert image.config.entrypoint == base.config.entrypoint
    first, *own = image.manifest.layers
    assert first == base.manifest.layers[0]
    assert {layer.media_type for layer in own} == {OCI_LAYER_GZIP}
    # What RUN saw of this machine is in no layer and not in the config.
    names = set().union(*(entries(world.store, layer.digest) for layer in own))
    assert {"flavour", "var/task/app.py", "var/task/colorama/__init__.py"} <= names
    assert not {name for name in names if name.startswith(("run", "etc/"))}
    assert b"understudy-" not in image.config.raw
    top = rootfs.prepare(world.store, image.digest).layers[1]
    assert (top / "flavour").read_text() == "salty\n"
    # The second time nothing is new, and Docker keeps no name.
    assert world.build(DOCKERFILE, environment, build_args={"FLAVOUR": "salty"}).digest == image.digest
    kept = subprocess.run(
        [require_docker(), "images", "-q", "understudy.local/build"], capture_output=True, check=True
    )
    assert kept.stdout == b""


def test_target_secret_and_left_out(world: World, environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken")
    (world.context / "state").mkdir()
    (world.context / "state" / "big").touch()
    text = """FROM public.ecr.aws/lambda/python:3.13 AS first
COPY . /context
RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = t0ken && ls /context > /seen
FROM first
RUN exit 1
"""
    image = world.build(
        text,
        environment,
        target="first",
        left_out=("state",),
        secrets={"token": tmp_path / "token"},
        labels={"commit": "abc"},
    )
    assert image.config.labels["commit"] == "abc"
    top = rootfs.prepare(world.store, image.digest).layers[-1]
    assert (top / "seen").read_text().split() == ["Dockerfile", "app.py"]


def test_a_failing_step_is_told_with_its_line(world: World, environment: Mapping[str, str]) -> None:
    text = "FROM public.ecr.aws/lambda/python:3.13\nRUN echo first\nRUN echo the reason >&2; exit 3\n"
    with pytest.raises(UnderstudyError) as caught:
        world.build(text, environment)
    assert caught.value.code == "docker-build-failed"
    assert "the reason" in caught.value.message
    assert "exit code: 3" in caught.value.message
    assert "echo first" not in caught.value.message
    assert "understudy-ca" not in caught.value.message


def test_what_only_buildkit_reads_is_built_with_a_notice(world: World) -> None:
    """No base can be pulled here, so the Dockerfile starts from nothing."""
    environment = {**os.environ, "DOCKER_CONFIG": str(require_buildx())}
    text = "FROM scratch AS other\nRUN --mount=type=ssh true\nFROM scratch\nCOPY app.py /\n"
    image = world.build(text, environment)
    assert entries(world.store, image.manifest.layers[0].digest) == {"app.py"}


def test_without_an_engine_it_says_what_to_type(world: World, tmp_path: Path) -> None:
    require_docker()
    nowhere = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    with pytest.raises(EnvironmentProblemError) as caught:
        world.build("FROM scratch\n", nowhere)
    assert caught.value.code == "docker-unreachable"
    assert "none.sock" in str(caught.value)
    with pytest.raises(EnvironmentProblemError) as caught:
        world.build("FROM scratch\n", {"PATH": str(tmp_path)})
    assert caught.value.code == "docker-missing"
