import io
import json
import tarfile
from pathlib import Path

from tests.unit.image import samples
from understudy.image import export


def test_holds_config_and_layers_byte_for_byte_under_the_name(tmp_path: Path) -> None:
    store = samples.store_at(tmp_path / "store")
    image = samples.image_of(store, [samples.file("one")], [samples.file("two")])
    output = io.BytesIO()

    export.write(store, image, "base:latest", output)

    output.seek(0)
    with tarfile.open(fileobj=output) as archive:
        found = {item.name: archive.extractfile(item).read() for item in archive}  # type: ignore[union-attr]
    [told] = json.loads(found["manifest.json"])
    assert told["RepoTags"] == ["base:latest"]
    assert found[told["Config"]] == store.read(image.manifest.config.digest)
    assert [found[name] for name in told["Layers"]] == [
        store.read(layer.digest) for layer in image.manifest.layers
    ]
