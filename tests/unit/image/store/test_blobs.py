from pathlib import Path

import pytest

from tests.unit.image.samples import noise, store_at
from understudy.image import digests
from understudy.image.store.blobs import DigestMismatchError, UploadBusyError


def test_blob_appears_only_when_committed(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    with store.writer() as writer:
        for size in (1, 300_000, 5):
            writer.write(noise(size))
        expected = digests.of(noise(1) + noise(300_000) + noise(5))
        assert writer.offset == 300_006
        assert not store.has(expected)
        assert writer.commit(expected) == expected
    store.check(expected)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    writer = store.writer()
    writer.write(b"x")
    with pytest.raises(ZeroDivisionError), writer:
        raise ZeroDivisionError
    assert list((tmp_path / "uploads").iterdir()) == []


def test_content_of_another_digest_is_dropped(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    with store.writer("upload") as writer:
        writer.write(b"x")
        with pytest.raises(DigestMismatchError, match="expected"):
            writer.commit(digests.of(b"y"))
    assert list((tmp_path / "uploads").iterdir()) == []
    assert not store.has(digests.of(b"x"))


def test_resumable_upload_goes_on_where_it_stopped(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    with store.writer("upload") as writer:
        writer.write(b"first ")
    assert store.upload_size("upload") == 6
    with store.writer("upload") as writer:
        assert writer.offset == 6
        writer.write(memoryview(b"second"))
        assert writer.commit() == digests.of(b"first second")
    assert store.upload_size("upload") is None


def test_upload_has_one_writer_at_a_time(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    with store.writer("upload"), pytest.raises(UploadBusyError):
        store.writer("upload")


def test_damaged_blob_of_another_length_is_replaced(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    digest = store.put(b"content")
    store.path(digest).write_bytes(b"")
    assert store.put(b"content") == digest
    store.check(digest)


def test_abort_after_commit_has_no_effect(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    with store.writer() as writer:
        writer.write(b"x")
        digest = writer.commit()
        writer.abort()
    assert store.has(digest)
