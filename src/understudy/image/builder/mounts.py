"""`RUN --mount`: where each mount's content comes from, and what of it belongs into the cache key."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from understudy.image import locks
from understudy.image.builder import cache, files
from understudy.image.builder import kit as build_kit
from understudy.image.builder import state as build_state
from understudy.image.builder.plan import absolute
from understudy.image.layers import Kind
from understudy.image.steps import Mount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from understudy.image.builder.files import Selected
    from understudy.image.builder.kit import Kit
    from understudy.image.builder.state import StageState
    from understudy.image.dockerfile.model import Run, RunMount


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What a prepared mount gives to the step."""

    mounts: tuple[Mount, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A mount whose inputs are known.

    Attributes:
        key: what of it decides the step's result; a secret's content and a cache's do not.
        make: brings it to life below a directory of its own.
    """

    key: object
    make: Callable[[Path], Iterator[Ready]]

    @contextlib.contextmanager
    def ready(self, space: Path) -> Iterator[Ready]:
        """Yields the mounts; what they need lives as long as the context."""
        yield from self.make(space)


def prepare(kit: Kit, state: StageState, instruction: Run) -> list[Prepared]:
    """Returns the mounts of a RUN.

    Raises:
        DockerfileError: a source or a required secret is missing.
    """
    return [_prepared(kit, state, instruction, mount) for mount in instruction.mounts]


def _prepared(kit: Kit, state: StageState, instruction: Run, written: RunMount) -> Prepared:
    def word(text: str) -> str:
        return build_state.expand(kit.scope, state, instruction, text)

    target = word(written.target)
    mount = replace(
        written,
        source=word(written.source),
        identity=word(written.identity),
        from_stage=word(written.from_stage) if written.from_stage else None,
        target=absolute(state.config.working_dir, target).rstrip("/") if target else "",
    )
    if mount.kind == "tmpfs":
        return Prepared(key=["tmpfs", mount.target], make=lambda _: _tmpfs(mount))
    if mount.kind == "secret":
        return _secret(kit, instruction, mount)
    if mount.kind == "cache":
        if mount.from_stage or mount.source:
            raise kit.scope.fail(
                instruction, "RUN --mount=type=cache starts empty here", "remove from= and source="
            )
        key = ["cache", mount.target, mount.identity]
        return Prepared(key=key, make=lambda _: _cache(kit, mount))
    return _bind(kit, instruction, mount)


def _tmpfs(mount: RunMount) -> Iterator[Ready]:
    yield Ready(
        mounts=(Mount(kind="tmpfs", target=PurePosixPath(mount.target), source=None, read_only=False),)
    )


def _secret(kit: Kit, instruction: Run, mount: RunMount) -> Prepared:
    source = kit.request.secrets.get(mount.identity)
    if source is None and mount.required:
        raise kit.scope.fail(
            instruction,
            f"secret {mount.identity!r} is required and not given",
            f"add --secret id={mount.identity},src=FILE",
        )
    key = ["secret", mount.target, mount.identity, mount.env]
    return Prepared(key=key, make=lambda space: _secret_file(source, mount, space))


def _secret_file(source: Path | None, mount: RunMount, space: Path) -> Iterator[Ready]:
    if source is None:
        yield Ready()
        return
    env = {mount.env: source.read_text("utf-8")} if mount.env else {}
    if not mount.target:
        yield Ready(env=env)
        return
    space.mkdir(mode=0o755)
    copy = space / "secret"
    copy.touch(mode=0o600)
    copy.write_bytes(source.read_bytes())
    try:
        _give(copy, mount, 0o400)
        yield Ready(
            env=env,
            mounts=(Mount(kind="secret", target=PurePosixPath(mount.target), source=copy, read_only=True),),
        )
    finally:
        copy.unlink()


def _cache(kit: Kit, mount: RunMount) -> Iterator[Ready]:
    """One step at a time uses a cache: package managers do not share theirs."""
    parent = kit.store.root / "cache" / "mounts"
    parent.mkdir(parents=True, exist_ok=True)
    name = cache.key(mount.identity)[:32]
    folder = parent / name
    with locks.exclusive(parent / f"{name}.lock"):
        if not folder.exists():
            folder.mkdir()
            _give(folder, mount, 0o755)
        yield Ready(
            mounts=(
                Mount(
                    kind="cache",
                    target=PurePosixPath(mount.target),
                    source=folder,
                    read_only=mount.read_only,
                ),
            )
        )


def _bind(kit: Kit, instruction: Run, mount: RunMount) -> Prepared:
    """A copy is mounted: ignored files stay invisible, and what a step writes into it is dropped."""
    path = mount.source or "."
    layers = kit.source(instruction, mount.from_stage) if mount.from_stage else None

    def select() -> Selected:
        tree = kit.context if layers is None else kit.tree(layers)
        try:
            return files.select(tree, [path])[0]
        except files.SourceMissingError as exc:
            raise kit.scope.fail(
                instruction, f"RUN --mount source {path!r} does not exist", "name a path that exists"
            ) from exc

    if layers is None:
        content: object = files.fingerprint([select()], kit.hashes.of)
    else:
        content = build_kit.chain(layers)
    return Prepared(
        key=["bind", mount.target, path, content, mount.read_only],
        make=lambda space: _copied(select(), mount, space),
    )


def _copied(selected: Selected, mount: RunMount, space: Path) -> Iterator[Ready]:
    target = space / "content"
    space.mkdir()
    if selected.is_folder:
        target.mkdir()
    for node in (() if selected.is_folder else (selected.root,)) + selected.below:
        place = target / selected.relative(node) if selected.is_folder else target
        if node.kind is Kind.DIR:
            place.mkdir()
        elif node.kind is Kind.SYMLINK:
            place.symlink_to(node.link)
        elif node.kind is Kind.FILE:
            shutil.copyfile(node.place, place)
        if node.kind in (Kind.DIR, Kind.FILE):
            place.chmod(node.mode)
    yield Ready(
        mounts=(
            Mount(
                kind="bind",
                target=PurePosixPath(mount.target),
                source=target,
                read_only=mount.read_only,
            ),
        )
    )


def _give(place: Path, mount: RunMount, mode: int) -> None:
    place.chmod(mount.mode if mount.mode is not None else mode)
    if os.geteuid() == 0 and (mount.uid or mount.gid):
        os.chown(place, mount.uid, mount.gid)
