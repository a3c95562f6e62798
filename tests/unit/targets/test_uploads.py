from understudy.image.registry.events import BlobDone, BlobProgress, Retrying
from understudy.targets.uploads import Uploads

MB = 1_000_000


def test_a_push_tells_each_megabyte_and_what_need_not_move() -> None:
    told: list[str] = []
    uploads = Uploads(told.append)
    uploads(BlobDone(digest="a", size_bytes=9 * MB, outcome="present"))
    for done in (500_000, MB, MB + 1, 2 * MB):
        uploads(BlobProgress(digest="b", done_bytes=done, size_bytes=2 * MB, direction="push"))
    uploads(BlobDone(digest="b", size_bytes=2 * MB, outcome="sent"))
    assert told == [
        "push 0 of 0 MB, 1 blobs were there",
        "push 0 of 2 MB, 1 blobs were there",
        "push 1 of 2 MB, 1 blobs were there",
        "push 2 of 2 MB, 1 blobs were there",
    ]


def test_a_retry_says_why() -> None:
    told: list[str] = []
    Uploads(told.append)(Retrying(what="blob x", reason="connection reset", wait_s=0.4))
    assert told == ["push: connection reset; again in 0.4 s"]
