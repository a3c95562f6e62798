"""What a build makes of a Dockerfile: stages, cache, config; a fake runner plays RUN."""

import concurrent.futures
import hashlib
import os
from pathlib import Path

import pytest

from tests.fakes.build_world import BuildWorld
from tests.fakes.steps import FakeSteps, writes
from understudy.errors import UnderstudyError
from understudy.image import builder
from understudy.image.builder.model import STAND_IN_LABEL, BuildFinished, BuildRequest
from understudy.image.dockerfile.lines import DockerfileError


@pytest.fixture
def world(tmp_path: Path) -> BuildWorld:
    return BuildWorld(tmp_path)


def test_two_folders_and_two_stores_give_one_digest(tmp_path: Path) -> None:
    found = set()
    for name in ("a", "b"):
        world = BuildWorld(tmp_path / name)
        world.write({"app.py": "x = 1\n", "d/e": "e", ".dockerignore": "junk"})
        (world.context / "junk").write_text(name)
        world.steps = FakeSteps(writes("made", "same"))
        host = {"PIP_INDEX_URL": f"https://{name}.example.com/simple", "HTTPS_PROXY": f"http://{name}"}
        image = world.build("FROM scratch\nCOPY . /app/\nRUN make\nENV A=1\n", environment=host)
        found.add(image.digest)
    assert len(found) == 1


def test_the_second_build_takes_every_layer_from_the_cache(world: BuildWorld) -> None:
    world.write({"a": "1"})
    dockerfile = "FROM scratch\nWORKDIR /w\nCOPY a .\nRUN x\n"
    first = world.build(dockerfile)
    second = world.build(dockerfile)
    assert world.cached() == [True] * 4
    assert len(world.steps.steps) == 1
    assert first.digest == second.digest


def test_a_changed_file_rebuilds_from_its_copy_on(world: BuildWorld) -> None:
    world.write({"a": "1", "b": "1"})
    dockerfile = "FROM scratch\nCOPY a /\nRUN x\nCOPY b /\nRUN y\n"
    world.build(dockerfile)
    world.write({"b": "2"})
    world.build(dockerfile)
    assert world.cached() == [True, True, True, False, False]


def test_a_touched_file_is_the_same_file(world: BuildWorld) -> None:
    world.write({"a": "1"})
    world.build("FROM scratch\nCOPY a /\n")
    os.utime(world.context / "a")
    world.build("FROM scratch\nCOPY a /\n")
    assert world.cached() == [True, True]


def test_a_changed_mode_is_another_file(world: BuildWorld) -> None:
    world.write({"a": "1"})
    world.build("FROM scratch\nCOPY a /\n")
    (world.context / "a").chmod(0o755)
    image = world.build("FROM scratch\nCOPY a /\n")
    assert world.mode(image, "a") == (0o755, 0, 0)


def test_no_cache_runs_again(world: BuildWorld) -> None:
    world.build("FROM scratch\nRUN x\n")
    world.build("FROM scratch\nRUN x\n", no_cache=True)
    assert len(world.steps.steps) == 2


def test_a_layer_that_was_collected_is_made_again(world: BuildWorld) -> None:
    world.write({"a": "1"})
    image = world.build("FROM scratch\nCOPY a /\n")
    world.store.path(image.manifest.layers[0].digest).unlink()
    again = world.build("FROM scratch\nCOPY a /\n")
    assert again.digest == image.digest
    assert world.store.has(image.manifest.layers[0].digest)


def test_only_needed_stages_are_built(world: BuildWorld) -> None:
    world.steps = FakeSteps(writes("out/file", "built"))
    image = world.build(
        "FROM scratch AS unused\nRUN unused\nFROM scratch AS make\nRUN make\n"
        "FROM scratch AS base\nENV A=1\nFROM base\nCOPY --from=make /out /here\n"
    )
    assert [step.argv[-1] for step in world.steps.steps] == ["make"]
    assert world.text(image, "here/file") == "built"
    assert dict(image.config.env)["A"] == "1"
    assert not world.has(image, "out")


def test_a_target_and_a_stage_number_are_found(world: BuildWorld) -> None:
    world.write({"f": "1"})
    dockerfile = "FROM scratch AS a\nCOPY f /\nFROM scratch AS b\nCOPY --from=0 /f /g\nFROM scratch\n"
    assert world.has(world.build(dockerfile, target="b"), "g")
    with pytest.raises(UnderstudyError, match="'c'") as caught:
        world.build(dockerfile, target="c")
    assert caught.value.hint.startswith("use --target")


def test_config_instructions_reach_the_config(world: BuildWorld) -> None:
    image = world.build(
        'FROM scratch\nENV A=1 B="$A-x"\nENV C=${A}2\nLABEL k="v w"\nEXPOSE 80 90-91/udp\nVOLUME /v\n'
        'USER bob\nSTOPSIGNAL SIGINT\nSHELL ["/bin/bash", "-c"]\nENTRYPOINT ["e"]\nCMD run it\n'
        "HEALTHCHECK --retries=3 CMD ok\nMAINTAINER me\n"
    )
    config = image.config
    assert dict(config.env)["B"] == "-x"
    assert dict(config.env)["C"] == "12"
    assert config.labels == {"k": "v w"}
    assert config.exposed_ports == ("80/tcp", "90/udp", "91/udp")
    assert config.volumes == ("/v",)
    assert (config.user, config.stop_signal) == ("bob", "SIGINT")
    assert config.entrypoint == ("e",)
    assert config.cmd == ("/bin/bash", "-c", "run it")
    assert config.healthcheck is not None
    assert config.healthcheck.test == ("CMD-SHELL", "ok")
    assert len(config.history) == 12
    assert all(entry.empty_layer for entry in config.history)


