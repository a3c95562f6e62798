"""What ``docker load`` gets: layers as they lie in the store, then config and manifest."""

import io
import json
import tarfile
from pathlib import Path

from tests.unit.image.samples import file, image_of, store_at
from understudy.image import digests
from understudy.image.docker import saved


def test_an_image_is_written_with_its_own_bytes(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a", b"one")], [file("b", b"two")])
    target = io.BytesIO()
    saved.write(image, store, "understudy.local/from:1", target)
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    [row] = json.loads(members.pop("manifest.json"))
    assert row["RepoTags"] == ["understudy.local/from:1"]
    assert members[row["Config"]] == image.config.raw
    found = [digests.of(members[name]) for name in row["Layers"]]
    assert found == [layer.digest for layer in image.manifest.layers]
