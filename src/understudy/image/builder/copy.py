"""COPY, ADD and WORKDIR: the instructions that make a layer without running anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from understudy.image.builder import archive, cache, download, files, modes, users
from understudy.image.builder import kit as build_kit
from understudy.image.builder import state as build_state
from understudy.image.builder import tree as build_tree
from understudy.image.builder.cache import CachedLayer
from understudy.image.builder.files import Inline, Ownership, Selected
from understudy.image.builder.kit import Kit, Made
from understudy.image.builder.plan import absolute
from understudy.image.dockerfile import patterns
from understudy.image.layers import Kind, writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from understudy.image.builder.state import StageState
    from understudy.image.builder.tree import LayersTree, Tree
    from understudy.image.dockerfile.model import Copy, Workdir
    from understudy.image.layers import Entry


def workdir(kit: Kit, state: StageState, instruction: Workdir) -> tuple[StageState, Made]:
    """Returns the state with the new working directory, and the layer that creates it when it is missing.

    Raises:
        DockerfileError: the path is malformed, or a link there goes round in circles.
    """
    text = build_state.expand(kit.scope, state, instruction, instruction.path)
    path = absolute(state.config.working_dir, text).rstrip("/") or "/"
    state = replace(state, config=replace(state.config, working_dir=path))
    name = cache.key("workdir", build_kit.identity(state), path, state.config.user, kit.request.epoch)
    known = kit.cached(name)
    if known is not None or kit.layers.is_nothing(name):
        return state, Made(layer=known, cached=True)
    image = kit.tree(state.layers)
    target = build_tree.resolve(image, path)
    node = image.node(target) if target else None
    if not target or (node is not None and node.kind is Kind.DIR):
        kit.layers.put_nothing(name)
        return state, Made(layer=None, cached=True)
    # BuildKit gives a new working directory to USER (dockerfile2llb, dispatchWorkdir).
    owner = _ownership(kit, instruction, image, chown=state.config.user or None)
    new = [files.folder(image, target, owner)]
    layer = _written(kit, files.with_parents(image, new, owner))
    kit.layers.put(name, layer)
    return state, Made(layer=layer, cached=False)


def copy(kit: Kit, state: StageState, instruction: Copy) -> Made:
    """Returns the layer that a COPY or ADD makes, from the cache when its inputs are known.

    Raises:
        DockerfileError: a source, user or mode is not there or malformed.
        FileChangedError: a file was edited while it was read.
    """
    job = _Job.of(kit, state, instruction)
    fast = job.key_by_stage()
    known = kit.cached(fast) if fast else None
    if known is not None:
        return Made(layer=known, cached=True)
    selected, inline = job.content()
    name = job.key(files.fingerprint(selected, kit.hashes.of), inline)
    known = kit.cached(name)
    layer = known or job.layer(selected, inline)
    for key in (name, fast):
        if key:
            kit.layers.put(key, layer)
    return Made(layer=layer, cached=known is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One COPY with its words expanded."""

    kit: Kit
    state: StageState
    instruction: Copy
    sources: tuple[str, ...]
    destination: str
    chown: str | None
    chmod: str | None
    exclude: tuple[str, ...]
    origin: tuple[CachedLayer, ...] | None

    @classmethod
    def of(cls, kit: Kit, state: StageState, instruction: Copy) -> _Job:
        def word(text: str) -> str:
            return build_state.expand(kit.scope, state, instruction, text)

        chmod = word(instruction.chmod) if instruction.chmod else None
        if chmod is not None:
            try:
                modes.check(chmod)
            except modes.ModeInvalidError as exc:
                raise kit.scope.fail(
                    instruction, f"{instruction.at.keyword} flag --chmod is {chmod!r}", "write --chmod=755"
                ) from exc
        origin = None
        if instruction.from_stage:
            origin = tuple(kit.source(instruction, word(instruction.from_stage)))
        destination = word(instruction.destination)
        return cls(
            kit=kit,
            state=state,
            instruction=instruction,
            sources=tuple(word(source) for source in instruction.sources),
            destination=absolute(state.config.working_dir, destination),
            chown=word(instruction.chown) if instruction.chown else None,
            chmod=chmod,
            exclude=tuple(word(text) for text in instruction.exclude),
            origin=origin,
        )

    def key_by_stage(self) -> str | None:
        """A stage's files are known by its layers: no need to look at them."""
        return None if self.origin is None else self.key(build_kit.chain(self.origin), ())

    def key(self, content: object, inline: Sequence[Inline]) -> str:
        """Returns the cache key; names and contents, neither times nor folders of this machine."""
        return cache.key(
            "copy",
            build_kit.identity(self.state),
            [self.sources, self.destination, self.chown, self.chmod, self.exclude],
            [self.instruction.unpack, self.instruction.checksum, self.kit.request.epoch],
            content,
            [[item.name, item.mode, item.data.hex()] for item in inline],
        )

    def content(self) -> tuple[list[Selected], list[Inline]]:
        """Returns the files to copy.

        Raises:
            DockerfileError: a source names nothing.
        """
        kit, instruction = self.kit, self.instruction
        local = [source for source in self.sources if not download.is_address(source)]
        if instruction.at.keyword == "COPY" and len(local) < len(self.sources):
            raise kit.scope.fail(instruction, "COPY takes no address", "write ADD --checksum=sha256:...")
        tree: Tree = kit.context if self.origin is None else kit.tree(self.origin)
        try:
            selected = files.select(tree, local, self.exclude)
        except (files.SourceMissingError, patterns.PatternSyntaxError, OSError) as exc:
            where = "the build context" if self.origin is None else f"stage {instruction.from_stage}"
            raise kit.scope.fail(
                instruction,
                f"{instruction.at.keyword} source {str(exc)!r} is not in {where}",
                "correct the path, or take it out of .dockerignore",
            ) from exc
        inline = [
            Inline(
                name=item.name,
                data=(
                    build_state.expand_text(kit.scope, self.state, instruction, item.text)
                    if item.expand
                    else item.text
                ).encode(),
            )
            for item in instruction.heredocs
        ]
        return selected, inline

    def layer(self, selected: Sequence[Selected], inline: Sequence[Inline]) -> CachedLayer:
        """Returns the layer, written anew."""
        kit = self.kit
        image = kit.tree(self.state.layers)
        owner = _ownership(kit, self.instruction, image, chown=self.chown, chmod=self.chmod)
        plain = list(selected)
        unpacked: list[Entry] = []
        if self.instruction.unpack:
            archives = [item for item in selected if archive.is_archive(item.root)]
            plain = [item for item in selected if item not in archives]
            target = build_tree.resolve(image, self.destination)
            for item in archives:
                unpacked.extend(archive.entries(kit.scope, self.instruction, item.root, target))
        named = [
            *inline,
            *(
                download.download(kit.scope, self.instruction, source)
                for source in self.sources
                if download.is_address(source)
            ),
        ]
        placed = files.place(image, plain, named, self.destination, owner) if plain or named else []
        both = [*placed, *(owner.of(entry) for entry in unpacked)]
        layer = _written(kit, files.with_parents(image, both, owner))
        _check_unchanged(selected)
        return layer


