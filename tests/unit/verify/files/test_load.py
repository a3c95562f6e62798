import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.unit.verify.samples import Item, digest, file, packed, tar
from understudy.image.model import Descriptor
from understudy.image.store import BlobMissingError
from understudy.verify import files


class Blobs:
    """Blobs in memory; counts the bytes that are read of each."""

    def __init__(self, *layers: Sequence[Item]) -> None:
        self.content = {digest(packed(items)): packed(items) for items in layers}
        self.read: dict[str, int] = {}

    def open(self, name: str) -> BinaryIO:
        if name not in self.content:
            raise BlobMissingError("blob-missing", f"blob {name} is not in the store", hint="pull it")
        blobs = self

        class Counting(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                data = super().read(size)
                blobs.read[name] = blobs.read.get(name, 0) + len(data)
                return data

        return Counting(self.content[name])

    def descriptors(self) -> list[Descriptor]:
        return [
            Descriptor(media_type="layer", digest=name, size_bytes=len(data))
            for name, data in self.content.items()
        ]


BASE, CODE = [file("a", b"1")], [file("b", b"2")]


def test_layers_and_tree_belong_together() -> None:
    blobs = Blobs(BASE, CODE)
    loaded = files.load(blobs.descriptors(), blobs.open)
    assert [layer.diff_id for layer in loaded.layers] == [digest(tar(BASE)), digest(tar(CODE))]
    assert loaded.tree.names("/") == ("a", "b")
    assert loaded.tree.read("/b") == b"2"


@pytest.mark.parametrize("trusted", [True, False])
def test_a_rebuilt_layer_costs_only_itself(tmp_path: Path, trusted: bool) -> None:
    files.load((first := Blobs(BASE, CODE)).descriptors(), first.open, cache_dir=tmp_path)
    blobs = Blobs(BASE, [file("b", b"changed")])
    base, code = blobs.descriptors()
    loaded = files.load([base, code], blobs.open, cache_dir=tmp_path, trusted=trusted)
    assert [layer.problem for layer in loaded.layers] == ["", ""]
    assert loaded.tree.names("/") == ("a", "b")
    assert blobs.read[code.digest] == code.size_bytes
    assert blobs.read.get(base.digest, 0) == (0 if trusted else base.size_bytes)
    assert (loaded.tree.read("/a"), loaded.tree.read("/b")) == (b"1", b"changed")


def test_a_cached_layer_whose_blob_changed_since_is_read_again(tmp_path: Path) -> None:
    blobs = Blobs(BASE)
    descriptors = blobs.descriptors()
    files.load(descriptors, blobs.open, cache_dir=tmp_path)
    blobs.content[descriptors[0].digest] = packed(CODE)
    loaded = files.load(descriptors, blobs.open, cache_dir=tmp_path)
    assert loaded.layers[0].problem.startswith(f"its content is {digest(packed(CODE))}")


def test_a_missing_blob_is_a_problem_of_its_layer(tmp_path: Path) -> None:
    blobs = Blobs(BASE, CODE)
    base, code = blobs.descriptors()
    files.load([base, code], blobs.open, cache_dir=tmp_path)
    del blobs.content[code.digest]
    loaded = files.load([base, code], blobs.open, cache_dir=tmp_path)
    assert [bool(layer.problem) for layer in loaded.layers] == [False, True]
    assert "is not in the store" in loaded.layers[1].problem
    assert loaded.tree.names("/") == ("a",)


def test_a_size_other_than_the_manifests_is_a_problem() -> None:
    blobs = Blobs(BASE)
    wrong = Descriptor(media_type="layer", digest=blobs.descriptors()[0].digest, size_bytes=7)
    loaded = files.load([wrong], blobs.open)
    assert loaded.layers[0].problem.endswith("the manifest says 7")


def test_one_layer_twice_is_two_layers() -> None:
    blobs = Blobs(BASE)
    loaded = files.load(blobs.descriptors() * 2, blobs.open)
    node = loaded.tree.get("/a")
    assert node is not None
    assert node.layer == 1
    assert loaded.tree.read("/a") == b"1"


def test_what_was_learnt_is_not_read_again(tmp_path: Path) -> None:
    blobs = Blobs(BASE)
    (base,) = blobs.descriptors()
    files.learn(base, blobs.open, tmp_path)
    assert blobs.read.pop(base.digest) == base.size_bytes
    loaded = files.load([base], blobs.open, cache_dir=tmp_path, trusted=True)
    assert loaded.tree.names("/") == ("a",)
    assert blobs.read == {}


def test_an_image_without_layers_is_an_empty_tree() -> None:
    assert files.load([], Blobs().open).tree.names("/") == ()
