"""Docker's answers, and what becomes of its refusals."""

import pytest

from tests.fakes.docker_containers import ADDRESS, FakeDocker
from understudy.errors import EnvironmentProblemError
from understudy.sandbox.docker.address import Address
from understudy.sandbox.docker.api import DockerApi, DockerRefusedError


async def test_requests_carry_the_engines_own_version() -> None:
    docker = FakeDocker(version="1.48")
    api = docker.api()
    await api.open()
    await api.post("/containers/x/start")
    await api.close()
    await api.close()
    assert docker.calls == ["POST /containers/x/start"]


async def test_an_engine_that_is_too_old_is_named() -> None:
    with pytest.raises(EnvironmentProblemError, match=r"speaks API 1.40, at least 1.41") as caught:
        await FakeDocker(version="1.40").api().open()
    assert caught.value.code == "docker-too-old"


async def test_a_refusal_keeps_the_engines_words() -> None:
    docker = FakeDocker(refusals={"/containers/create": "no space left"})
    api = docker.api()
    await api.open()
    with pytest.raises(DockerRefusedError, match="POST /containers/create: no space left") as caught:
        await api.post("/containers/create", {})
    assert caught.value.status == 409


async def test_what_is_gone_is_removed() -> None:
    api = FakeDocker().api()
    await api.open()
    await api.delete("/images/nobody")


async def test_no_engine_is_named_with_what_starts_one() -> None:
    with pytest.raises(EnvironmentProblemError, match=r"at unix:///nowhere\.sock does not answer") as caught:
        await DockerApi(Address(text="unix:///nowhere.sock", socket="/nowhere.sock")).open()
    assert "systemctl start docker" in caught.value.hint


async def test_a_client_that_is_not_open_is_a_bug() -> None:
    with pytest.raises(RuntimeError):
        await DockerApi(ADDRESS).get("/info")
