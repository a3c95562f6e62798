from understudy.image import digests, model, render
from understudy.image.store import collect

D = [digests.of(bytes([number])) for number in range(5)]


def test_everything_below_a_root_is_reachable_and_cycles_end() -> None:
    layer = {"mediaType": model.OCI_LAYER_GZIP, "digest": D[3], "size": 1}
    documents = {
        D[0]: render.document({"manifests": [{**layer, "digest": D[1]}, {**layer, "digest": D[0]}]}),
        D[1]: render.document({"config": {**layer, "digest": D[2]}, "layers": [layer]}),
        D[2]: b'{"architecture":"amd64"}',
        D[3]: b"\x1f\x8b",
    }
    assert collect.reachable([D[0], D[4]], documents.get) == set(D)
