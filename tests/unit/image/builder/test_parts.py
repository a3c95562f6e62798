"""Small parts of the builder: modes, mount points, accounts, what a step sees of the host."""

import os
from pathlib import Path, PurePosixPath

import pytest

from understudy.image.builder import modes, plan, prune, space, users
from understudy.image.builder import tree as build_tree
from understudy.image.builder.env import Host
from understudy.image.builder.tree import HostTree, LayersTree
from understudy.image.dockerfile.dockerignore import Dockerignore
from understudy.image.store import Store


@pytest.mark.parametrize(
    ("text", "mode", "is_folder", "expected"),
    [
        ("755", 0o600, False, 0o755),
        ("1777", 0o755, True, 0o1777),
        ("u=rwX,go=rX", 0o600, False, 0o644),
        ("u=rwX,go=rX", 0o700, False, 0o755),
        ("u=rwX,go=rX", 0o600, True, 0o755),
        ("+x", 0o644, False, 0o755),
        ("go-rwx", 0o755, False, 0o700),
        ("u+s,o+t", 0o755, False, 0o5755),
    ],
)
def test_modes(text: str, mode: int, is_folder: bool, expected: int) -> None:
    assert modes.apply(text, mode, is_folder=is_folder) == expected


@pytest.mark.parametrize("text", ["", "888", "rwx", "u=q", "77777"])
def test_refuses_what_is_no_mode(text: str) -> None:
    with pytest.raises(modes.ModeInvalidError):
        modes.check(text)


def make(root: Path, *paths: str) -> None:
    for path in paths:
        place = root / path
        if path.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()


def left(root: Path) -> list[str]:
    return sorted(str(place.relative_to(root)) for place in root.rglob("*"))


def test_mount_points_are_removed_with_what_led_to_them(tmp_path: Path) -> None:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    make(lower, "etc/passwd", "srv/")
    make(
        upper,
        "etc/resolv.conf",
        "run/understudy/ca.pem",
        "proc/",
        "srv/made/cache/",
        "srv/made/file",
        "mine/",
    )
    prune.prune(
        upper,
        LayersTree([lower]),
        [PurePosixPath("/run/understudy/ca.pem"), PurePosixPath("/srv/made/cache")],
    )
    assert left(upper) == ["mine", "srv", "srv/made", "srv/made/file"]


def test_what_the_step_itself_wrote_stays(tmp_path: Path) -> None:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    make(lower, "etc/resolv.conf")
    make(upper, "etc/resolv.conf", "etc/hosts", "run/")
    (upper / "etc/hosts").write_text("127.0.0.1 me\n")
    (upper / "run").chmod(0o700)
    make(lower, "run/")
    prune.prune(upper, LayersTree([lower]), [PurePosixPath("/run")])
    assert left(upper) == ["etc", "etc/hosts", "etc/resolv.conf", "run"]


def test_links_are_followed_inside_the_tree(tmp_path: Path) -> None:
    make(tmp_path, "usr/bin/tool")
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "out").symlink_to("/../../usr")
    (tmp_path / "loop").symlink_to("loop")
    tree = HostTree(tmp_path, Dockerignore())
    assert build_tree.resolve(tree, "/bin/tool") == "usr/bin/tool"
    assert build_tree.resolve(tree, "bin", follow_last=False) == "bin"
    assert build_tree.resolve(tree, "out/bin/../new") == "usr/new"
    with pytest.raises(OSError, match="circles"):
        build_tree.resolve(tree, "loop/x")


