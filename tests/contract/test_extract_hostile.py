"""Layers made to break out, by hand and by hypothesis: nothing outside the target directory may change."""

import contextlib
import io
import os
import stat
import tarfile
import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

from tests.contract.archives import archive, member, snapshot
from understudy.errors import UnderstudyError
from understudy.image.layers import Kind, extract
from understudy.image.layers.tarformat import LayerInvalidError, Member

Members = list[tuple[Member, bytes]]
RELAXED = hypothesis.settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


class Arena:
    """A target with neighbours that must not notice anything."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.target = root / "target"
        self.outside = root / "outside"
        self.target.mkdir()
        self.outside.mkdir()
        (self.outside / "secret").write_bytes(b"secret")
        (self.outside / "folder").mkdir()
        (root / "neighbour").write_bytes(b"neighbour")
        self._before = self._look()

    def unpack(self, layer: bytes, *, overlay: bool = True) -> None:
        extract.extract_layer(io.BytesIO(layer), self.target, overlay_whiteouts=overlay)

    def check(self) -> None:
        assert self._look() == self._before

    def _look(self) -> dict[str, tuple[object, ...]]:
        seen = snapshot(self.root)
        # The target itself may get the archive's owner, mode and time.
        return {
            name: fact
            for name, fact in seen.items()
            if not (name + "/").startswith("target/") and name != "."
        }


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(tmp_path)


REFUSED = {
    "dot dot": [member("../evil", data=b"x")],
    "dot dot in the middle": [member("a/../../evil", data=b"x")],
    "dot dot in a hard link": [member("a", Kind.HARDLINK, link="../outside/secret")],
    "hard link to a missing file": [member("a", Kind.HARDLINK, link="/outside/secret")],
    "hard link through a symlink": [
        member("up", Kind.SYMLINK, link="../outside"),
        member("a", Kind.HARDLINK, link="up/secret"),
    ],
    "hard link to a directory": [member("d", Kind.DIR), member("a", Kind.HARDLINK, link="d")],
    "loop of links": [
        member("a", Kind.SYMLINK, link="b"),
        member("b", Kind.SYMLINK, link="a"),
        member("a/x", data=b"x"),
    ],
    "path through a file": [member("a", data=b"x"), member("a/b", data=b"x")],
    "whiteout of the parent": [member(".wh...", data=b"")],
    "whiteout of nothing": [member(".wh.", data=b"")],
    "name of 256 bytes": [member("n" * 256, data=b"x")],
    "path of 5000 bytes": [member("/".join(["n" * 99] * 50), data=b"x")],
    "path of 300 levels": [member("/".join("d" * 300), data=b"x")],
    "depth by repeated links": [
        member("/".join("d" * 200), Kind.DIR),
        member("l", Kind.SYMLINK, link="/".join("d" * 200)),
        member("l/" + "/".join("e" * 200), data=b"x"),
    ],
    "zero byte in a link": [member("a", Kind.SYMLINK, link="a\0b" + "c" * 100)],
    "empty link": [member("a", Kind.SYMLINK, link="")],
}


@pytest.mark.parametrize("members", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "merge"])
def test_hostile_layer_is_refused_and_touches_nothing(arena: Arena, members: Members, overlay: bool) -> None:
    with pytest.raises(LayerInvalidError) as caught:
        arena.unpack(archive(members), overlay=overlay)
    assert caught.value.hint
    arena.check()


CONTAINED = {
    "absolute path": ([member("/evil", data=b"x")], "evil"),
    "symlink out, then a file through it": (
        [member("up", Kind.SYMLINK, link="../../outside"), member("up/evil", data=b"x")],
        "outside/evil",
    ),
    "absolute symlink, then a file through it": (
        [member("etc", Kind.SYMLINK, link="/real"), member("etc/evil", data=b"x")],
        "real/evil",
    ),
    "file over a symlink": (
        [member("link", Kind.SYMLINK, link="../outside/secret"), member("link", data=b"x")],
        "link",
    ),
    "directory over a symlink": (
        [
            member("link", Kind.SYMLINK, link="../outside"),
            member("link", Kind.DIR),
            member("link/evil", data=b"x"),
        ],
        "link/evil",
    ),
    "directory swapped for a symlink after it was opened": (
        [
            member("d", Kind.DIR),
            member("d/one", data=b"x"),
            member("d", Kind.SYMLINK, link="../outside/folder"),
            member("d/evil", data=b"x"),
        ],
        "outside/folder/evil",
    ),
}


@pytest.mark.parametrize(("members", "inside"), CONTAINED.values(), ids=CONTAINED.keys())
@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "merge"])
def test_path_that_leads_out_ends_inside(arena: Arena, members: Members, inside: str, overlay: bool) -> None:
    arena.unpack(archive(members), overlay=overlay)
    assert (arena.target / inside).read_bytes() == b"x"
    assert not (arena.target / inside).is_symlink()
    arena.check()


def test_symlink_of_an_earlier_layer_does_not_lead_out(arena: Arena) -> None:
    arena.unpack(archive([member("up", Kind.SYMLINK, link=str(arena.outside))]), overlay=False)
    arena.unpack(
        archive([member("up/evil", data=b"x"), member("up/.wh.secret"), member("up/.wh..wh..opq")]),
        overlay=False,
    )
    arena.check()


@pytest.mark.parametrize("kind", [Kind.CHAR, Kind.BLOCK, Kind.FIFO])
def test_device_nodes_and_pipes_are_never_made(arena: Arena, kind: Kind) -> None:
    layer = archive([member("disk", kind, device=(8, 0), mode=0o666), member("after", data=b"x")])
    report = extract.extract_layer(io.BytesIO(layer), arena.target, overlay_whiteouts=True)
    assert report.skipped == ("disk",)
    assert (arena.target / "disk").stat().st_rdev == 0, "a whiteout, which hides the lower layers' file"
    assert (arena.target / "after").read_bytes() == b"x"


def test_overlay_attributes_of_an_archive_are_dropped(arena: Arena) -> None:
    hostile = {
        "trusted.overlay.redirect": b"/other-layer",
        "user.overlay.redirect": b"/other-layer",
        "trusted.overlay.opaque": b"y",
        "user.overlay.metacopy": b"",
        "user.kept": b"yes",
    }
    arena.unpack(archive([member("d", Kind.DIR, mode=0o755, xattrs=hostile)]))
    assert os.listxattr(arena.target / "d") == ["user.kept"]


def test_layer_that_unpacks_to_more_than_the_limit_is_stopped(arena: Arena) -> None:
    bomb = archive([member("zeros", data=bytes(4 << 20))])
    assert len(bomb) < 10_000
    with pytest.raises(LayerInvalidError, match="more than 1048576 bytes"):
        extract.extract_layer(io.BytesIO(bomb), arena.target, overlay_whiteouts=True, limit_bytes=1 << 20)


def test_size_that_lies_is_a_cut_archive(arena: Arena) -> None:
    item, _ = member("huge")
    liar = Member(path=b"huge", kind=Kind.FILE, size_bytes=1 << 40)
    with pytest.raises(LayerInvalidError, match="ends inside a file"):
        arena.unpack(archive([(liar, b"little"), (item, b"")], packed=False))
    assert (arena.target / "huge").stat().st_blocks < 100


def test_sparse_member_is_refused(arena: Arena) -> None:
    raw = bytearray(archive([member("sparse", data=b"x")], packed=False))
    raw[156:157] = b"S"
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    with pytest.raises(LayerInvalidError, match="sparse"):
        arena.unpack(bytes(raw))


def test_set_user_id_stays_inside_a_closed_directory(tmp_path: Path) -> None:
    from tests.unit.image.samples import file, image_of, store_at
    from understudy.image import rootfs

    store = store_at(tmp_path / "store")
    (layer,) = rootfs.prepare(store, image_of(store, [file("su", mode=0o4755)]).digest).layers
    assert stat.S_IMODE((layer / "su").stat().st_mode) == 0o4755
    assert stat.S_IMODE(layer.parent.stat().st_mode) == 0o700


# Few names, so that entries meet: a file under what was a link, a link over what was a folder.
PLAIN = strategies.lists(strategies.sampled_from(["a", "b", "secret"]), min_size=1, max_size=3).map("/".join)
ODD_NAMES = ["a", "..", ".", "", "n" * 256, ".wh.a", ".wh.secret", ".wh..wh..opq", ".wh..", ".wh..."]
ODD = strategies.lists(strategies.sampled_from(ODD_NAMES), min_size=1, max_size=4).map("/".join)
PATHS = strategies.one_of(PLAIN, PLAIN, PLAIN, ODD, PLAIN.map(lambda path: f"/{path}"))
OUT = ["..", "../outside", "../../outside", "../../../outside", "../outside/secret", "../outside/folder"]
TARGETS = strategies.one_of(
    strategies.sampled_from(OUT),
    strategies.sampled_from(["/", "/proc/self/root", ".", "../neighbour"]),
    PATHS,
)
KINDS = strategies.sampled_from([Kind.FILE, Kind.DIR, Kind.SYMLINK, Kind.SYMLINK, *Kind])
HOSTILE = strategies.lists(
    strategies.builds(
        member,
        PATHS,
        KINDS,
        link=TARGETS,
        mode=strategies.sampled_from([0, 0o644, 0o755, 0o4755, 0o7777]),
        mtime_ns=strategies.sampled_from([-(10**9), 0, 10**18, 10**21]),
        uid=strategies.sampled_from([0, 993, 65534, 2**31]),
        data=strategies.sampled_from([b"", b"content"]),
    ),
    max_size=12,
)


@RELAXED
@hypothesis.given(layers=strategies.lists(HOSTILE, min_size=1, max_size=3), overlay=strategies.booleans())
def test_nothing_outside_changes_whatever_the_layers_hold(
    tmp_path: Path, layers: list[Members], overlay: bool
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        arena = Arena(Path(folder))
        for members in layers:
            with contextlib.suppress(LayerInvalidError):
                arena.unpack(archive(members), overlay=overlay)
        arena.check()


@RELAXED
@hypothesis.given(members=HOSTILE, data=strategies.data(), packed=strategies.booleans())
def test_damaged_archives_give_an_error_of_ours_or_none(
    tmp_path: Path, members: Members, data: strategies.DataObject, packed: bool
) -> None:
    raw = bytearray(archive(members, packed=packed))
    for _ in range(data.draw(strategies.integers(1, 4))):
        raw[data.draw(strategies.integers(0, len(raw) - 1))] = data.draw(strategies.integers(0, 255))
    del raw[data.draw(strategies.integers(0, len(raw))) :]
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        arena = Arena(Path(folder))
        with contextlib.suppress(UnderstudyError):
            arena.unpack(bytes(raw))
        arena.check()


WORDS = strategies.text(
    strategies.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40
)
GOOD_NAMES = WORDS.filter(
    lambda name: name not in {".", ".."} and not name.startswith(".wh.") and len(name.encode()) < 200
)
GOOD = strategies.dictionaries(
    strategies.lists(GOOD_NAMES, min_size=1, max_size=4).map("/".join),
    strategies.tuples(
        strategies.binary(max_size=2000),
        strategies.sampled_from([0o600, 0o644, 0o755]),
        strategies.integers(0, 2**31),
    ),
    max_size=8,
)


@RELAXED
@hypothesis.given(files=GOOD, form=strategies.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
def test_well_behaved_layers_of_another_writer_come_out_right(
    tmp_path: Path, files: dict[str, tuple[bytes, int, int]], form: int
) -> None:
    folders = {path.rpartition("/")[0] for path in files}
    hypothesis.assume(
        not any(f"{path}/" in f"{other}/" for path in files for other in files if path != other)
    )
    hypothesis.assume(not folders & files.keys())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as writer:
        for path, (content, mode, mtime) in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime = len(content), mode, mtime
            writer.addfile(info, io.BytesIO(content))
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        arena = Arena(Path(folder))
        arena.unpack(packed.getvalue())
        for path, (content, mode, mtime) in files.items():
            placed = arena.target / path
            status = placed.lstat()
            assert placed.read_bytes() == content
            assert (stat.S_IMODE(status.st_mode), int(status.st_mtime)) == (mode, mtime)
        arena.check()
