import contextlib
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.verify.samples import Layout, digest, docker_save, file, tar, write_tar
from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image import model
from understudy.verify import subject
from understudy.verify.sources import archive
from understudy.verify.sources.model import ImageNotFoundError, ImageSource, ImageUnreadableError, closing

BASE, CODE = [file("a", b"1")], [file("b", b"2")]


def opened(path: Path, tmp_path: Path, name: str = "") -> contextlib.AbstractContextManager[ImageSource]:
    return archive.open_file(str(path), path, name, "linux/amd64", tmp_path / "spool")


def test_an_oci_layout_in_a_tar_is_the_image_itself(tmp_path: Path) -> None:
    made = Layout()
    entry = made.image(BASE, CODE)
    path = made.add(entry, "latest").archive(tmp_path / "oci.tar")
    with opened(path, tmp_path) as source:
        assert (source.image.digest, source.exported) == (entry["digest"], False)
        found = subject.load(source)
        assert [layer.problem for layer in found.layers] == ["", ""]
        assert found.files.read("/b") == b"2"


@pytest.mark.parametrize("compressed", [False, True], ids=["tar", "gzip"])
def test_docker_saves_older_form_gets_a_manifest(tmp_path: Path, compressed: bool) -> None:
    path = write_tar(tmp_path / "save.tar", docker_save(BASE, CODE, compressed=compressed))
    with opened(path, tmp_path) as source:
        found = subject.load(source)
        assert found.exported
        assert found.index is None
        kind = model.OCI_LAYER_GZIP if compressed else model.OCI_LAYER
        assert [layer.media_type for layer in found.layers] == [kind, kind]
        assert [layer.problem for layer in found.layers] == ["", ""]
        assert [layer.diff_id == layer.actual_diff_id for layer in found.layers] == [True, True]
        if not compressed:
            assert found.layers[0].digest == digest(tar(BASE))
        assert found.files.names("/") == ("a", "b")
        assert found.launch.command == ("app.handler",)


def test_docker_saves_newer_form_is_marked_as_an_export_when_its_layers_are_tars(tmp_path: Path) -> None:
    for compressed in (False, True):
        made = Layout()
        made.add(made.image(BASE, compressed=compressed), "latest")
        made.files["manifest.json"] = b"[]"
        with opened(made.archive(tmp_path / "save.tar"), tmp_path) as source:
            assert source.exported is not compressed


def test_a_layer_that_is_a_link_to_another_is_read_there(tmp_path: Path) -> None:
    files = docker_save(BASE, BASE)
    listed = json.loads(files["manifest.json"])
    first = listed[0]["Layers"][0]
    listed[0]["Layers"][1] = "twin/layer.tar"
    files["manifest.json"] = json.dumps(listed).encode()
    path = write_tar(tmp_path / "save.tar", files, links={"twin/layer.tar": f"../{first}"})
    with opened(path, tmp_path) as source:
        assert [layer.problem for layer in subject.load(source).layers] == ["", ""]


def test_a_layer_that_is_not_what_the_config_says_has_a_problem(tmp_path: Path) -> None:
    files = docker_save(BASE)
    name = next(name for name in files if name.endswith("layer.tar"))
    files[name] = tar(CODE)
    with opened(write_tar(tmp_path / "save.tar", files), tmp_path) as source:
        assert "its content is" in subject.load(source).layers[0].problem


def test_a_compressed_archive_is_unpacked_into_a_file_without_a_name(tmp_path: Path) -> None:
    plain = write_tar(tmp_path / "save.tar", docker_save(BASE))
    path = tmp_path / "save.tar.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    with opened(path, tmp_path) as source:
        assert subject.load(source).files.read("/a") == b"1"
        assert list((tmp_path / "spool").iterdir()) == []
    path.write_bytes(path.read_bytes()[:200] + bytes(50))
    with pytest.raises(ImageUnreadableError), opened(path, tmp_path):
        pass


def test_several_images_are_told_apart_by_name(tmp_path: Path) -> None:
    one, two = docker_save(BASE, names=["one:1"]), docker_save(CODE, names=["two:latest"])
    rows = json.loads(one["manifest.json"]) + json.loads(two["manifest.json"])
    path = write_tar(tmp_path / "save.tar", {**one, **two, "manifest.json": json.dumps(rows).encode()})
    with opened(path, tmp_path, "two") as source:
        assert subject.load(source).files.names("/") == ("b",)
    with pytest.raises(ImageNotFoundError, match="holds 2 images: one:1, two:latest"), opened(path, tmp_path):
        pass
    with pytest.raises(ImageNotFoundError, match="one:1, two:latest"), opened(path, tmp_path, "three"):
        pass


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "archive-foreign", id="empty"),
        pytest.param(b"no tar at all" * 100, "archive-invalid", id="no tar"),
        pytest.param(tar([file("rootfs/a")]), "archive-foreign", id="docker export"),
        pytest.param(tar([file("manifest.json", b"{")]), "image-document-invalid", id="no json"),
        pytest.param(tar([file("manifest.json", b"[7]")]), "image-document-invalid", id="no rows"),
        pytest.param(tar([file("manifest.json", b'[{"Config":"c"}]')]), "blob-missing", id="no config"),
        pytest.param(tar([file("manifest.json", b'[{"Config":"../c"}]')]), "blob-missing", id="climbs"),
    ],
)
def test_what_is_no_image_is_our_error_with_a_next_step(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(UnderstudyError) as caught, opened(path, tmp_path):
        pass
    assert caught.value.code == code
    assert caught.value.hint


def test_a_missing_file_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadableError, match="No such file"), opened(tmp_path / "no", tmp_path):
        pass


def test_a_folder_that_takes_no_copy_is_the_environments_fault(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"")
    with pytest.raises(EnvironmentProblemError, match="cannot be written"), archive.spool(tmp_path / "spool"):
        pass


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(["docker", "oci"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    kept=st.floats(0, 1),
)
def test_a_changed_archive_is_read_or_our_error(
    tmp_path_factory: pytest.TempPathFactory, form: str, changes: list[tuple[float, int]], kept: float
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    path = folder / "image.tar"
    if form == "docker":
        write_tar(path, docker_save(BASE, CODE))
    else:
        made = Layout()
        made.add(made.index(made.image(BASE, CODE)), "latest").archive(path)
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[int(place * len(content))] = value
    path.write_bytes(content[: int(kept * len(content))] if kept < 0.5 else content)
    with contextlib.suppress(UnderstudyError), opened(path, folder) as source, closing(source) as open_source:
        for node in subject.load(open_source).files.walk():
            assert node.path.startswith("/")
