"""The container of a sandbox, as the Docker Engine API describes one: Lambda's constraints in Docker's words.

Pure. Field names are those of ``POST /containers/create``
(https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from understudy.sandbox import isolation, model
from understudy.sandbox.docker import archive
from understudy.sandbox.model import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.sandbox.model import SandboxSpec

HOST_NAME = "understudy"
_CPU_PERIOD_US = 100_000
_LEAST_QUOTA_US = 1000
_MEGABYTE = 1024 * 1024
_HOLDERS = 1
_PORTS = {"https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerHost:
    """What of the Docker engine's machine matters to a container.

    Attributes:
        architecture: as the engine names it.
        cpus: how many it has.
        network: Docker's name of the network for sandboxes that are not cut off; ``host`` when the engine's
            machine is this one, so that a function sees the same network as this process.
    """

    architecture: str
    cpus: int
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What process 1 listens on inside; the Runtime API's socket is always the first.

    Attributes:
        sockets: kind, address, port, in order.
        endpoints: the services of this machine behind the last ones of `sockets`.
    """

    sockets: tuple[tuple[str, str, int], ...]
    endpoints: tuple[Endpoint, ...] = ()


def listening(spec: SandboxSpec, host: DockerHost) -> Listening:
    """Returns what a container of `spec` listens on.

    Raises:
        UnderstudyError: an endpoint cannot be reached from a sandbox that is cut off.
    """
    runtime_api = ("tcp", isolation.LOOPBACK, 0)
    if spec.network == "isolated":
        wanted = isolation.sockets(spec.reachable)
        sockets = tuple((str(kind), str(address), int(port)) for kind, address, port in wanted)
        return Listening(sockets=sockets, endpoints=spec.reachable)
    endpoint = local_endpoint(spec.environment)
    if host.network == "host" or endpoint is None:
        return Listening(sockets=(runtime_api,))
    return Listening(sockets=(runtime_api, ("tcp", isolation.LOOPBACK, endpoint.port)), endpoints=(endpoint,))


def local_endpoint(environment: Mapping[str, str]) -> Endpoint | None:
    """The AWS endpoint of a function, which this machine reaches and a container elsewhere may not."""
    parts = urlsplit(environment.get("AWS_ENDPOINT_URL", ""))
    if not parts.hostname:
        return None
    return Endpoint(host=parts.hostname, port=parts.port or _PORTS.get(parts.scheme, 80))


def create(spec: SandboxSpec, host: DockerHost, image: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Returns the body that creates the container."""
    wanted = listening(spec, host)
    return {
        "Image": image,
        "Entrypoint": [archive.HOLDER, *(f"{kind}:{at}:{port}" for kind, at, port in wanted.sockets)],
        "Cmd": [],
        "Env": [],
        "User": f"{model.SANDBOX_UID}:{model.SANDBOX_GID}",
        "WorkingDir": "/",
        **({} if _mode(spec, host) == "host" else {"Hostname": HOST_NAME}),
        "Labels": dict(labels),
        # stdin ends with the connection of the engine that attached to it, and the container with stdin.
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": {
            "AutoRemove": True,
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={spec.ephemeral_mb}m"},  # noqa: S108
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "LogConfig": {"Type": "none"},
            **_limits(spec, host),
            **_network(spec, host, wanted),
        },
    }


def _limits(spec: SandboxSpec, host: DockerHost) -> dict[str, Any]:
    # Pages of /tmp count as the container's memory, and on Lambda it is disk: so the kernel's limit has room
    # for all of it, and process 1 holds the rest to the function's memory.
    memory_bytes = (spec.memory_mb + spec.ephemeral_mb) * _MEGABYTE
    visible = model.visible_vcpus(spec.memory_mb)
    cpus = {"CpusetCpus": f"0-{visible - 1}"} if spec.cpu != "host" and visible < host.cpus else {}
    return {
        "Memory": memory_bytes,
        "MemorySwap": memory_bytes,
        "PidsLimit": model.MAX_PROCESSES + _HOLDERS,
        "Ulimits": [
            {"Name": name.lower(), "Soft": soft, "Hard": hard} for name, (soft, hard) in model.RLIMITS.items()
        ],
        **cpu(model.cpu_limit(spec, initialising=True)),
        **cpus,
    }


def cpu(vcpus: float | None) -> dict[str, int]:
    """The share of CPU time, for a new container and for one that runs; `None` is no limit.

    Not NanoCpus: the engine refuses more of those than it has processors.
    """
    quota = -1 if vcpus is None else max(_LEAST_QUOTA_US, round(vcpus * _CPU_PERIOD_US))
    return {"CpuPeriod": _CPU_PERIOD_US, "CpuQuota": quota}


def _network(spec: SandboxSpec, host: DockerHost, wanted: Listening) -> dict[str, Any]:
    # Without IPC there is no /dev/shm: https://docs.docker.com/engine/containers/run/#ipc-settings---ipc
    settings: dict[str, Any] = {"IpcMode": "none", "NetworkMode": _mode(spec, host)}
    names = [endpoint.host for endpoint in wanted.endpoints if _is_name(endpoint.host)]
    if spec.network == "isolated":
        settings |= {"Dns": [isolation.RESOLVER], "DnsOptions": ["timeout:1", "attempts:1"]}
        # A function may look its own host up; elsewhere Docker sees to that.
        names.append(HOST_NAME)
    if settings["NetworkMode"] == "host":
        return settings
    return settings | {
        "ExtraHosts": [f"{name}:{isolation.LOOPBACK}" for name in names if name != "localhost"],
        # The resolver's port, and an endpoint's, may be a privileged one.
        "Sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
    }


def _mode(spec: SandboxSpec, host: DockerHost) -> str:
    """Docker's name of the container's network."""
    return "none" if spec.network == "isolated" else host.network


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def constraints(spec: SandboxSpec, host: DockerHost) -> dict[str, str]:
    """Which of Lambda's constraints are in force, and by which means."""
    return {
        "user": f"{model.SANDBOX_UID}:{model.SANDBOX_GID}, no capabilities, no new privileges",
        "root": "read-only container",
        "tmp": f"tmpfs, {spec.ephemeral_mb} MB",
        "dev-shm": "absent",
        "files": "rlimit 1024",
        "memory": "container, watched every 20 ms",
        "processes": "container",
        "cpu": "host" if spec.cpu == "host" else "container",
        "frozen-when-idle": "stopped by process 1",
        "network": "own namespace without a route" if spec.network == "isolated" else host.network,
    }
