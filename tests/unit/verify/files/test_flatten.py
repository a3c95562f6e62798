import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.verify.samples import Item, file, folder, hardlink, opaque, packed, symlink, tar, whiteout
from understudy.image.layers import extract
from understudy.image.layers.tarformat import Kind
from understudy.verify.files import scan
from understudy.verify.files.flatten import Flattened, flatten
from understudy.verify.files.stream import Checkpoints


def flat(*layers: Sequence[Item]) -> Flattened:
    return flatten([scan.layer(io.BytesIO(tar(items)), Checkpoints()) for items in layers])


def paths(tree: Flattened) -> list[str]:
    return list(tree.below("/"))


def test_upper_layers_win_and_nodes_know_their_layer() -> None:
    tree = flat([folder("d"), file("d/a", b"1"), file("d/b")], [file("d/a", b"22", mode=0o600)])
    assert paths(tree) == ["/d", "/d/a", "/d/b"]
    upper = tree.held["/d/a"].node
    assert (upper.layer, upper.size_bytes, upper.mode) == (1, 2, 0o600)
    assert tree.held["/d/b"].node.layer == 0


def test_a_directory_over_a_directory_keeps_its_children_and_changes_its_mode() -> None:
    tree = flat([folder("d", 0o755), file("d/a")], [folder("d", 0o700)])
    assert paths(tree) == ["/d", "/d/a"]
    assert (tree.held["/d"].node.mode, tree.held["/d"].node.layer) == (0o700, 1)


def test_whiteouts_delete_what_lower_layers_brought() -> None:
    tree = flat([folder("d"), file("d/a"), folder("d/e"), file("d/e/f"), file("x")], [whiteout("d")])
    assert paths(tree) == ["/x"]


def test_whiteouts_spare_their_own_layer_wherever_they_stand() -> None:
    lower = [folder("d"), file("d/old")]
    for upper in (
        [folder("d"), file("d/new"), whiteout("d")],
        [whiteout("d"), folder("d"), file("d/new")],
        [folder("d"), file("d/new"), opaque("d")],
        [folder("d"), opaque("d"), file("d/new")],
    ):
        assert paths(flat(lower, upper)) == ["/d", "/d/new"]


def test_a_file_over_a_directory_removes_what_was_below() -> None:
    tree = flat([folder("d"), file("d/a")], [file("d")], [folder("d"), file("d/b")])
    assert paths(tree) == ["/d", "/d/b"]
    assert paths(flat([folder("d"), file("d/a")], [symlink("d", "/x")])) == ["/d"]


def test_a_hard_link_is_a_file_of_its_own_with_its_targets_facts() -> None:
    tree = flat([file("a", b"one", mode=0o640, uid=7), hardlink("b", "a")], [whiteout("a")])
    node = tree.held["/b"].node
    assert (node.kind, node.mode, node.uid, node.size_bytes) == ("file", 0o640, 7, 3)
    assert paths(tree) == ["/b"]


def test_a_hard_link_may_lead_to_a_lower_layer() -> None:
    tree = flat([file("a", b"one")], [hardlink("b", "a")])
    assert tree.held["/b"].node.layer == 1
    assert tree.held["/b"].entry is tree.held["/a"].entry
    assert tree.problems == {}


def test_a_hard_link_to_nothing_is_a_problem_of_its_layer() -> None:
    tree = flat([file("a")], [hardlink("b", "nowhere")])
    assert tree.problems == {1: "the target of hard link /b is no file: /nowhere"}


def test_a_path_through_a_file_is_a_problem_of_its_layer() -> None:
    tree = flat([file("a"), file("a/b")])
    assert tree.problems == {0: "a path runs through a file: /a/b"}
    assert paths(tree) == ["/a"]


def test_directories_that_no_archive_names_are_implied() -> None:
    tree = flat([file("a/b/c")])
    assert [(path, tree.held[path].node.implied) for path in paths(tree)] == [
        ("/a", True),
        ("/a/b", True),
        ("/a/b/c", False),
    ]
    assert tree.held["/a"].node.mode == 0o755


def test_an_implied_directory_leaves_the_one_below_as_it_is() -> None:
    tree = flat([folder("a", 0o700), file("a/old")], [file("a/new")])
    assert (tree.held["/a"].node.mode, tree.held["/a"].node.implied) == (0o700, False)
    assert paths(tree) == ["/a", "/a/new", "/a/old"]


def test_links_in_a_path_are_followed_within_one_layer() -> None:
    tree = flat([folder("usr/lib"), symlink("lib", "usr/lib"), file("lib/a.so")])
    assert "/usr/lib/a.so" in tree.held
    over = flat([folder("usr/lib"), symlink("lib", "usr/lib")], [folder("lib"), file("lib/a.so")])
    assert over.held["/lib"].node.kind == "dir"
    assert "/lib/a.so" in over.held


def test_a_loop_of_links_is_a_problem() -> None:
    tree = flat([symlink("a", "b"), symlink("b", "a"), file("a/x")])
    assert 0 in tree.problems


def test_the_root_takes_its_mode_from_its_entry() -> None:
    assert flat([folder("./", 0o700)]).held["/"].node.mode == 0o700
    assert flat([file("a")]).held["/"].node.mode == 0o755


def test_siblings_come_sorted_and_parents_first() -> None:
    tree = flat([file("b/z"), file("a"), file("b/a"), file("c")])
    assert paths(tree) == ["/a", "/b", "/b/a", "/b/z", "/c"]


DIRECTORIES = ["d", "e", "d/g"]
LEAVES = ["f", "d/f", "e/h", "d/g/i", "d/l"]


@st.composite
def layers(draw: st.DrawFn) -> list[list[Item]]:
    made = []
    for _ in range(draw(st.integers(1, 4))):
        items: list[Item] = []
        for name in draw(st.lists(st.sampled_from(LEAVES), max_size=5, unique=True)):
            made_of = [file(name, draw(st.binary(max_size=3))), symlink(name, "f"), whiteout(name)]
            items.append(draw(st.sampled_from(made_of)))
        items += [
            draw(st.sampled_from([opaque(name), whiteout(name)]))
            for name in draw(st.lists(st.sampled_from(DIRECTORIES), max_size=3, unique=True))
        ]
        made.append([*(folder(name) for name in DIRECTORIES), *draw(st.permutations(items))])
    return made


@settings(max_examples=150, deadline=None)
@given(layers())
def test_agrees_with_extraction(made: list[list[Item]]) -> None:
    tree = flat(*made)
    with tempfile.TemporaryDirectory() as folder_name:
        root = Path(folder_name)
        for items in made:
            extract.extract_layer(io.BytesIO(packed(items)), root, overlay_whiteouts=False)
        extracted = {f"/{path.relative_to(root)}": path for path in root.rglob("*")}
        assert set(paths(tree)) == set(extracted)
        for name, path in extracted.items():
            node = tree.held[name].node
            assert (node.kind == "symlink", node.kind == "dir") == (
                path.is_symlink(),
                path.is_dir() and not path.is_symlink(),
            )
            if node.kind == "file":
                assert (node.size_bytes, node.mtime_s) == (path.stat().st_size, int(path.stat().st_mtime))
    assert tree.problems == {}


def test_devices_are_neither_file_nor_directory() -> None:
    tree = flat([Item(path="dev/null", kind=Kind.CHAR)])
    assert tree.held["/dev/null"].node.kind == "other"
