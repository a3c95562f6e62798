"""One build by BuildKit: bases into Docker, a Dockerfile that knows this machine, the result's name.

What RUN steps see of the host is what the native builder's see (docs/decisions/0012), as far as BuildKit can
do it for the step alone: certificates and pip's settings as secrets, proxies as predefined build arguments.
"""

from __future__ import annotations

import secrets
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from understudy.image import digests, dockerfile
from understudy.image.builder import Notice, Work
from understudy.image.builder import plan as build_plan
from understudy.image.docker import mounted, saved, written
from understudy.image.dockerfile.lines import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from understudy.image.builder import BuildEvent, BuildRequest
    from understudy.image.builder.env import Host
    from understudy.image.docker.client import Docker
    from understudy.image.model import Image
    from understudy.image.store import Store

_BASES: Final = "understudy.local/from"
_RESULTS: Final = "understudy.local/build"
_NAME_DIGITS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image that Docker has built.

    Attributes:
        name: its name in Docker, until it is removed.
        bases: the images of the store that it may start from.
    """

    name: str
    bases: tuple[Image, ...]


@contextmanager
def build(
    request: BuildRequest, docker: Docker, *, store: Store, host: Host, progress: Callable[[BuildEvent], None]
) -> Iterator[Built]:
    """Builds the image and yields it; its name in Docker is gone afterwards, the build cache stays.

    Raises:
        UnderstudyError: a base cannot be had, or the build failed.
    """
    text = request.dockerfile.read_text("utf-8", errors="surrogateescape")
    with tempfile.TemporaryDirectory(prefix="understudy-docker-") as folder:
        space = Path(folder)
        given = mounted.secrets(host, space, text)
        mounts = mounted.mounts(given)
        loader = _Loader(docker, store, progress)
        text, bases = _rewritten(request, text, mounts, loader)
        (space / "Dockerfile").write_text(text, "utf-8", errors="surrogateescape")
        _write_ignored(request, space)
        name = f"{_RESULTS}:{secrets.token_hex(8)}"
        arguments = [*_arguments(request, host), *(flag for secret in given for flag in secret.flags)]
        arguments += ["--tag", name, "--file", str(space / "Dockerfile"), "--", str(request.context)]
        docker.build(
            arguments,
            lambda line: progress(Work(message=line)),
            dockerfile=str(request.dockerfile),
            unseen=mounts,
        )
    try:
        yield Built(name=name, bases=bases)
    finally:
        docker.remove(name)


class _Loader:
    """Brings bases into Docker, where they are kept for the next build."""

    def __init__(self, docker: Docker, store: Store, progress: Callable[[BuildEvent], None]) -> None:
        self._docker = docker
        self._store = store
        self.progress = progress

    def name(self, base: Image) -> str:
        """Returns what a base is called in Docker, once it is there."""
        name = f"{_BASES}:{digests.hex_of(base.digest)[:_NAME_DIGITS]}"
        if not self._docker.has(name):
            self.progress(Work(message=f"loading a base into Docker, {base.size_bytes / 1e6:.0f} MB"))
            self._docker.load(lambda pipe: saved.write(base, self._store, name, pipe))
        return name


def _rewritten(
    request: BuildRequest, text: str, mounts: str, loader: _Loader
) -> tuple[str, tuple[Image, ...]]:
    """The Dockerfile with the names of loaded bases; as it is when only BuildKit understands it."""
    try:
        parsed = dockerfile.parse(text, path=request.dockerfile.name)
        plan = build_plan.plan(parsed, request)
        found = list(written.uses(parsed, plan, request.platform))
    except DockerfileError as error:
        where = error.where or request.dockerfile.name
        message = f"{error.message}; Docker pulls the bases itself, and RUN sees nothing of this machine"
        loader.progress(Notice(message=message, where=where))
        return text, ()
    bases = {use: request.base_resolver.resolve(use.ref, use.platform).image for use in found}
    names = [(use, loader.name(bases[use])) for use in found]
    return written.rewritten(text, names, written.run_lines(plan), mounts), tuple(bases.values())


def _arguments(request: BuildRequest, host: Host) -> Iterator[str]:
    yield from ("--platform", request.platform)
    if request.target is not None:
        yield from ("--target", request.target)
    if request.no_cache:
        yield "--no-cache"
    proxies = {name: value for name, value in host.variables().items() if name.lower() in build_plan.PROXIES}
    for name, value in (proxies | dict(request.build_args)).items():
        yield from ("--build-arg", f"{name}={value}")
    for name, value in request.labels.items():
        yield from ("--label", f"{name}={value}")
    for identity, path in request.secrets.items():
        yield from ("--secret", f"id={identity},src={path}")


def _write_ignored(request: BuildRequest, space: Path) -> None:
    """Puts the build's ignore list beside its Dockerfile, where BuildKit prefers it to the context's."""
    own = request.dockerfile.with_name(f"{request.dockerfile.name}.dockerignore")
    found = next((path for path in (own, request.context / ".dockerignore") if path.is_file()), None)
    text = found.read_text("utf-8") if found else ""
    (space / "Dockerfile.dockerignore").write_text("\n".join([text, *request.left_out, ""]), "utf-8")