def _ownership(
    kit: Kit,
    instruction: Copy | Workdir,
    image: LayersTree,
    *,
    chown: str | None,
    chmod: str | None = None,
) -> Ownership:
    if chown is None:
        return Ownership(chmod=chmod)
    try:
        account = users.account(image, chown)
    except users.UserUnknownError as exc:
        raise kit.scope.fail(
            instruction, f"{instruction.at.keyword}: {exc}", "write the number, or create it in a RUN above"
        ) from exc
    return Ownership(uid=account.uid, gid=account.gid, chmod=chmod)


def _written(kit: Kit, entries: Sequence[Entry]) -> CachedLayer:
    descriptor, diff_id = writer.write_layer(kit.store, entries, epoch=kit.request.epoch)
    return CachedLayer(descriptor=descriptor, diff_id=diff_id)


def _check_unchanged(selected: Sequence[Selected]) -> None:
    """A file edited after it was hashed must not enter the cache under its old name."""
    for item in selected:
        for node in (item.root, *item.below):
            if node.kind is not Kind.FILE:
                continue
            now = node.place.lstat()
            then = node.status
            if (now.st_mtime_ns, now.st_size, now.st_ino) != (then.st_mtime_ns, then.st_size, then.st_ino):
                raise writer.FileChangedError(
                    "file-changed",
                    f"file {node.path} changed while the image was built",
                    hint="run the build again",
                    where=str(node.place),
                    retryable=True,
                )
