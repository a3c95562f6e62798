"""Layers and a real overlay mount: what a step did to the merged root is what the next machine gets."""

import contextlib
import io
import os
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.archives import archive, member
from tests.unit.image.samples import EPOCH, file, folder, image_of, store_at
from understudy.image import rootfs
from understudy.image.layers import Kind, diff, extract, writer
from understudy.image.layers.diff import CAPABILITY
from understudy.image.store import Store

# cap_net_bind_service=ep, version 2 (linux/capability.h).
BIND_LOW_PORTS = bytes.fromhex("0100000200040000000000000000000000000000")
SOURCE = Path(__file__).resolve().parents[2] / "src"


@contextlib.contextmanager
def overlay(lower: tuple[Path, ...], upper: Path, work: Path, merged: Path) -> Iterator[Path]:
    """Mounts as root, whiteouts in the trusted flavour."""
    for place in (upper, work, merged):
        place.mkdir(exist_ok=True)
    below = ":".join(str(layer) for layer in reversed(lower))
    options = f"lowerdir={below},upperdir={upper},workdir={work},metacopy=off,redirect_dir=off"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(merged)], check=True)
    try:
        yield merged
    finally:
        subprocess.run(["umount", str(merged)], check=True)


def listing(root: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for place, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(place) / name
            status = path.lstat()
            text: object = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
            if stat.S_ISLNK(status.st_mode):
                text = str(path.readlink())
            links = status.st_nlink if stat.S_ISREG(status.st_mode) else 0
            found[str(path.relative_to(root))] = (status.st_mode, status.st_uid, status.st_gid, links, text)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


def base_layers(store: Store) -> tuple[Path, ...]:
    content = [
        folder("etc"),
        file("etc/motd", b"base", mode=0o600, uid=33, gid=44),
        folder("gone"),
        file("gone/a"),
        folder("replaced"),
        file("replaced/old"),
        folder("kept"),
        file("kept/file"),
        file("single"),
    ]
    return rootfs.prepare(store, image_of(store, content).digest).layers


def test_changes_on_an_overlay_become_a_layer_that_repeats_them(store: Store, tmp_path: Path) -> None:
    lower = base_layers(store)
    upper = tmp_path / "upper"
    with overlay(lower, upper, tmp_path / "work", tmp_path / "merged") as root:
        subprocess.run(
            ["rm", "-r", str(root / "gone"), str(root / "replaced"), str(root / "single")], check=True
        )
        (root / "replaced").mkdir()
        (root / "replaced" / "new").write_bytes(b"new")
        (root / "etc" / "motd").write_bytes(b"changed")
        (root / "first").write_bytes(b"linked")
        os.link(root / "first", root / "a-link")
        (root / "symlink").symlink_to("/etc/motd")
        os.mkfifo(root / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(root / "socket"))
        expected = listing(root)
    del expected["socket"], expected["pipe"]
    descriptor, diff_id = writer.write_layer(store, upper, epoch=EPOCH)

    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    with store.open_blob(descriptor.digest) as blob:
        report = extract.extract_layer(blob, unpacked, overlay_whiteouts=True, diff_id=diff_id)
    assert report.skipped == ("pipe",)
    with overlay((*lower, unpacked), tmp_path / "u2", tmp_path / "w2", tmp_path / "m2") as root:
        assert listing(root) == expected

    merged = tmp_path / "plain"
    merged.mkdir()
    for layer in (*image_layers(store, lower), descriptor.digest):
        with store.open_blob(layer) as blob:
            extract.extract_layer(blob, merged, overlay_whiteouts=False)
    assert listing(merged) == expected


def image_layers(store: Store, lower: tuple[Path, ...]) -> list[str]:
    """Returns the blobs of the unpacked `lower`, by writing them again: same content, same digest."""
    return [writer.write_layer(store, layer, epoch=EPOCH)[0].digest for layer in lower]


def test_file_capabilities_survive(store: Store, tmp_path: Path) -> None:
    (tmp_path / "upper").mkdir()
    (tmp_path / "upper" / "low").write_bytes(b"x")
    os.setxattr(tmp_path / "upper" / "low", CAPABILITY, BIND_LOW_PORTS)
    descriptor, _ = writer.write_layer(store, tmp_path / "upper", epoch=EPOCH)
    (tmp_path / "root").mkdir()
    with store.open_blob(descriptor.digest) as blob:
        extract.extract_layer(blob, tmp_path / "root", overlay_whiteouts=True)
    assert os.getxattr(tmp_path / "root" / "low", CAPABILITY) == BIND_LOW_PORTS


def test_unpacked_layer_written_again_has_the_same_digest(store: Store) -> None:
    image = image_of(
        store,
        [
            folder("etc"),
            file("etc/x", mtime_s=5),
            writer.whiteout("gone"),
            writer.opaque("etc"),
            file("ü" * 120),
        ],
    )
    (layer,) = rootfs.prepare(store, image.digest).layers
    descriptor, diff_id = writer.write_layer(store, layer, epoch=EPOCH)
    assert descriptor.digest == image.manifest.layers[0].digest
    assert diff_id == image.config.diff_ids[0]


def test_mtime_of_the_layer_below_stays_when_only_the_mode_changes(store: Store, tmp_path: Path) -> None:
    young = EPOCH + 1000
    image = image_of(store, [file("module.py", mtime_s=young), file("other.py", mtime_s=young)])
    lower = rootfs.prepare(store, image.digest).layers
    upper = tmp_path / "upper"
    with overlay(lower, upper, tmp_path / "work", tmp_path / "merged") as root:
        (root / "module.py").chmod(0o755)
        (root / "other.py").write_bytes(b"edited")
    found = {entry.path: entry.mtime_s for entry in diff.overlay_entries(upper, epoch=EPOCH, lower=lower)}
    assert found == {"module.py": young, "other.py": EPOCH}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that an unprivileged user may use; tmp_path is closed to others."""
    with tempfile.TemporaryDirectory(prefix="understudy-test-") as name:
        os.chown(name, 1234, 1234)
        yield Path(name)


# Everything is imported before the rights go: the interpreter may lie in a folder of root's.
PRELUDE = """
import ctypes, os, subprocess, sys
from pathlib import Path
from understudy.image import store
from understudy.image.layers import diff, extract, writer
libc = ctypes.CDLL(None, use_errno=True)
os.setgroups([]); os.setgid(1234); os.setuid(1234)
libc.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, or /proc/self belongs to root
def become_root_of_a_namespace():
    assert libc.unshare(0x10000000 | 0x00020000) == 0, os.strerror(ctypes.get_errno())
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text("0 1234 1")
    Path("/proc/self/gid_map").write_text("0 1234 1")
"""


def as_user(code: str, *arguments: str) -> str:
    """Runs Python code as an ordinary user."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code), *arguments],
        env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"]},
        cwd="/",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


UNPACK = """
extract.extract_layer(open(sys.argv[1], "rb"), Path(sys.argv[2]), overlay_whiteouts=True)
"""


def unpack_as_user(folder: Path, name: str, layer: bytes) -> Path:
    blob, target = folder / f"{name}.tar", folder / name
    blob.write_bytes(layer)
    target.mkdir()
    os.chown(target, 1234, 1234)
    as_user(UNPACK, str(blob), str(target))
    return target


def test_unprivileged_owner_sees_what_the_lambda_user_would(open_folder: Path) -> None:
    target = unpack_as_user(
        open_folder,
        "layer",
        archive(
            [
                member("etc", Kind.DIR, mode=0o755),
                member("etc/shadow", mode=0o640, data=b"secret"),
                member("etc/passwd", mode=0o644, data=b"users"),
                member("own", mode=0o600, uid=993, gid=990, data=b"mine"),
                member("team", mode=0o640, gid=990, data=b"ours"),
                member("tmp", Kind.DIR, mode=0o1777),
                member("closed", Kind.DIR, mode=0o700),
                member("closed/file", data=b"x"),
            ]
        ),
    )
    modes = {
        path.name: stat.S_IMODE(path.lstat().st_mode)
        for path in (*target.iterdir(), *(target / "etc").iterdir())
    }
    assert modes == {
        "etc": 0o555,
        "shadow": 0o040,
        "passwd": 0o444,
        "own": 0o600,
        "team": 0o440,
        "tmp": 0o1777,
        "closed": 0o000,
    }
    read = "print(open(sys.argv[1]).read())"
    assert as_user(read, str(target / "etc" / "passwd")) == "users\n"
    with pytest.raises(AssertionError, match="Permission denied"):
        as_user(read, str(target / "etc" / "shadow"))


def test_unprivileged_layers_mount_in_a_user_namespace_and_give_true_owners_back(open_folder: Path) -> None:
    lower = unpack_as_user(
        open_folder,
        "lower",
        archive(
            [
                member("etc", Kind.DIR, mode=0o755),
                member("etc/shadow", mode=0o640, gid=42, data=b"secret"),
                member("gone", Kind.DIR, mode=0o755),
                member("gone/file", data=b"x"),
                member("emptied", Kind.DIR, mode=0o755),
                member("emptied/file", data=b"x"),
            ]
        ),
    )
    middle = unpack_as_user(
        open_folder,
        "middle",
        archive([member(".wh.gone"), member("emptied", Kind.DIR), member("emptied/.wh..wh..opq")]),
    )
    for name in ("upper", "work", "merged"):
        (open_folder / name).mkdir()
        os.chown(open_folder / name, 1234, 1234)
    step = """
        become_root_of_a_namespace()
        root, lower, middle = (Path(text) for text in sys.argv[1:])
        options = f"userxattr,lowerdir={middle}:{lower},upperdir={root / 'upper'},workdir={root / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(root / "merged")], check=True)
        print(sorted(os.listdir(root / "merged")), os.listdir(root / "merged" / "emptied"))
        with (root / "merged" / "etc" / "shadow").open("ab") as file:
            file.write(b" more")
    """
    assert as_user(step, str(open_folder), str(lower), str(middle)) == "['emptied', 'etc'] []\n"
    entries = """
        for entry in diff.overlay_entries(Path(sys.argv[1]), epoch=1):
            print(entry.path, oct(entry.mode), entry.uid, entry.gid)
    """
    assert as_user(entries, str(open_folder / "upper")) == "etc 0o755 0 0\netc/shadow 0o640 0 42\n"


def test_root_and_user_write_one_digest(open_folder: Path, store: Store) -> None:
    image = image_of(
        store, [folder("etc"), file("etc/x", mode=0o640), file("y", mode=0o4755), writer.whiteout("z")]
    )
    descriptor = image.manifest.layers[0]
    target = unpack_as_user(open_folder, "layer", store.read(descriptor.digest))
    again = """
        place = store.Store(Path(sys.argv[2])).open()
        print(writer.write_layer(place, Path(sys.argv[1]), epoch=1700000000)[0].digest)
    """
    assert as_user(again, str(target), str(open_folder / "store")).strip() == descriptor.digest


def test_truncated_layer_leaves_no_root_behind(store: Store) -> None:
    image = image_of(store, [file("a", bytes(100_000))])
    blob = store.path(image.manifest.layers[0].digest)
    blob.write_bytes(blob.read_bytes()[:-20])
    with pytest.raises(extract.tarformat.LayerInvalidError):
        rootfs.prepare(store, image.digest)
    assert not [
        path for path in (store.root / "layers").iterdir() if not path.name.startswith((".locks", ".used"))
    ]


def test_layer_that_is_not_the_one_in_the_config_is_refused(tmp_path: Path) -> None:
    layer = archive([member("a", data=b"x")])
    with pytest.raises(extract.DigestMismatchError, match="image config says"):
        extract.extract_layer(
            io.BytesIO(layer), tmp_path, overlay_whiteouts=True, diff_id="sha256:" + "0" * 64
        )
