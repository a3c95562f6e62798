import os
import threading
from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.verify import ahead
from understudy.verify.files import cache

PLATFORM = "linux/amd64"


@pytest.fixture
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    # Threads of the test runner do not count.
    counted, others = threading.active_count, threading.active_count() - 1
    monkeypatch.setattr(threading, "active_count", lambda: counted() - others)
    return tmp_path / "facts"


def test_facts_of_all_layers_are_there_when_it_says_so(tmp_path: Path, facts: Path) -> None:
    store = store_at(tmp_path / "store")
    image = image_of(store, [file("a", b"1")], [file("b", b"2")], [file("c", b"3")])
    digests = [layer.digest for layer in image.manifest.layers]

    with ahead.begun(image.digest, PLATFORM, store=store, cache_dir=facts) as read:
        read()
        found = [cache.load(facts, digest) for digest in digests]

    assert [one and [entry.path for entry in one.entries] for one in found] == [["/a"], ["/b"], ["/c"]]


def test_who_leaves_early_waits_for_nothing(
    tmp_path: Path, facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(tmp_path / "store")
    image = image_of(store, [file("a", b"1")])
    fork, readers = os.fork, []

    def noted() -> int:
        readers.append(fork())
        return readers[-1]

    monkeypatch.setattr(os, "fork", noted)
    with ahead.begun(image.digest, PLATFORM, store=store, cache_dir=facts):
        pass
    [reader] = readers
    with pytest.raises(ChildProcessError):
        os.waitpid(reader, os.WNOHANG)


def test_an_image_that_is_not_there_is_for_others_to_tell(tmp_path: Path, facts: Path) -> None:
    store = store_at(tmp_path / "store")
    with ahead.begun(f"sha256:{'0' * 64}", PLATFORM, store=store, cache_dir=facts) as read:
        read()
    assert not facts.exists()


def test_beside_other_threads_nothing_is_begun(tmp_path: Path, facts: Path) -> None:
    store = store_at(tmp_path / "store")
    image = image_of(store, [file("a", b"1")])
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    with ahead.begun(image.digest, PLATFORM, store=store, cache_dir=facts) as read:
        read()
    over.set()
    other.join()
    assert not facts.exists()
