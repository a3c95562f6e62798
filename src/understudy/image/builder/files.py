"""COPY and ADD: which files a layer gets, where, and whose they are.

Two halves, so that an unchanged build never looks at the image: `select` finds the sources and their
content, `place` decides the destinations in the image. Docker's rules throughout: a directory gives its
content, a file keeps its name when the destination is a directory, links inside a directory stay links.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from understudy.image.builder import modes
from understudy.image.builder import tree as build_tree
from understudy.image.dockerfile import patterns
from understudy.image.layers import Entry, Kind, diff

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from understudy.image.builder.tree import Node, Tree

_PARENT_MODE = 0o755


class SourceMissingError(Exception):
    """A source of COPY matches nothing; the caller adds file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """A file whose content the Dockerfile (or a download) gives."""

    name: str
    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """One source: a file with its name, or a directory with everything below it.

    Attributes:
        root: the file or directory itself.
        below: what the directory holds, parents first; empty for a file.
    """

    root: Node
    below: tuple[Node, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether its content is copied rather than itself."""
        return self.root.kind is Kind.DIR

    def relative(self, node: Node) -> str:
        """Returns the path of `node` inside the source directory."""
        return node.path[len(self.root.path) :].lstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """`--chown` and `--chmod` with numbers."""

    uid: int | None = None
    gid: int | None = None
    chmod: str | None = None

    def of(self, entry: Entry) -> Entry:
        """Returns `entry` as these options make it."""
        uid = entry.uid if self.uid is None else self.uid
        gid = entry.gid if self.gid is None else self.gid
        mode = entry.mode
        if self.chmod is not None and entry.kind is not Kind.SYMLINK:
            mode = modes.apply(self.chmod, mode, is_folder=entry.kind is Kind.DIR)
        return replace(entry, uid=uid, gid=gid, mode=mode)


def select(tree: Tree, sources: Sequence[str], exclude: Sequence[str] = ()) -> list[Selected]:
    """Returns what the paths and globs in `sources` name, in order.

    Raises:
        SourceMissingError: one of them names nothing.
    """
    found: list[Selected] = []
    for source in sources:
        cleaned = posixpath.normpath("/" + source).lstrip("/")
        paths = _matches(tree, cleaned) if patterns.has_wildcard(cleaned) else [cleaned]
        chosen = [item for path in paths if (item := _selected(tree, path, exclude)) is not None]
        if not chosen:
            raise SourceMissingError(source)
        found.extend(chosen)
    return found


def fingerprint(
    selected: Iterable[Selected], hashes: Callable[[Iterable[Node]], Mapping[Path, str]]
) -> list[object]:
    """Returns names, modes, owners and contents of the sources, for a cache key; neither times nor places."""
    chosen = list(selected)
    nodes = [node for item in chosen for node in (item.root, *item.below)]
    contents = hashes(node for node in nodes if node.kind is Kind.FILE)
    return [[_described(node, item, contents) for node in (item.root, *item.below)] for item in chosen]


def place(
    image: Tree,
    selected: Sequence[Selected],
    inline: Sequence[Inline],
    destination: str,
    owner: Ownership,
) -> list[Entry]:
    """Returns the entries of the layer.

    Args:
        image: what the stage holds so far.
        selected: files from a tree.
        inline: files from the Dockerfile.
        destination: absolute; a slash at its end makes it a directory.
        owner: whose the files are, and their modes.
    """
    target = build_tree.resolve(image, destination)
    existing = image.node(target) if target else None
    many = len(selected) + len(inline) > 1
    is_folder = (
        not target
        or destination.endswith(("/", "/."))
        or many
        or (existing is not None and existing.kind is Kind.DIR)
    )
    entries: dict[str, Entry] = {}
    for item in selected:
        for entry in _entries(item, target, into_folder=is_folder):
            entries[entry.path] = owner.of(entry)
    for file in inline:
        path = _join(target, file.name) if is_folder else target
        entries[path] = owner.of(Entry(path=path, kind=Kind.FILE, mode=file.mode, data=file.data))
    if target in entries and existing is not None and existing.kind is Kind.DIR:
        # Copying onto a directory leaves its own mode and owner alone (BuildKit's fsutil, copy.go).
        entries[target] = folder(image, target, owner)
    return with_parents(image, entries.values(), owner)


def with_parents(image: Tree, entries: Iterable[Entry], owner: Ownership) -> list[Entry]:
    """Returns `entries` with every directory above them: as the image has it, else new and `owner`'s.

    A layer must name the directories it goes through: overlayfs shows the topmost one's mode and owner.
    """
    found = {entry.path: entry for entry in entries}
    for path in list(found):
        parent = posixpath.dirname(path)
        while parent and parent not in found:
            found[parent] = folder(image, parent, owner)
            parent = posixpath.dirname(parent)
    return sorted(found.values(), key=lambda entry: entry.path)


def folder(image: Tree, path: str, owner: Ownership) -> Entry:
    """Returns the directory `path` as the image has it, else a new one that is `owner`'s."""
    node = image.node(path)
    if node is not None and node.kind is Kind.DIR:
        return Entry(path=path, kind=Kind.DIR, mode=node.mode, uid=node.uid, gid=node.gid)
    return Entry(path=path, kind=Kind.DIR, mode=_PARENT_MODE, uid=owner.uid or 0, gid=owner.gid or 0)


def _matches(tree: Tree, pattern: str) -> list[str]:
    """Walks only the part of the tree that the pattern's plain beginning names."""
    parts = pattern.split("/")
    plain: list[str] = []
    for part in parts:
        if patterns.has_wildcard(part):
            break
        plain.append(part)
    regex = patterns.compile_pattern(pattern)
    start = "/".join(plain)
    if start and (node := tree.node(start)) is not None and node.kind is not Kind.DIR:
        return []
    depth = None if "**" in pattern else len(parts)
    return [node.path for node in _descend(tree, start, depth) if regex.fullmatch(node.path)]


def _descend(tree: Tree, path: str, depth: int | None) -> Iterator[Node]:
    if path and tree.node(path) is None:
        return
    for name in tree.names(path):
        node = tree.node(f"{path}/{name}" if path else name)
        if node is None:
            continue
        yield node
        if node.kind is Kind.DIR and (depth is None or node.path.count("/") + 1 < depth):
            yield from _descend(tree, node.path, depth)


def _selected(tree: Tree, path: str, exclude: Sequence[str]) -> Selected | None:
    root = tree.node(build_tree.resolve(tree, path))
    if root is None:
        return None
    if root.kind is not Kind.DIR:
        # A link is followed, and the file keeps the link's name.
        return Selected(root=replace(root, path=path) if path else root)
    rules = [patterns.compile_pattern(posixpath.normpath(text).lstrip("/")) for text in exclude]
    return Selected(root=root, below=tuple(_not_excluded(tree, root, rules)))


def _not_excluded(tree: Tree, root: Node, rules: list[re.Pattern[str]]) -> Iterator[Node]:
    skip = len(root.path) + 1 if root.path else 0
    for node in build_tree.walk(tree, root.path):
        parts = node.path[skip:].split("/")
        prefixes = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        if not any(rule.fullmatch(prefix) for prefix in prefixes for rule in rules):
            yield node


def _described(node: Node, item: Selected, contents: Mapping[Path, str]) -> list[object]:
    name = item.relative(node) if item.is_folder else node.name
    content = contents.get(node.place) or (node.link if node.kind is Kind.SYMLINK else "")
    return [name, node.kind.value.decode(), node.mode, node.uid, node.gid, content]


def _entries(item: Selected, target: str, *, into_folder: bool) -> Iterator[Entry]:
    if not item.is_folder:
        yield _entry(item.root, _join(target, item.root.name) if into_folder else target)
        return
    if target:
        yield _entry(item.root, target)
    for node in item.below:
        yield _entry(node, _join(target, item.relative(node)))


def _entry(node: Node, path: str) -> Entry:
    return Entry(
        path=path,
        kind=node.kind,
        mode=0o777 if node.kind is Kind.SYMLINK else node.mode,
        uid=node.uid,
        gid=node.gid,
        source=node.place if node.kind is Kind.FILE else None,
        target=node.link if node.kind is Kind.SYMLINK else "",
        xattrs=_capability(node),
    )


def _capability(node: Node) -> dict[str, bytes]:
    if node.kind is not Kind.FILE or not node.mode & 0o111:
        return {}
    try:
        return {diff.CAPABILITY: os.getxattr(node.place, diff.CAPABILITY)}
    except OSError:
        return {}


def _join(folder_path: str, name: str) -> str:
    return f"{folder_path}/{name}" if folder_path else name
