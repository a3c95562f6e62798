"""Executes a Dockerfile without a daemon: same inputs, same digest, on every machine and in every folder.

Each instruction either changes the image's config or makes one layer; a layer is looked up by the instruction
and everything that decides its content before it is made. Times in the image are constant, owners and modes
come from the inputs, and RUN steps see a fixed environment. Refuses to follow Docker where Docker would make
another image each time (ADD from an address without a checksum) or run others' instructions (ONBUILD).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from understudy.errors import UnderstudyError
from understudy.image import dockerfile
from understudy.image.builder import cache
from understudy.image.builder import plan as build_plan
from understudy.image.builder.cache import FileHashes
from understudy.image.builder.env import Host
from understudy.image.builder.model import (
    BaseResolver,
    BuildEvent,
    BuildFinished,
    BuildRequest,
    Notice,
    ResolvedBase,
)
from understudy.image.builder.stages import Setup, Stages
from understudy.image.builder.tree import HostTree
from understudy.image.dockerfile import dockerignore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from understudy.image.dockerfile.dockerignore import Dockerignore
    from understudy.image.dockerfile.model import Dockerfile
    from understudy.image.model import Image
    from understudy.image.steps import StepRunner
    from understudy.image.store import Store

__all__ = ["BaseResolver", "BuildEvent", "BuildRequest", "ResolvedBase", "build"]


def build(
    request: BuildRequest,
    *,
    store: Store,
    steps: StepRunner,
    progress: Callable[[BuildEvent], None],
    host: Host | None = None,
) -> Image:
    """Returns the image that a Dockerfile describes, stored and tagged.

    Args:
        request: what to build.
        store: receives the image, and keeps the caches.
        steps: runs RUN.
        progress: receives what happens, in order.
        host: what RUN steps may see of this machine; the real one by default.

    Raises:
        DockerfileError: the Dockerfile cannot be built as written.
        StepFailedError: a RUN command failed.
        UnderstudyError: a file cannot be read, or a base cannot be had.
    """
    started = time.monotonic()
    parsed = _parsed(request)
    plan = build_plan.plan(parsed, request)
    for remark in parsed.warnings:
        progress(Notice(message=remark.message, where=f"{parsed.path}:{remark.line}"))
    if plan.unused_args:
        progress(Notice(message=f"build arguments {', '.join(plan.unused_args)} are not used"))
    with store.session():
        hashes = FileHashes(_hashes_path(store, request.context)).open()
        setup = Setup(
            request=request,
            dockerfile=parsed,
            plan=plan,
            store=store,
            steps=steps,
            progress=progress,
            hashes=hashes,
            context=HostTree(request.context, _ignored(request)),
            host=host or Host(environment=os.environ),
        )
        image = Stages(setup).build()
        hashes.close()
    for tag in request.tags:
        store.tag(tag, image.digest)
    seconds = time.monotonic() - started
    progress(BuildFinished(digest=image.digest, size_bytes=image.size_bytes, seconds=seconds))
    return image


def _parsed(request: BuildRequest) -> Dockerfile:
    try:
        text = request.dockerfile.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UnderstudyError(
            "dockerfile-unreadable",
            f"Dockerfile {request.dockerfile} cannot be read: {exc}",
            hint=f"create {request.dockerfile}, or name another one",
            where=str(request.dockerfile),
        ) from exc
    return dockerfile.parse(text, path=_shown(request.dockerfile))


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(path.cwd()))
    except ValueError:
        return str(path)


def _hashes_path(store: Store, context: Path) -> Path:
    return store.root / "cache" / "hashes" / f"{cache.key(str(context.resolve()))}.json"


def _ignored(request: BuildRequest) -> Dockerignore:
    return ignored(request.context, request.dockerfile).with_also(request.left_out)


def ignored(context: Path, dockerfile_path: Path) -> Dockerignore:
    """What of a context does not exist for the build: the Dockerfile's own list, or else the context's.

    Raises:
        UnderstudyError: a pattern is malformed.
    """
    own = dockerfile_path.with_name(f"{dockerfile_path.name}.dockerignore")
    for path in (own, context / ".dockerignore"):
        if path.is_file():
            return dockerignore.parse(path.read_text("utf-8"), path=_shown(path))
    return dockerignore.Dockerignore()
