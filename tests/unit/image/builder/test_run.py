"""What a RUN step gets and what of it stays; a fake runner plays the command."""

from pathlib import Path

import pytest

from tests.fakes.build_world import PASSWD, BuildWorld
from tests.fakes.steps import FakeSteps, writes
from understudy.image.builder.model import StepOutput
from understudy.image.builder.run import StepFailedError
from understudy.image.steps import Step


@pytest.fixture
def world(tmp_path: Path) -> BuildWorld:
    return BuildWorld(tmp_path)


def test_a_changed_arg_runs_again_and_a_proxy_does_not(world: BuildWorld) -> None:
    dockerfile = "FROM scratch\nARG A=1\nRUN x\n"
    world.build(dockerfile)
    world.build(dockerfile, build_args={"http_proxy": "http://p"})
    assert len(world.steps.steps) == 1
    world.build(dockerfile, build_args={"A": "2"})
    assert len(world.steps.steps) == 2


def test_run_sees_the_host_s_certificates_and_the_layer_does_not(world: BuildWorld) -> None:
    bundle = world.context.parent / "certs/host.pem"
    bundle.parent.mkdir()
    bundle.write_text("CERT")
    world.steps = FakeSteps(writes("made", "1"))
    image = world.build(
        "FROM scratch\nENV CURL_CA_BUNDLE=/mine\nRUN x\n",
        environment={"SSL_CERT_FILE": "/certs/host.pem", "PIP_INDEX_URL": "https://index/simple"},
    )
    step = world.steps.steps[0]
    assert step.env["SSL_CERT_FILE"] == step.env["PIP_CERT"] == "/run/understudy/ca.pem"
    assert step.env["CURL_CA_BUNDLE"] == "/mine"
    assert step.env["PIP_INDEX_URL"] == "https://index/simple"
    assert [str(mount.target) for mount in step.mounts] == ["/run/understudy/ca.pem"]
    assert world.paths(image) == {"made"}
    assert "certs" not in image.config.raw.decode()


def test_run_has_a_fixed_environment(world: BuildWorld) -> None:
    world.write({"etc/passwd": PASSWD})
    world.build("FROM scratch\nCOPY etc /etc\nWORKDIR /w\nUSER bob\nRUN x\n", environment={"SECRET": "s"})
    step = world.steps.steps[0]
    assert step.env["HOME"] == "/home/bob"
    assert step.env["PYTHONHASHSEED"] == "0"
    assert step.env["SOURCE_DATE_EPOCH"] == "315532800"
    assert (step.working_dir, step.user) == ("/w", "bob")
    assert "SECRET" not in step.env


@pytest.mark.parametrize(
    ("run", "argv"),
    [
        ("RUN a && b", ("/bin/sh", "-c", "a && b")),
        ('RUN ["a", "b"]', ("a", "b")),
        ("RUN <<EOF\na\nb\nEOF", ("/bin/sh", "-c", "a\nb\n")),
        ("RUN python3 <<EOF\na\nEOF", ("/bin/sh", "-c", "python3 <<EOF\na\nEOF")),
        ("RUN <<EOF\n#!/bin/x\na\nEOF", ("/run/understudy/heredoc/EOF",)),
    ],
    ids=["shell", "exec", "heredoc", "heredoc-to-a-command", "heredoc-with-interpreter"],
)
def test_run_commands(world: BuildWorld, run: str, argv: tuple[str, ...]) -> None:
    world.build(f"FROM scratch\n{run}\n")
    assert world.steps.steps[0].argv == argv


def test_a_failing_run_says_where_and_what(world: BuildWorld) -> None:
    world.steps = FakeSteps(lambda _: 3)
    with pytest.raises(StepFailedError) as caught:
        world.build("FROM scratch\n\nRUN break it\n")
    assert caught.value.where is not None
    assert caught.value.where.endswith("Dockerfile:3")
    assert "break it ended with exit status 3" in caught.value.message
    assert caught.value.last_lines == ("hello from break it",)
    assert [event.line for event in world.events if isinstance(event, StepOutput)] == ["hello from break it"]
    assert not list((world.store.root / "builds").iterdir())


def test_a_package_manager_that_the_stand_in_lacks_is_named(world: BuildWorld) -> None:
    world.bases.images["aws"] = world.build("FROM scratch\n")
    world.bases.stand_in_for = "public.ecr.aws/lambda/python:3.13"
    world.steps = FakeSteps(lambda _: 127)
    with pytest.raises(StepFailedError) as caught:
        world.build("FROM aws\nRUN dnf install -y gcc\n")
    assert "its stand-in has no dnf" in caught.value.hint


def test_mounts_are_for_the_step_alone(world: BuildWorld) -> None:
    world.write({"src/a": "1", "src/ignored": "2", ".dockerignore": "src/ignored"})
    secret = world.context.parent / "token"
    secret.write_text("hush")
    seen: dict[str, object] = {}

    def script(step: Step) -> None:
        for mount in step.mounts:
            if mount.source is not None:
                place = mount.source
                seen[str(mount.target)] = (
                    sorted(item.name for item in place.iterdir()) if place.is_dir() else place.read_text()
                )
                if mount.kind == "cache":
                    (place / "kept").touch()

    world.steps = FakeSteps(script)
    dockerfile = (
        "FROM scratch\nWORKDIR /w\nRUN --mount=source=src,target=in --mount=type=cache,target=/c "
        "--mount=type=secret,id=t --mount=type=secret,id=t,env=T --mount=type=tmpfs,target=/t x\n"
    )
    image = world.build(dockerfile, secrets={"t": secret})
    assert seen == {"/w/in": ["a"], "/c": [], "/run/secrets/t": "hush"}
    assert world.steps.steps[0].env["T"] == "hush"
    assert world.paths(image) == {"w"}
    secret.write_text("other")
    world.build(dockerfile, secrets={"t": secret})
    assert len(world.steps.steps) == 1, "a secret is no part of the key"
    world.write({"src/a": "changed"})
    world.build(dockerfile, secrets={"t": secret})
    assert seen["/c"] == ["kept"]
