from understudy.image import model, render
from understudy.image.model import Descriptor, ImageConfig

D = "sha256:" + "a" * 64


def test_manifest_is_one_that_can_be_read() -> None:
    config = Descriptor(media_type=model.OCI_CONFIG, digest=D, size_bytes=2)
    layer = Descriptor(media_type=model.OCI_LAYER_GZIP, digest=D, size_bytes=3, annotations={"a": "b"})
    written = render.image_manifest(config, [layer], annotations={"x": "y"})
    assert model.parse_manifest(written.raw) == written
    assert b'"annotations":{"x":"y"}' in written.raw


def test_order_of_fields_does_not_change_a_document() -> None:
    assert render.document({"b": 1, "a": {"d": "ü", "c": 2}}) == '{"a":{"c":2,"d":"ü"},"b":1}'.encode()


def test_empty_fields_are_left_out() -> None:
    written = render.image_config(ImageConfig(architecture="amd64", os="linux"))
    expected = {
        "architecture": "amd64",
        "config": {},
        "os": "linux",
        "rootfs": {"diff_ids": [], "type": "layers"},
    }
    assert written.raw == render.document(expected)
