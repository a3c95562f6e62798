import pytest

from understudy.image.layers import ownership
from understudy.image.layers.ownership import Owner


@pytest.mark.parametrize(
    ("owner", "mode"),
    [
        pytest.param(Owner(uid=0, gid=0, mode=0o755), 0o555, id="others read"),
        pytest.param(Owner(uid=0, gid=0, mode=0o640), 0o040, id="others see nothing"),
        pytest.param(Owner(uid=0, gid=0, mode=0o1777), 0o1777, id="everyone writes"),
        pytest.param(Owner(uid=0, gid=990, mode=0o750), 0o550, id="by group"),
        pytest.param(Owner(uid=993, gid=0, mode=0o700), 0o700, id="its own"),
        pytest.param(Owner(uid=0, gid=0, mode=0o4755), 0o4555, id="set user id"),
    ],
)
def test_owner_bits_are_what_the_lambda_user_meets(owner: Owner, mode: int) -> None:
    assert ownership.masked(owner) == mode
    assert ownership.restore(ownership.record(owner), mode) == owner


def test_mode_that_a_step_changed_counts() -> None:
    kept = ownership.restore(b"1:2:755", 0o700)
    assert kept == Owner(uid=1, gid=2, mode=0o700)


@pytest.mark.parametrize("value", [b"", b"1:2", b"a:b:c", b"1:2:999", b"\xff"])
def test_foreign_value_is_ignored(value: bytes) -> None:
    assert ownership.restore(value, 0o644) is None
