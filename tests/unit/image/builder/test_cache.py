"""What a build remembers, and when it must not trust it."""

import os
import time
from pathlib import Path

import pytest

from understudy.image.builder import cache
from understudy.image.builder.cache import CachedLayer, FileHashes, LayerCache
from understudy.image.builder.tree import HostTree, Node
from understudy.image.dockerfile.dockerignore import Dockerignore
from understudy.image.model import OCI_LAYER_GZIP, Descriptor
from understudy.image.store import Store

DIFF_ID = f"sha256:{'1' * 64}"


def node(path: Path) -> Node:
    found = HostTree(path.parent, Dockerignore()).node(path.name)
    assert found is not None
    return found


def layer(store: Store) -> CachedLayer:
    digest = store.put(b"layer")
    return CachedLayer(
        descriptor=Descriptor(media_type=OCI_LAYER_GZIP, digest=digest, size_bytes=5), diff_id=DIFF_ID
    )


def test_keys_depend_on_every_part() -> None:
    assert cache.key("a", ["b"]) == cache.key("a", ["b"])
    assert len({cache.key("a", "b"), cache.key("ab"), cache.key("a", ["b"]), cache.key("b", "a")}) == 4


def test_a_layer_is_found_again_until_the_store_loses_it(tmp_path: Path) -> None:
    store = Store(tmp_path).open()
    layers = LayerCache(store)
    assert layers.get("k") is None
    known = layer(store)
    layers.put("k", known)
    assert LayerCache(store).get("k") == known
    store.path(known.descriptor.digest).unlink()
    assert layers.get("k") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"digest": "x"}'])
def test_a_damaged_entry_is_no_entry(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path).open()
    LayerCache(store).put("k", layer(store))
    (tmp_path / "cache/layers/k.json").write_text(text)
    assert LayerCache(store).get("k") is None


def test_a_file_is_read_once_per_status(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("one")
    os.utime(file, ns=(0, 0))
    first = FileHashes(tmp_path / "cache/h.json", now_ns=lambda: time.time_ns() + 10**9).open()
    before = first.of([node(file)])
    first.close()
    old = node(file)
    file.write_text("two")
    os.utime(file, ns=(0, 0))
    second = FileHashes(tmp_path / "cache/h.json").open()
    assert second.of([old]) == before
    assert second.of([node(file)]) != before


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("one")
    hashes = FileHashes(tmp_path / "h.json").open()
    hashes.of([node(file)])
    hashes.close()
    assert FileHashes(tmp_path / "h.json").open().of([node(file)])
    assert not (tmp_path / "h.json").exists() or b'"' not in (tmp_path / "h.json").read_bytes()


def test_a_damaged_file_of_hashes_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text("{")
    file = tmp_path / "f"
    file.write_text("one")
    assert FileHashes(tmp_path / "h.json").open().of([node(file)])
