"""Where COPY and ADD put files, and whose they are."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.fakes.build_world import PASSWD, BuildWorld
from understudy.image.dockerfile.lines import DockerfileError


@pytest.fixture
def world(tmp_path: Path) -> BuildWorld:
    return BuildWorld(tmp_path)


@pytest.mark.parametrize(
    ("instruction", "paths"),
    [
        ("COPY d /x", ["x/one", "x/sub/two"]),
        ("COPY d/ /x/", ["x/one", "x/sub/two"]),
        ("COPY d/one /x", ["x"]),
        ("COPY d/one /x/", ["x/one"]),
        ("COPY d/one top /x/", ["x/one", "x/top"]),
        ("COPY d/o* /x/", ["x/one"]),
        ("COPY **/two /x/", ["x/two"]),
        ("COPY d/* /x/", ["x/one", "x/two"]),
        ("COPY . /", ["d/one", "d/sub/two", "top"]),
        ("COPY --exclude=*/two d /x/", ["x/one"]),
        ("COPY link /x", ["x"]),
        ("COPY ./d/../top rel", ["w/rel"]),
        ('COPY ["with blank", "/x"]', ["x"]),
        ("COPY top /bin/tool", ["usr/bin/tool"]),
        ("COPY top /usr", ["usr/top"]),
    ],
)
def test_copy_puts_files_where_docker_does(world: BuildWorld, instruction: str, paths: list[str]) -> None:
    world.write({"d/one": "1", "d/sub/two": "2", "top": "t", "with blank": "b"})
    (world.context / "link").symlink_to("top")
    (world.context / "l/usr").mkdir(parents=True)
    (world.context / "l/usr/bin").mkdir()
    (world.context / "l/bin").symlink_to("usr/bin")
    base = "FROM scratch\nCOPY l/ /\nWORKDIR /w\n"
    known = world.files(world.build(base))
    new = world.files(world.build(base + instruction + "\n")) - known
    assert set(paths) <= new
    if not instruction.endswith(" /"):
        assert new == set(paths)


def test_copied_links_stay_links(world: BuildWorld) -> None:
    world.write({"d/file": "1"})
    (world.context / "d/link").symlink_to("file")
    image = world.build("FROM scratch\nCOPY d /d\n")
    node = world.tree(image).node("d/link")
    assert node is not None
    assert node.link == "file"


def test_copy_sets_owner_and_mode_by_the_images_names(world: BuildWorld) -> None:
    world.write({"etc/passwd": PASSWD, "etc/group": "staff:x:50:\n", "d/f": "1", "d/run": "2"})
    (world.context / "d/run").chmod(0o700)
    image = world.build(
        "FROM scratch\nCOPY etc /etc\n"
        "COPY --chown=bob d /a\nCOPY --chown=bob:staff --chmod=640 d/f /b\n"
        "COPY --chmod=u=rwX,go=rX d /c\nCOPY --chown=7 d/f /e/f\n"
    )
    assert world.mode(image, "a") == (0o755, 100, 101)
    assert world.mode(image, "a/f") == (0o644, 100, 101)
    assert world.mode(image, "b") == (0o640, 100, 50)
    assert world.mode(image, "c/run") == (0o755, 0, 0)
    assert world.mode(image, "c/f") == (0o644, 0, 0)
    assert world.mode(image, "e") == (0o755, 7, 7)


def test_a_directory_on_the_way_keeps_its_mode(world: BuildWorld) -> None:
    world.write({"f": "1"})
    (world.context / "base/tmp").mkdir(parents=True)
    (world.context / "base/tmp").chmod(0o1777)
    image = world.build("FROM scratch\nCOPY base /\nCOPY --chown=5 f /tmp/\n")
    assert world.mode(image, "tmp") == (0o1777, 0, 0)
    assert world.mode(image, "tmp/f") == (0o644, 5, 5)


def test_heredocs_become_files(world: BuildWorld) -> None:
    image = world.build(
        "FROM scratch\nARG A=1\nENV B=2\n"
        "COPY <<one <<'two' /d/\nA=$A \"${B}\" \\$C\none\n$A\ntwo\nCOPY <<EOF /file\nx\nEOF\n"
    )
    assert world.text(image, "d/one") == 'A=1 "2" $C\n'
    assert world.text(image, "d/two") == "$A\n"
    assert world.text(image, "file") == "x\n"


def test_add_unpacks_an_archive_and_copy_does_not(world: BuildWorld) -> None:
    with tarfile.open(world.context / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("in/side")
        member.size, member.mode, member.uid = 2, 0o600, 9
        archive.addfile(member, io.BytesIO(b"hi"))
    image = world.build(
        "FROM scratch\nADD a.tar.gz /x/\nCOPY a.tar.gz /y/\nADD --unpack=false a.tar.gz /z/\n"
    )
    assert world.text(image, "x/in/side") == "hi"
    assert world.mode(image, "x/in/side") == (0o600, 9, 0)
    assert world.has(image, "y/a.tar.gz")
    assert world.has(image, "z/a.tar.gz")


def test_add_refuses_an_archive_that_leaves_the_destination(world: BuildWorld) -> None:
    with tarfile.open(world.context / "a.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("../out"))
    with pytest.raises(DockerfileError, match="outside"):
        world.build("FROM scratch\nADD a.tar /x/\n")


def test_copy_from_an_image(world: BuildWorld) -> None:
    world.write({"f": "1"})
    world.bases.images["tool:1"] = world.build("FROM scratch\nCOPY f /bin/tool\n")
    image = world.build("FROM scratch\nCOPY --from=tool:1 /bin/tool /t\n")
    assert world.text(image, "t") == "1"


def test_the_dockerfile_s_own_ignore_file_comes_first(world: BuildWorld) -> None:
    world.write({"a": "1", "b": "2", ".dockerignore": "a", "Dockerfile.dockerignore": "b"})
    image = world.build("FROM scratch\nCOPY . /\n")
    assert world.has(image, "a")
    assert not world.has(image, "b")
