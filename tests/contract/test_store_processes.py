"""Several processes on one store, and processes that die: nothing is ever half there."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.unit.image.samples import file, image_of, noise, store_at
from understudy.image import digests, rootfs
from understudy.image.store import Store

WRITE_FOREVER = """
import itertools, random, sys
from pathlib import Path
from tests.unit.image.samples import file, image_of, noise
from understudy.image import rootfs
from understudy.image.store import Store
store = Store(Path(sys.argv[1]))
seed = int(sys.argv[2])
for number in itertools.count():
    image = image_of(store, [file("a", noise(300_000, seed * 1000 + number))], tag=f"t{seed}.{number % 5}")
    rootfs.prepare(store, image.digest)
    print(image.digest, flush=True)
"""

TAG_MANY = """
import sys
from pathlib import Path
from understudy.image.store import Store
store = Store(Path(sys.argv[1]))
for number in range(40):
    store.tag(f"{sys.argv[2]}-{number}", sys.argv[3])
"""

COLLECT_MANY = """
import sys
from pathlib import Path
from understudy.image import rootfs
from understudy.image.store import Store
store = Store(Path(sys.argv[1]), grace_s=0.2)
for number in range(60):
    store.gc(wait_s=0.05)
    rootfs.gc(store, wait_s=0.05)
"""

BUILD_MANY = """
import sys
from pathlib import Path
from tests.unit.image.samples import file, image_of, noise
from understudy.image import rootfs
from understudy.image.store import Store
store = Store(Path(sys.argv[1]), grace_s=0.2)
for number in range(15):
    with store.session():
        image = image_of(store, [file("a", noise(100_000, number))], tag=f"image{number}")
        root = rootfs.prepare(store, image.digest)
    with rootfs.lease(root):
        assert (root.layers[0] / "a").stat().st_size == 100_000
"""


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def check_everything(store: Store) -> None:
    for path in (store.root / "blobs" / "sha256").iterdir():
        store.check(f"sha256:{path.name}")
    for name in store.tags():
        image = store.image(name)
        for layer in image.manifest.layers:
            assert store.size(layer.digest) == layer.size_bytes
    for path in (store.root / "layers").glob("[0-9a-f]*"):
        assert (path / "a").stat().st_size == 300_000


def test_kill_at_any_moment_leaves_a_sound_store(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    moments = random.Random(7)
    for seed in range(8):
        writer = start(WRITE_FOREVER, tmp_path, seed)
        assert writer.stdout is not None
        with writer.stdout as lines:
            lines.readline()
            time.sleep(moments.uniform(0, 0.15))
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        check_everything(store)
    leftovers = list((store.root / "uploads").iterdir()) + list((store.root / "layers").glob(".tmp.*"))
    Store(tmp_path).gc()
    rootfs.gc(store)
    assert not list((store.root / "uploads").iterdir()), f"dead uploads are swept at once ({leftovers})"
    assert not list((store.root / "layers").glob(".tmp.*"))
    check_everything(store)


def test_tags_of_concurrent_writers_are_all_kept(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    digest = image_of(store, [file("a")]).digest
    writers = [start(TAG_MANY, tmp_path, name, digest) for name in ("x", "y", "z")]
    for writer in writers:
        assert writer.wait(60) == 0
        assert writer.stdout is not None
        writer.stdout.close()
    assert len(store.tags()) == 120


def test_collection_beside_builders_never_takes_what_they_need(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    collector = start(COLLECT_MANY, tmp_path)
    builders = [start(BUILD_MANY, tmp_path), start(BUILD_MANY, tmp_path)]
    for process in (*builders, collector):
        assert process.wait(120) == 0
        assert process.stdout is not None
        process.stdout.close()
    for number in range(15):
        image = store.image(f"image{number}")
        for descriptor in (image.manifest.config, *image.manifest.layers):
            store.check(descriptor.digest)


def test_upload_goes_on_in_another_process(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    data = noise(1_000_000)
    code = """
import os, signal, sys
from pathlib import Path
from tests.unit.image.samples import noise
from understudy.image.store import Store
writer = Store(Path(sys.argv[1])).writer("upload-1")
writer.write(noise(1_000_000)[:600_000])
print(flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    dying = start(code, tmp_path)
    assert dying.wait(60) == -signal.SIGKILL
    assert dying.stdout is not None
    dying.stdout.close()
    with store.writer("upload-1") as writer:
        assert 0 < writer.offset <= 600_000
        writer.write(data[writer.offset :])
        assert writer.commit(digests.of(data)) == digests.of(data)
    store.check(digests.of(data))


def test_lease_of_a_killed_process_ends_with_it(tmp_path: Path) -> None:
    store = store_at(tmp_path, grace_s=-1)
    image = image_of(store, [file("a", bytes(300_000))], tag="app")
    root = rootfs.prepare(store, image.digest)
    store.untag("app")
    code = """
import sys
from pathlib import Path
from understudy.image import rootfs
with rootfs.lease(rootfs.Rootfs(layers=(Path(sys.argv[1]),))):
    print("leased", flush=True)
    sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(root.layers[0])], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"leased\n"
        assert rootfs.gc(store).removed == 0
        holder.kill()
        with contextlib.suppress(BrokenPipeError):
            holder.wait()
        assert rootfs.gc(store).removed == 1
    assert not root.layers[0].exists()


def test_memory_stays_flat_while_large_layers_pass(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as large:
        for seed in range(96):
            large.write(noise(1 << 20, seed))
    code = """
import resource, sys
from pathlib import Path
from understudy.image import layers
from understudy.image.layers import extract
from understudy.image.layers import Entry, Kind
from understudy.image.store import Store
root = Path(sys.argv[1])
store = Store(root / "store").open()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
entry = Entry(path="large", kind=Kind.FILE, source=root / "large")
descriptor, diff_id = layers.write_layer(store, [entry], epoch=0)
(root / "target").mkdir()
with store.open_blob(descriptor.digest) as blob:
    extract.extract_layer(blob, root / "target", overlay_whiteouts=True, diff_id=diff_id)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True, timeout=120
    )
    # Blocks of 1 MiB in flight for up to eight workers; the layer itself has 96 MiB.
    assert int(done.stdout) < 48 * 1024
