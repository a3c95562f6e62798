"""Lambda's constraints in Docker's words."""

import dataclasses
from typing import Any

import pytest

from understudy.image.rootfs import Rootfs
from understudy.sandbox.docker import container
from understudy.sandbox.docker.container import DockerHost
from understudy.sandbox.model import Endpoint, SandboxSpec

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()), entrypoint=("/x",), command=(), working_dir="/", environment={}, memory_mb=128
)
HERE = DockerHost(architecture="amd64", cpus=8, network="host")
ELSEWHERE = dataclasses.replace(HERE, network="bridge")
ENDPOINT = {"AWS_ENDPOINT_URL": "http://localstack:4566"}


def made(host: DockerHost = HERE, **changes: Any) -> dict[str, Any]:
    return container.create(dataclasses.replace(SPEC, **changes), host, "image", {"a": "b"})


def test_a_container_has_no_privilege_and_one_writable_place() -> None:
    body = made()
    host = body["HostConfig"]
    assert (body["User"], body["Env"], body["Labels"]) == ("993:990", [], {"a": "b"})
    assert host["ReadonlyRootfs"]
    assert host["AutoRemove"]
    assert (host["CapDrop"], host["SecurityOpt"], host["IpcMode"]) == (["ALL"], ["no-new-privileges"], "none")
    assert host["Tmpfs"] == {"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=512m"}
    assert {"Name": "nofile", "Soft": 1024, "Hard": 1024} in host["Ulimits"]


def test_memory_has_room_for_a_full_tmp_and_none_for_swap() -> None:
    host = made()["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == (128 + 512) << 20


def test_the_container_ends_with_the_connection_that_started_it() -> None:
    body = made()
    assert body["OpenStdin"]
    assert body["StdinOnce"]


@pytest.mark.parametrize(("vcpus", "quota"), [(None, -1), (2.0, 200_000), (128 / 1769, 7236), (0.0001, 1000)])
def test_cpu_is_a_quota_never_below_the_kernels_least(vcpus: float | None, quota: int) -> None:
    assert container.cpu(vcpus) == {"CpuPeriod": 100_000, "CpuQuota": quota}


def test_a_function_sees_as_many_processors_as_lambda_shows() -> None:
    assert made()["HostConfig"]["CpusetCpus"] == "0-1"
    assert "CpusetCpus" not in made(cpu="host")["HostConfig"]
    assert "CpusetCpus" not in made(dataclasses.replace(HERE, cpus=2))["HostConfig"]


def test_on_this_machine_the_network_is_shared_and_only_the_runtime_api_relayed() -> None:
    body = made(environment=ENDPOINT)
    assert body["Entrypoint"] == ["/.understudy", "tcp:127.0.0.1:0"]
    assert body["HostConfig"]["NetworkMode"] == "host"
    assert "Hostname" not in body


def test_elsewhere_the_endpoint_is_relayed_under_its_name() -> None:
    body = made(ELSEWHERE, environment=ENDPOINT)
    assert body["Entrypoint"] == ["/.understudy", "tcp:127.0.0.1:0", "tcp:127.0.0.1:4566"]
    assert body["HostConfig"]["ExtraHosts"] == ["localstack:127.0.0.1"]
    assert body["HostConfig"]["NetworkMode"] == "bridge"


def test_a_cut_off_container_has_its_own_resolver_and_the_endpoints_that_it_may_reach() -> None:
    body = made(network="isolated", reachable=(Endpoint(host="localhost", port=4566),))
    assert body["Entrypoint"][1:] == ["tcp:127.0.0.1:0", "udp:127.0.0.53:53", "tcp:127.0.0.1:4566"]
    host = body["HostConfig"]
    assert (host["NetworkMode"], host["Dns"]) == ("none", ["127.0.0.53"])
    assert host["ExtraHosts"] == ["understudy:127.0.0.1"]
    assert body["Hostname"] == "understudy"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("", None),
        ("http://localhost:4566", Endpoint(host="localhost", port=4566)),
        ("https://aws.test", Endpoint(host="aws.test", port=443)),
        ("http://aws.test/", Endpoint(host="aws.test", port=80)),
    ],
)
def test_the_endpoint_is_the_functions_own(url: str, endpoint: Endpoint | None) -> None:
    assert container.local_endpoint({"AWS_ENDPOINT_URL": url}) == endpoint


def test_constraints_say_by_which_means_they_hold() -> None:
    found = container.constraints(SPEC, ELSEWHERE)
    assert found["network"] == "bridge"
    assert found["dev-shm"] == "absent"
    assert container.constraints(dataclasses.replace(SPEC, cpu="host"), HERE)["cpu"] == "host"
