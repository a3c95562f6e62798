"""Layers laid over each other (OCI image spec, layer.md): one tree of nodes, each with where its content is.

Whiteouts and opaque markers delete what lower layers brought, never what their own layer brings, wherever in
the archive they stand. A symbolic link inside a path is followed within one layer only, as extraction does;
a hard link shares content, mode, owner and time with its target, which may be in a lower layer.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from understudy.verify.files.facts import Entry, LayerFacts
from understudy.verify.model import Node, NodeKind

_LINKS_MAX = 40
_NODE_KINDS: dict[str, NodeKind] = {"file": "file", "dir": "dir", "symlink": "symlink"}
_IMPLICIT_MODE = 0o755
_LINK_MODE = 0o777


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A node with the entry that its content comes from, `None` for a directory that no archive names."""

    node: Node
    entry: Entry | None = None


class Flattened:
    """The tree.

    Attributes:
        held: by absolute path; ``/`` is always there.
        children: names in each directory that has any.
        problems: by layer, what could not be placed.
    """

    def __init__(self) -> None:
        self.held: dict[str, Held] = {"/": Held(node=Node(path="/", kind="dir", mode=_IMPLICIT_MODE))}
        self.children: dict[str, dict[str, None]] = {}
        self.problems: dict[int, str] = {}

    def below(self, path: str) -> Iterator[str]:
        """Every path below `path`, parents before children, siblings sorted."""
        stack = [path]
        while stack:
            folder = stack.pop()
            if folder != path:
                yield folder
            stack += [
                posixpath.join(folder, name) for name in sorted(self.children.get(folder, ()), reverse=True)
            ]

    def put(self, path: str, held: Held) -> None:
        """Places a node; a directory over a directory keeps its children, all else goes."""
        before = self.held.get(path)
        if before is not None and not (before.node.kind == "dir" == held.node.kind):
            self.remove(path)
        self.held[path] = held
        if path != "/":
            folder, _, name = path.rpartition("/")
            self.children.setdefault(folder or "/", {})[name] = None

    def remove(self, path: str) -> None:
        """Removes a node and all below it; without effect when there is none."""
        if path == "/" or path not in self.held:
            return
        for gone in [*self.below(path), path]:
            self.held.pop(gone, None)
            self.children.pop(gone, None)
        folder, _, name = path.rpartition("/")
        self.children.get(folder or "/", {}).pop(name, None)

    def empty(self, path: str) -> None:
        """Removes all below a directory."""
        for name in list(self.children.get(path, ())):
            self.remove(posixpath.join(path, name))


def flatten(layers: Sequence[LayerFacts]) -> Flattened:
    """Returns the tree that `layers`, bottom first, make together."""
    lower = Flattened()
    for index, layer in enumerate(layers):
        _Upper(lower, index).merge(layer.entries)
    return lower


class _Upper:
    """One layer on its way onto the tree of those below."""

    def __init__(self, lower: Flattened, index: int) -> None:
        self._lower = lower
        self._index = index
        # Below the first layer is nothing to delete or to merge with.
        self._own = Flattened() if index else lower
        self._deleted: list[Entry] = []

    def merge(self, entries: Sequence[Entry]) -> None:
        """Applies the layer: deletions first, then what it brings."""
        has_links = any(entry.kind == "symlink" for entry in entries)
        for entry in entries:
            path = self._real(entry.path) if has_links else entry.path
            if path is None:
                self._fail(f"a path runs through a file or a loop of links: {entry.path}")
            elif entry.kind in {"whiteout", "opaque"}:
                self._deleted.append(replace(entry, path=path) if path != entry.path else entry)
            else:
                self._place(path, entry)
        if self._own is self._lower:
            return
        for entry in self._deleted:
            if entry.kind == "whiteout":
                self._lower.remove(entry.path)
            else:
                self._lower.empty(entry.path)
        for path in ("/", *self._own.below("/")):
            held = self._own.held[path]
            # A directory that no entry of this layer names says nothing about the one below it.
            if held.entry is not None or not self._is_lower_folder(path):
                self._lower.put(path, held)

    def _is_lower_folder(self, path: str) -> bool:
        held = self._lower.held.get(path)
        return held is not None and held.node.kind == "dir"

    def _place(self, path: str, entry: Entry) -> None:
        folder = path.rpartition("/")[0]
        if folder and folder not in self._own.held and not self._make(folder):
            self._fail(f"a path runs through a file: {entry.path}")
            return
        held = self._own.held.get(folder or "/")
        if held is None or held.node.kind != "dir":
            self._fail(f"a path runs through a file: {entry.path}")
        elif entry.kind == "hardlink":
            self._link(path, entry)
        elif path != "/" or entry.kind == "dir":
            self._own.put(path, Held(node=_node(path, entry, self._index), entry=entry))

    def _link(self, path: str, entry: Entry) -> None:
        wanted = self._real(entry.link) or entry.link
        target = self._own.held.get(wanted) or self._lower.held.get(wanted)
        if target is None or target.node.kind == "dir":
            self._fail(f"the target of hard link {path} is no file: {entry.link}")
        elif wanted != path:
            self._own.put(
                path, Held(node=replace(target.node, path=path, layer=self._index), entry=target.entry)
            )

    def _make(self, folder: str) -> bool:
        """Makes directories that no entry names; whether that was possible."""
        parts = folder.strip("/").split("/")
        for length in range(1, len(parts) + 1):
            path = "/" + "/".join(parts[:length])
            held = self._own.held.get(path)
            if held is None:
                made = Node(path=path, kind="dir", mode=_IMPLICIT_MODE, layer=self._index, implied=True)
                self._own.put(path, Held(node=made))
            elif held.node.kind != "dir":
                return False
        return True

    def _real(self, path: str) -> str | None:
        """`path` with the links of this layer in its directories resolved; `None` for loops."""
        parent = self._own.held.get(path.rpartition("/")[0] or "/")
        if parent is not None and parent.node.kind == "dir":
            return path
        todo = [part for part in reversed(path.split("/")) if part]
        real: list[str] = []
        links = 0
        while len(todo) > 1:
            part = todo.pop()
            if part == "..":
                del real[-1:]
                continue
            real.append(part)
            held = self._own.held.get("/" + "/".join(real))
            if held is None or held.node.kind != "symlink":
                continue
            links += 1
            if links > _LINKS_MAX:
                return None
            real = [] if held.node.link.startswith("/") else real[:-1]
            todo += [step for step in reversed(held.node.link.split("/")) if step not in {"", "."}]
        return "/" + "/".join([*real, *todo])

    def _fail(self, reason: str) -> None:
        self._lower.problems.setdefault(self._index, reason[:400])


def _node(path: str, entry: Entry, layer: int) -> Node:
    return Node(
        path=path,
        kind=_NODE_KINDS.get(entry.kind, "other"),
        # Archives disagree about the mode of a link; to the kernel it is always this.
        mode=_LINK_MODE if entry.kind == "symlink" else entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        size_bytes=entry.size_bytes,
        mtime_s=entry.mtime_s,
        link=entry.link if entry.kind == "symlink" else "",
        layer=layer,
    )
