"""One build by BuildKit: bases into Docker, a Dockerfile that knows this machine, the result's name.

What RUN steps see of the host is what the native builder's see (docs/decisions/0012), as far as BuildKit can
do it for the step alone: certificates and pip's settings as secrets, proxies as predefined build arguments.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from understudy.image import digests, dockerfile
from understudy.image.builder import Notice, Work
from understudy.image.builder import plan as build_plan
from understudy.image.docker import saved, written
from understudy.image.dockerfile.lines import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from understudy.image.builder import BuildEvent, BuildRequest
    from understudy.image.builder.env import Host
    from understudy.image.docker.client import Docker
    from understudy.image.model import Image
    from understudy.image.store import Store

_BASES: Final = "understudy.local/from"
_RESULTS: Final = "understudy.local/build"
_NAME_DIGITS: Final = 24
_CA: Final = "understudy-ca"
_PIP: Final = "understudy-pip"
# In a folder that every base has: BuildKit takes a mount point's file away again, and leaves its folder.
_CA_FILE: Final = "/etc/understudy-ca.pem"
_PIP_FILE: Final = "/etc/pip.conf"
_PIP_OPTIONS: Final = ("index-url", "extra-index-url", "find-links", "trusted-host", "default-timeout")


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
    text = request.dockerfile.read_text("utf-8")
    with tempfile.TemporaryDirectory(prefix="understudy-docker-") as folder:
        space = Path(folder)
        secret_flags = list(_secrets(space, host))
        text, bases = _with_bases(request, text, docker, store, progress, bool(secret_flags))
        (space / "Dockerfile").write_text(text, "utf-8")
        _write_ignored(request, space)
        name = f"{_RESULTS}:{secrets.token_hex(8)}"
        arguments = [*_arguments(request, host), *secret_flags, "--tag", name]
        arguments += ["--file", str(space / "Dockerfile"), "--", str(request.context)]
        docker.build(
            arguments,
            lambda line: progress(Work(message=line)),
            dockerfile=str(request.dockerfile),
            unseen=_run_flags(),
        )
    try:
        yield Built(name=name, bases=bases)
    finally:
        docker.remove(name)


def _with_bases(
    request: BuildRequest,
    text: str,
    docker: Docker,
    store: Store,
    progress: Callable[[BuildEvent], None],
    secret: bool,
) -> tuple[str, tuple[Image, ...]]:
    """The Dockerfile with the names of loaded bases; as it is when only BuildKit understands it."""
    try:
        parsed = dockerfile.parse(text, path=request.dockerfile.name)
        plan = build_plan.plan(parsed, request)
        found = list(written.uses(parsed, plan, request.platform))
    except DockerfileError as error:
        where = error.where or request.dockerfile.name
        message = f"{error.message}; Docker pulls the bases itself, and RUN sees nothing of this machine"
        progress(Notice(message=message, where=where))
        return text, ()
    names: dict[written.Use, str] = {}
    bases = []
    for use in found:
        base = request.base_resolver.resolve(use.ref, use.platform).image
        names[use] = _loaded(base, docker, store, progress)
        bases.append(base)
    flags = _run_flags() if secret else ""
    return written.rewritten(text, names, written.run_lines(plan), flags), tuple(bases)


def _loaded(base: Image, docker: Docker, store: Store, progress: Callable[[BuildEvent], None]) -> str:
    """The base's name in Docker, where it is kept for the next build."""
    name = f"{_BASES}:{digests.hex_of(base.digest)[:_NAME_DIGITS]}"
    if not docker.has(name):
        progress(Work(message=f"loading the base image into Docker, {base.size_bytes / 1e6:.0f} MB"))
        docker.load(lambda pipe: saved.write(base, store, name, pipe))
    return name


def _secrets(space: Path, host: Host) -> Iterator[str]:
    """The flags that give this machine's certificates and pip settings to the build."""
    bundle = host.bundle()
    options = _pip_options(host.variables())
    if bundle is not None:
        copy = shutil.copyfile(bundle, space / "ca.pem")
        options["cert"] = _CA_FILE
        yield from ("--secret", f"id={_CA},src={copy}")
    if options:
        lines = [f"{name} = {value}" for name, value in options.items()]
        (space / "pip.conf").write_text("\n".join(["[global]", *lines, ""]))
        yield from ("--secret", f"id={_PIP},src={space / 'pip.conf'}")


def _run_flags() -> str:
    """What RUN gets; a secret that was not given is not there, as BuildKit has it by default."""
    wanted = ((_CA, _CA_FILE), (_PIP, _PIP_FILE))
    return " ".join(f"--mount=type=secret,id={name},target={target},mode=0444" for name, target in wanted)


def _pip_options(variables: Mapping[str, str]) -> dict[str, str]:
    """Pip's settings as options of its file; folders of this machine are none of the build's."""
    found = {}
    for option in _PIP_OPTIONS:
        text = variables.get(f"PIP_{option.replace('-', '_').upper()}", "")
        words = [word for word in text.split() if not word.startswith(("/", "file:"))]
        if words:
            found[option.removeprefix("default-")] = " ".join(words)
    return found


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
