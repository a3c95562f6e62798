import io
import random
from collections.abc import Sequence

import pytest

from tests.fakes.elf_file import ElfFile
from tests.unit.verify.samples import Item, file, folder, hardlink, packed, symlink, tar, whiteout
from understudy.verify.files import scan
from understudy.verify.files.stream import Checkpoints
from understudy.verify.files.tree import FileTree
from understudy.verify.model import Files


class Layers:
    """Layers in memory; counts how often each is opened."""

    def __init__(self, *blobs: bytes) -> None:
        self.blobs = blobs
        self.opened: list[int] = []

    def open(self, position: int) -> io.BytesIO:
        self.opened.append(position)
        return io.BytesIO(self.blobs[position])

    def tree(self, *, remembered: bool = True) -> FileTree:
        checkpoints = [Checkpoints() for _ in self.blobs]
        facts = [
            scan.layer(io.BytesIO(blob), place) for blob, place in zip(self.blobs, checkpoints, strict=True)
        ]
        return FileTree(facts, self.open, checkpoints if remembered else None)


def tree(*layers: Sequence[Item]) -> FileTree:
    return Layers(*(packed(items) for items in layers)).tree()


SAMPLE = [
    folder("usr/lib"),
    symlink("lib", "usr/lib"),
    file("usr/lib/a.txt", b"text"),
    symlink("usr/lib/up", "../../lib/a.txt"),
    symlink("absolute", "/usr/lib/a.txt"),
    symlink("beyond", "../../../../usr/lib/a.txt"),
    symlink("dangling", "/nowhere"),
    symlink("loop", "loop"),
    hardlink("hard", "usr/lib/a.txt"),
]


def test_it_is_what_the_rules_expect() -> None:
    def expects(files: Files) -> bool:
        return files.get("/usr/lib/a.txt") is not None

    assert expects(tree(SAMPLE))


def test_get_follows_no_link_and_resolve_follows_all() -> None:
    files = tree(SAMPLE)
    link = files.get("/usr/lib/up")
    assert link is not None
    assert (link.kind, link.link) == ("symlink", "../../lib/a.txt")
    for path in ("/usr/lib/up", "/lib/up", "/absolute", "/beyond", "/lib/../lib/./a.txt", "/usr//lib/a.txt"):
        found = files.resolve(path)
        assert found is not None, path
        assert found.path == "/usr/lib/a.txt"
    assert files.get("/lib/a.txt") is None
    for path in ("/dangling", "/loop", "/absolute/x", "/missing"):
        assert files.resolve(path) is None, path
    root = files.resolve("/")
    assert root is not None
    assert root.kind == "dir"


def test_names_and_walk() -> None:
    files = tree(SAMPLE)
    assert files.names("/lib") == ("a.txt", "up")
    assert files.names("/usr/lib/a.txt") == ()
    assert files.names("/missing") == ()
    assert [node.path for node in files.walk("/usr")] == ["/usr/lib", "/usr/lib/a.txt", "/usr/lib/up"]
    assert len(list(files.walk())) == 10


def test_read_gives_the_content_that_a_path_leads_to() -> None:
    files = tree(SAMPLE)
    for path in ("/usr/lib/a.txt", "/absolute", "/hard", "/lib/up"):
        assert files.read(path) == b"text"
    for path in ("/missing", "/usr/lib", "/dangling"):
        with pytest.raises(FileNotFoundError):
            files.read(path)


def test_head_answers_for_files_only() -> None:
    files = tree([file("a", bytes(600)), file("b.pyc", bytes(range(64))), folder("d"), file("s", b"#!x")])
    assert files.head("/a") == bytes(512)
    assert files.head("/b.pyc") == bytes(range(16))
    assert files.head("/s") == b"#!x"
    assert files.head("/d") == b""
    assert files.head("/missing") == b""


def test_read_takes_content_from_the_layer_that_won() -> None:
    files = tree([file("a", b"lower"), file("b", b"b")], [file("a", b"upper")], [whiteout("b")])
    assert files.read("/a") == b"upper"
    assert files.get("/b") is None


@pytest.mark.parametrize("remembered", [True, False], ids=["with checkpoints", "from the cache"])
@pytest.mark.parametrize("build", [tar, packed])
def test_reads_any_file_of_a_large_layer(build: object, remembered: bool) -> None:
    contents = {f"d/{number}": random.Random(number).randbytes(300_000) for number in range(40)}
    items = [file(path, data) for path, data in contents.items()]
    files = Layers(build(items)).tree(remembered=remembered)  # type: ignore[operator]
    for path in sorted(contents, reverse=True):
        assert files.read(f"/{path}") == contents[path]


def test_prefetch_reads_in_the_order_of_the_layer() -> None:
    contents = {f"{number}.py": random.Random(number).randbytes(100_000) for number in range(30)}
    layers = Layers(packed([file(path, data) for path, data in contents.items()]))
    files = layers.tree(remembered=False)
    files.prefetch([*(f"/{path}" for path in reversed(contents)), "/missing", "/"])
    for path, data in contents.items():
        assert files.read(f"/{path}") == data
    assert layers.opened == [0]


def test_content_that_the_scan_kept_needs_no_layer() -> None:
    layers = Layers(packed([file("x-1.dist-info/METADATA", b"Name: x"), file("etc/passwd", b"root")]))
    files = layers.tree()
    files.prefetch(["/etc/passwd"])
    assert (files.read("/x-1.dist-info/METADATA"), files.read("/etc/passwd")) == (b"Name: x", b"root")
    assert layers.opened == []


def test_held_content_is_bounded() -> None:
    items = [file(str(number), bytes(3 << 20)) for number in range(40)]
    files = Layers(packed(items)).tree()
    files.prefetch(str(f"/{number}") for number in range(40))
    for number in range(40):
        assert len(files.read(f"/{number}")) == 3 << 20
    assert files._held_bytes <= 48 << 20
    assert files._held_bytes == sum(len(data) for data in files._held.values())


def test_elf_facts_follow_links() -> None:
    data = ElfFile(soname="libx.so.1").data
    files = tree([file("lib/libx.so.1.0", data), symlink("lib/libx.so", "libx.so.1.0"), file("t", b"x")])
    found = files.elf("/lib/libx.so")
    assert found is not None
    assert found.soname == "libx.so.1"
    assert files.elf("/t") is None
    assert files.elf("/missing") is None


def test_names_that_are_no_utf8_can_be_read() -> None:
    files = tree([Item(path="caf\udce9", data=b"x")])
    assert files.names("/") == ("caf\udce9",)
    assert files.read("/caf\udce9") == b"x"


def test_closing_lets_go_of_the_layers_and_reading_opens_them_again() -> None:
    layers = Layers(packed([file("a", b"1"), file("b", b"2")]))
    files = layers.tree()
    assert files.read("/a") == b"1"
    files.close()
    assert files.read("/b") == b"2"
    assert layers.opened == [0, 0]