def test_accounts_come_from_the_image(tmp_path: Path) -> None:
    make(tmp_path, "etc/passwd", "etc/group")
    (tmp_path / "etc/passwd").write_text("bob:x:7:8::/home/bob:/bin/sh\nbroken\n")
    (tmp_path / "etc/group").write_text("staff:x:9:\n")
    tree = LayersTree([tmp_path])
    found = [users.account(tree, text) for text in ("bob", "bob:staff", "7", "5:6", "root", "")]
    assert [(item.uid, item.gid, item.home) for item in found] == [
        (7, 8, "/home/bob"),
        (7, 9, "/home/bob"),
        (7, 7, "/home/bob"),
        (5, 6, "/"),
        (0, 0, "/root"),
        (0, 0, "/"),
    ]
    for text in ("eve", "bob:gone"):
        with pytest.raises(users.UserUnknownError):
            users.account(tree, text)


def test_the_host_s_certificates_are_found(tmp_path: Path) -> None:
    assert Host(environment={}, root=tmp_path).bundle() is None
    make(tmp_path, "etc/pki/tls/certs/ca-bundle.crt", "mine.pem")
    assert Host(environment={}, root=tmp_path).bundle() == tmp_path / "etc/pki/tls/certs/ca-bundle.crt"
    named = Host(environment={"REQUESTS_CA_BUNDLE": "/mine.pem"}, root=tmp_path)
    assert named.bundle() == tmp_path / "mine.pem"


def test_pip_s_own_files_count_like_its_variables(tmp_path: Path) -> None:
    make(tmp_path, "etc/pip.conf", "home/me/.config/pip/pip.conf")
    (tmp_path / "etc/pip.conf").write_text("[global]\nindex-url = https://a/simple\ntrusted-host = a\n")
    (tmp_path / "home/me/.config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://b/simple\nextra-index-url =\n  file:///local\n  https://c/simple\n"
    )
    host = Host(environment={"HOME": "/home/me", "PIP_TRUSTED_HOST": "t"}, root=tmp_path)
    assert host.variables() == {
        "PIP_INDEX_URL": "https://b/simple",
        "PIP_EXTRA_INDEX_URL": "https://c/simple",
        "PIP_TRUSTED_HOST": "t",
    }


def test_a_folder_of_wheels_is_mounted_for_the_step(tmp_path: Path) -> None:
    make(tmp_path, "opt/wheels/a.whl")
    host = Host(environment={"PIP_FIND_LINKS": "/opt/wheels https://x/ file:///gone"}, root=tmp_path)
    mounts = list(host.mounts())
    assert [(str(mount.target), mount.read_only) for mount in mounts] == [("/opt/wheels", True)]


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("/w", "a", "/w/a"),
        ("/w", "a/", "/w/a/"),
        ("/w", ".", "/w/"),
        ("/w", "..", "/"),
        ("", "a", "/a"),
        ("/w", "/a/../b", "/b"),
        ("/", "./", "/"),
    ],
)
def test_paths_are_seen_from_the_working_directory(base: str, path: str, expected: str) -> None:
    assert plan.absolute(base, path) == expected


def test_upper_layers_hide_lower_ones(tmp_path: Path) -> None:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    make(lower, "d/a", "d/b", "gone", "file")
    make(upper, "d/b", "file/inside")
    (upper / "d/b").write_text("new")
    place = upper / "gone"
    place.touch()
    os.setxattr(place, "user.overlay.whiteout", b"y")
    tree = LayersTree([lower, upper])
    assert tree.names("") == ["d", "file"]
    assert tree.names("d") == ["a", "b"]
    assert tree.names("file") == ["inside"]
    assert tree.node("gone") is None
    node = tree.node("d/b")
    assert node is not None
    assert node.place.read_text() == "new"
    os.setxattr(upper / "d", "user.overlay.opaque", b"y")
    assert tree.names("d") == ["b"]


def test_what_a_killed_build_left_goes_with_the_next_and_a_running_one_stays(tmp_path: Path) -> None:
    store = Store(tmp_path).open()
    left = tmp_path / "builds/left/work"
    left.mkdir(parents=True)
    left.chmod(0)
    with space.workspace(store) as first, space.workspace(store) as second:
        assert sorted((tmp_path / "builds").iterdir()) == sorted([first, second])
    assert list((tmp_path / "builds").iterdir()) == []
