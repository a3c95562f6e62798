"""Sandboxes out of containers of a Docker engine, for machines that have no Linux namespaces to offer.

`DockerExecutor` keeps nothing: a container ends with the connection that it was started over, so with this
process by any means, and Docker removes it. What a Docker engine that was itself killed has left is removed
at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import platform
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import UnderstudyError
from understudy.sandbox.docker import address, archive, container
from understudy.sandbox.docker.api import DockerApi, DockerRefusedError
from understudy.sandbox.docker.container import DockerHost
from understudy.sandbox.docker.docker_sandbox import DockerSandbox
from understudy.sandbox.docker.images import Images
from understudy.sandbox.docker.link import Link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.sandbox.docker.address import Address
    from understudy.sandbox.model import SandboxSpec

_OWNER = f"{archive.LABEL}.owner"
_PROCESS = f"{archive.LABEL}.process"
_NETWORK_VARIABLE = "UNDERSTUDY_DOCKER_NETWORK"
_NOT_FOUND = 404
_CREDENTIALS = struct.Struct("3i")


class DockerExecutor:
    """Prepares sandboxes in one Docker engine.

    Args:
        state_dir: whose sandboxes these are; nothing is stored there.
        environment: says which Docker engine, as for the ``docker`` command; UNDERSTUDY_DOCKER_NETWORK names
            the Docker network that functions join instead of the one found out.
    """

    def __init__(self, state_dir: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        # Engines in containers have one folder and one process id, but a host name each.
        whose = f"{socket.gethostname()}:{state_dir.absolute()}"
        self._owner = hashlib.sha256(whose.encode()).hexdigest()[:16]
        self._api: DockerApi | None = None
        self._host: DockerHost | None = None
        self._images: Images | None = None
        self._sandboxes: set[DockerSandbox] = set()

    async def open(self) -> None:
        """Connects, and removes what a Docker engine that crashed has left of ours.

        Raises:
            EnvironmentProblemError: no Docker engine answers.
        """
        self._api = api = DockerApi(address.find(self._environment, Path.home()))
        await api.open()
        await self._reap(api)
        self._host = host = await _host(api, self._environment.get(_NETWORK_VARIABLE, ""))
        self._images = Images(api, host.architecture)

    async def close(self) -> None:
        """Ends every sandbox; idempotent."""
        await asyncio.gather(*(sandbox.close() for sandbox in tuple(self._sandboxes)))
        api, self._api = self._api, None
        if api is not None:
            await api.close()

    async def prepare(self, spec: SandboxSpec) -> DockerSandbox:
        """Makes the container for `spec`.

        Raises:
            UnderstudyError: the image cannot be loaded, the container not started, or this is not open.
        """
        if self._api is None or self._host is None or self._images is None:
            raise UnderstudyError(
                "sandbox-closed", "the sandbox executor is not open", hint="run ./understudy up"
            )
        image = await self._images.ensure(spec)
        try:
            return await self._start(self._api, self._host, spec, image)
        except DockerRefusedError as error:
            if error.status != _NOT_FOUND:
                raise
        # Somebody removed the image from the engine.
        self._images.forget(image)
        return await self._start(self._api, self._host, spec, await self._images.ensure(spec))

    async def _start(self, api: DockerApi, host: DockerHost, spec: SandboxSpec, image: str) -> DockerSandbox:
        labels = {archive.LABEL: "sandbox", _OWNER: self._owner, _PROCESS: str(os.getpid())}
        created = await api.post("/containers/create", container.create(spec, host, image, labels))
        link = Link()
        sandbox = DockerSandbox(
            spec,
            api=api,
            link=link,
            identifier=created["Id"],
            constraints=container.constraints(spec, host),
            listening=container.listening(spec, host),
        )
        self._sandboxes.add(sandbox)
        sandbox.on_closed = self._sandboxes.discard
        try:
            await api.attach(sandbox.identifier, link)
            await api.post(f"/containers/{sandbox.identifier}/start")
            await sandbox.ready()
        except BaseException:
            await sandbox.abandon()
            raise
        return sandbox

    async def _reap(self, api: DockerApi) -> None:
        """Removes containers of processes that are gone."""
        found = await api.list("/containers/json", f"{_OWNER}={self._owner}")
        for each in found:
            if not _is_another(int(each["Labels"].get(_PROCESS, "0"))):
                with contextlib.suppress(DockerRefusedError):
                    await api.delete(f"/containers/{each['Id']}?force=1")


async def describe(environment: Mapping[str, str]) -> str:
    """What a sandbox would run on: the Docker engine's version, its architecture and the functions' network.

    Args:
        environment: says which engine, as for the ``docker`` command.

    Raises:
        EnvironmentProblemError: no Docker engine answers.
    """
    api = DockerApi(address.find(environment, Path.home()))
    try:
        await api.open()
        host = await _host(api, environment.get(_NETWORK_VARIABLE, ""))
        version = await api.get("/version")
    finally:
        await api.close()
    return f"Docker {version['Version']} on linux/{host.architecture}, functions in network {host.network}"


def _is_another(process: int) -> bool:
    """Whether this is a living process and not the present one, which has no sandbox yet."""
    if process in {0, os.getpid()}:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _host(api: DockerApi, network: str) -> DockerHost:
    found = await api.get("/info")
    version = await api.get("/version")
    if not network:
        network = "host" if _is_this_machine(api.address, found) else await _own_network(api)
    return DockerHost(architecture=version["Arch"], cpus=found["NCPU"], network=network)


def _is_this_machine(where: Address, found: Mapping[str, Any]) -> bool:
    """Whether the network of the engine's machine is the one that this process sees.

    Not so in a virtual machine (Docker Desktop, Colima), which has a kernel of its own; in a container, from
    where the engine's process cannot be seen; and in rootless mode, which has a network of its own.
    """
    if sys.platform != "linux" or not where.socket or found["KernelVersion"] != platform.release():
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(where.socket)
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process = _CREDENTIALS.unpack(credentials)[0]
    return process != 0 and "name=rootless" not in found.get("SecurityOptions", ())


async def _own_network(api: DockerApi) -> str:
    """The network of the container that this process runs in, where its neighbours have names.

    Docker's usual one when this is no container.
    """
    try:
        found = await api.get(f"/containers/{platform.node()}/json")
    except DockerRefusedError:
        return "bridge"
    names: list[str] = list(found["NetworkSettings"]["Networks"])
    return next((name for name in names if name != "host"), "bridge")