def test_an_own_entrypoint_drops_the_bases_command(world: BuildWorld) -> None:
    world.bases.images["base"] = world.build('FROM scratch\nENTRYPOINT ["e"]\nCMD ["c"]\n')
    assert world.build("FROM base\n").config.cmd == ("c",)
    assert world.build('FROM base\nENTRYPOINT ["f"]\n').config.cmd == ()
    assert world.build('FROM base\nCMD ["d"]\nENTRYPOINT ["f"]\n').config.cmd == ("d",)


def test_args_have_docker_s_scopes(world: BuildWorld) -> None:
    world.build(
        "ARG BASE=scratch\nARG G=global\nFROM $BASE\nARG G\nARG D=default\nARG U\nARG TARGETARCH\n"
        'ENV OUT="$G,$D,$U,$TARGETARCH"\nRUN show\n',
        build_args={"D": "given", "HTTP_PROXY": "http://p", "TYPO": "1"},
    )
    env = world.steps.steps[0].env
    assert env["OUT"] == "global,given,,amd64"
    assert env["HTTP_PROXY"] == "http://p"
    assert world.notices() == ["build arguments TYPO are not used"]


def test_an_arg_before_from_is_not_seen_in_a_stage_that_does_not_ask(world: BuildWorld) -> None:
    image = world.build("ARG A=1\nFROM scratch\nENV B=x$A\n")
    assert dict(image.config.env)["B"] == "x"


def test_labels_and_the_stand_in_reach_the_image(world: BuildWorld) -> None:
    world.bases.images["aws"] = world.build("FROM scratch\n")
    world.bases.stand_in_for = "public.ecr.aws/lambda/python:3.13"
    image = world.build("FROM aws\nLABEL a=1\n", labels={"a": "2", "b": "3"})
    assert image.config.labels == {"a": "2", "b": "3", STAND_IN_LABEL: "public.ecr.aws/lambda/python:3.13"}
    assert isinstance(world.events[-1], BuildFinished)


@pytest.mark.parametrize(
    ("dockerfile", "line", "message"),
    [
        ("FROM scratch\nCOPY gone /\n", 2, "'gone' is not in the build context"),
        ("FROM scratch\nCOPY ignored /\n", 2, "'ignored' is not in the build context"),
        ("FROM scratch\nCOPY --chown=who a /\n", 2, "user 'who'"),
        ("FROM scratch\nCOPY --chmod=rwx a /\n", 2, "--chmod is 'rwx'"),
        ("FROM scratch\nADD https://example.com/a /\n", 2, "no checksum"),
        ("FROM scratch\nCOPY https://example.com/a /\n", 2, "takes no address"),
        ("FROM scratch\nRUN --mount=source=gone,target=/x y\n", 2, "'gone' does not exist"),
        ("FROM scratch\nRUN --mount=type=secret,id=s,required=true y\n", 2, "secret 's' is required"),
        ("FROM scratch\nENV A=${B:?unset}\n", 2, "B: unset"),
        ("FROM scratch\nEXPOSE web\n", 2, "port is 'web'"),
        ("ARG X\nFROM $X\n", 2, "is empty"),
        ("FROM scratch\nCOPY --from=3 a /\n", 1, "stage 3"),
    ],
)
def test_faults_name_their_line(world: BuildWorld, dockerfile: str, line: int, message: str) -> None:
    world.write({"a": "1", "ignored": "1", ".dockerignore": "ignored"})
    with pytest.raises(DockerfileError) as caught:
        world.build(dockerfile)
    assert message in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.endswith(f"Dockerfile:{line}")


def test_a_missing_dockerfile_is_named(world: BuildWorld) -> None:
    request = BuildRequest(
        context=world.context, dockerfile=world.context / "none", base_resolver=world.bases
    )
    with pytest.raises(UnderstudyError, match="cannot be read"):
        builder.build(request, store=world.store, steps=world.steps, progress=world.events.append)


def test_an_image_for_another_machine_is_refused(world: BuildWorld) -> None:
    world.bases.images["base"] = world.build("FROM scratch\n")
    with pytest.raises(DockerfileError, match="linux/amd64"):
        world.build("FROM --platform=linux/arm64 base\n")


def test_tags_name_the_result(world: BuildWorld) -> None:
    (world.context / "Dockerfile").write_text("FROM scratch\n")
    request = BuildRequest(
        context=world.context,
        dockerfile=world.context / "Dockerfile",
        base_resolver=world.bases,
        tags=("a:1", "a:2"),
    )
    image = builder.build(request, store=world.store, steps=world.steps, progress=world.events.append)
    assert world.store.tags() == {"a:1": image.digest, "a:2": image.digest}


def test_every_layer_has_a_history_entry(world: BuildWorld) -> None:
    world.write({"a": "1"})
    image = world.build("FROM scratch\nCOPY a /\nENV B=1\nWORKDIR /w\nRUN x\n")
    layers = [entry for entry in image.config.history if not entry.empty_layer]
    assert len(layers) == len(image.manifest.layers) == len(image.config.diff_ids)
    assert [entry.created_by for entry in layers] == ["COPY a /", "WORKDIR /w", "RUN /bin/sh -c x"]
    assert hashlib.sha256(image.manifest.raw).hexdigest() == image.digest.removeprefix("sha256:")


def test_builds_at_the_same_time_share_a_store(world: BuildWorld) -> None:
    world.write({"a": "1", "Dockerfile": "FROM scratch\nCOPY a /\nRUN x\nWORKDIR /w\n"})
    request = BuildRequest(
        context=world.context, dockerfile=world.context / "Dockerfile", base_resolver=world.bases
    )

    def build(_: int) -> str:
        return builder.build(
            request, store=world.store, steps=FakeSteps(), progress=world.events.append
        ).digest

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(build, range(8)))) == 1
