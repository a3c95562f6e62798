from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.errors import UnderstudyError
from understudy.verify import statements
from understudy.verify.dsse import SignatureError
from understudy.verify.signing import Key


def test_what_was_signed_is_read_and_nothing_else(tmp_path: Path) -> None:
    store, key = store_at(tmp_path / "store"), Key.load(tmp_path / "key.pem")
    image = image_of(store, [file("a")]).digest
    told = statements.statement("shop", image, "https://example.org/v1", {"a": "b"})

    made = statements.attach(store, key, told, "application/x", annotations={}, replaces=lambda _: False)

    about, predicate = statements.read(store, key, made, "https://example.org/v1", "record")
    assert (about, predicate.text("a")) == (image, "b")
    with pytest.raises(UnderstudyError, match="it is another statement"):
        statements.read(store, key, made, "https://example.org/v2", "record")
    with pytest.raises(SignatureError):
        statements.read(store, Key.load(tmp_path / "2.pem"), made, "https://example.org/v1", "record")
