"""The archive that Docker loads: layers untouched, one of ours on top."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from understudy.image.rootfs import PackedLayer, Rootfs
from understudy.sandbox.docker import archive
from understudy.sandbox.model import SandboxSpec

HOLDER = Path(archive.__file__).parent / "holder"


def spec(folder: Path, **files: str) -> SandboxSpec:
    layer = folder / "layer"
    (layer / "etc").mkdir(parents=True, exist_ok=True)
    (layer / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    (layer / "etc").chmod(0o711)
    blob = folder / "blob"
    blob.write_bytes(gzip.compress(b"the layer", mtime=0))
    return SandboxSpec(
        rootfs=Rootfs(layers=(layer,), packed=(PackedLayer(diff_id="sha256:1", path=blob),)),
        entrypoint=(),
        command=(),
        working_dir="",
        environment={},
        files=files,
    )


def members(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return {item.name: opened.extractfile(item).read() for item in opened if item.isfile()}  # type: ignore[union-attr]


def test_layers_go_as_they_are_below_one_of_ours(tmp_path: Path) -> None:
    image = archive.of_spec(spec(tmp_path), "amd64")
    found = members(b"".join(image.stream(0)))
    [manifest] = json.loads(found["manifest.json"])
    config = json.loads(found["config.json"])
    assert manifest["RepoTags"] == [image.name]
    assert found[manifest["Layers"][0]] == (tmp_path / "blob").read_bytes()
    top = found[manifest["Layers"][1]]
    assert config["rootfs"]["diff_ids"] == ["sha256:1", f"sha256:{hashlib.sha256(top).hexdigest()}"]
    assert config["architecture"] == "amd64"


def test_known_layers_are_named_and_left_out(tmp_path: Path) -> None:
    image = archive.of_spec(spec(tmp_path), "amd64")
    found = members(b"".join(image.stream(1)))
    [manifest] = json.loads(found["manifest.json"])
    assert manifest["Layers"] == ["0.tar", "1.tar"]
    assert set(found) == {"manifest.json", "config.json", "1.tar"}


def test_the_layer_on_top_has_the_user_the_files_and_process_one(tmp_path: Path) -> None:
    image = archive.of_spec(spec(tmp_path, **{"/opt/a/b": "text"}), "arm64")
    with tarfile.open(fileobj=io.BytesIO(image.top)) as opened:
        modes = {item.name: item.mode for item in opened}
    assert modes == {
        "etc": 0o711,
        "etc/passwd": 0o644,
        "etc/group": 0o644,
        "opt": 0o755,
        "opt/a": 0o755,
        "opt/a/b": 0o644,
        ".understudy": 0o755,
    }
    found = members(image.top)
    assert b"root:x:0:0::/:/bin/sh\nsbx_user1051:x:993:990:" in found["etc/passwd"]
    assert found["opt/a/b"] == b"text"
    assert found[".understudy"] == (HOLDER / "holder-aarch64").read_bytes()


def test_the_same_parts_make_the_same_image_and_others_another(tmp_path: Path) -> None:
    first, again, other = (
        archive.of_spec(each, "amd64").name
        for each in (spec(tmp_path), spec(tmp_path), spec(tmp_path, x="y"))
    )
    assert first == again != other


def test_refuses_a_root_whose_layers_are_not_packed(tmp_path: Path) -> None:
    unpacked = SandboxSpec(
        rootfs=Rootfs(layers=(tmp_path,)), entrypoint=(), command=(), working_dir="", environment={}
    )
    with pytest.raises(ValueError, match="packed"):
        archive.of_spec(unpacked, "amd64")


def test_process_one_was_built_from_the_source_beside_it() -> None:
    files = ("holder.c", "holder.h", "relay.c")
    source = hashlib.sha256(b"".join((HOLDER / name).read_bytes() for name in files)).hexdigest()
    assert (HOLDER / "built-from").read_text().strip() == source, (
        "run src/understudy/sandbox/docker/holder/build.sh"
    )
