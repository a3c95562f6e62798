"""The files of an image as the rules see them, over the facts of its layers.

What the first pass kept is answered from memory; other content is read from the layers when asked for, a file
at a time or, announced by `prefetch`, in the order in which the layers hold them. Held content is bounded:
what does not fit is read again. Refuses to write.
"""

import posixpath
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

from understudy.verify.files.facts import Entry, LayerFacts
from understudy.verify.files.flatten import Flattened, Held, flatten
from understudy.verify.files.random_access import LayerReader
from understudy.verify.files.scan import HEAD_BYTES, LIMIT_BYTES
from understudy.verify.files.stream import Checkpoints
from understudy.verify.model import Elf, Node

_LINKS_MAX = 40
_HELD_BYTES = 48 << 20
_HELD_FILE_BYTES = 4 << 20

OpenLayer = Callable[[int], BinaryIO]
"""Opens the blob of a layer, bottom first from 0."""


class FileTree:
    """Implements `Files`; usable while the source of the image is open.

    Attributes:
        problems: by layer, what could not be placed in the tree.
    """

    def __init__(
        self,
        layers: Sequence[LayerFacts],
        open_layer: OpenLayer,
        checkpoints: Sequence[Checkpoints] | None = None,
    ) -> None:
        self._open_layer = open_layer
        self._checkpoints = checkpoints or [Checkpoints(plain=layer.plain) for layer in layers]
        self._tree: Flattened = flatten(layers)
        self._layer_of = {id(entry): index for index, layer in enumerate(layers) for entry in layer.entries}
        self._readers: dict[int, LayerReader] = {}
        self._blobs: list[BinaryIO] = []
        self._held: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._held_bytes = 0
        self.problems = self._tree.problems

    def close(self) -> None:
        """Closes the layers that were opened for reading; reading opens them again."""
        self._readers.clear()
        while self._blobs:
            self._blobs.pop().close()

    def get(self, path: str) -> Node | None:
        """The node at exactly `path`; no symbolic link is followed."""
        held = self._tree.held.get(path)
        return held.node if held is not None else None

    def resolve(self, path: str) -> Node | None:
        """The node that `path` leads to, symbolic links followed inside the image; `None` when dangling."""
        held = self._resolve(path)
        return held.node if held is not None else None

    def names(self, path: str) -> tuple[str, ...]:
        """Names in the directory that `path` leads to, sorted; empty when it is none."""
        node = self.resolve(path)
        return tuple(sorted(self._tree.children.get(node.path, ()))) if node is not None else ()

    def walk(self, path: str = "/") -> Iterator[Node]:
        """Every node below `path`, parents before children, links not followed."""
        for found in self._tree.below(posixpath.normpath(path)):
            yield self._tree.held[found].node

    def head(self, path: str) -> bytes:
        """The first 512 bytes of a file, of bytecode only its 16 bytes of header; empty for anything else.

        At hand for bytecode, scripts, executables and ELF files; of other files it is read from the layer.
        """
        held = self._file(path)
        if held is None or held.entry is None:
            return b""
        entry = held.entry
        if entry.head is not None:
            return entry.head
        return self._content(entry, HEAD_BYTES)[:HEAD_BYTES]

    def read(self, path: str) -> bytes:
        """The content of the file that `path` leads to.

        Raises:
            FileNotFoundError: there is none.
        """
        held = self._file(path)
        if held is None or held.entry is None:
            raise FileNotFoundError(path)
        return self._content(held.entry, held.entry.size_bytes)

    def prefetch(self, paths: Iterable[str]) -> None:
        """Reads files that will be asked for in the order of their layers, as far as they fit into memory."""
        wanted: dict[tuple[int, int], Entry] = {}
        for path in paths:
            held = self._file(path)
            if held is None or held.entry is None or held.entry.content is not None:
                continue
            key = self._key(held.entry)
            if key not in self._held:
                wanted[key] = held.entry
        room = _HELD_BYTES
        for key in sorted(wanted):
            room -= wanted[key].size_bytes
            if room < 0:
                break
            self._content(wanted[key], wanted[key].size_bytes)

    def elf(self, path: str) -> Elf | None:
        """ELF facts of the file that `path` leads to; `None` when it is no ELF file.

        A file that is named like a shared object and is none has facts too, with `Elf.damaged`.
        """
        held = self._file(path)
        return held.entry.elf if held is not None and held.entry is not None else None

    def _file(self, path: str) -> Held | None:
        held = self._resolve(path)
        return held if held is not None and held.node.kind == "file" else None

    def _resolve(self, path: str) -> Held | None:
        held = self._tree.held.get(path)
        if held is not None and held.node.kind != "symlink":
            return held
        todo = [part for part in reversed(path.split("/")) if part not in {"", "."}]
        real: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del real[-1:]
                continue
            real.append(part)
            held = self._tree.held.get("/" + "/".join(real))
            if held is None or (todo and held.node.kind not in {"dir", "symlink"}):
                return None
            if held.node.kind == "symlink":
                links += 1
                if links > _LINKS_MAX:
                    return None
                real = [] if held.node.link.startswith("/") else real[:-1]
                todo += [step for step in reversed(held.node.link.split("/")) if step not in {"", "."}]
        return self._tree.held.get("/" + "/".join(real))

    def _key(self, entry: Entry) -> tuple[int, int]:
        return self._layer_of[id(entry)], entry.offset

    def _content(self, entry: Entry, size_bytes: int) -> bytes:
        if entry.content is not None:
            return entry.content
        key = self._key(entry)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        data = self._reader(key[0]).read(entry.offset, size_bytes)
        if len(data) == entry.size_bytes <= _HELD_FILE_BYTES:
            self._hold(key, data)
        return data

    def _hold(self, key: tuple[int, int], data: bytes) -> None:
        self._held[key] = data
        self._held_bytes += len(data)
        while self._held_bytes > _HELD_BYTES:
            self._held_bytes -= len(self._held.popitem(last=False)[1])

    def _reader(self, layer: int) -> LayerReader:
        reader = self._readers.get(layer)
        if reader is None:
            blob = self._open_layer(layer)
            self._blobs.append(blob)
            reader = LayerReader(blob, self._checkpoints[layer], limit_bytes=LIMIT_BYTES)
            self._readers[layer] = reader
        return reader
