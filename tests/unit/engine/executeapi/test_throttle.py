from understudy.engine.executeapi import throttle
from understudy.engine.executeapi.throttle import Limits, Throttle


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_admitted_and_tokens_come_back_at_the_rate() -> None:
    clock = Clock()
    bucket = Throttle(clock)
    limits = Limits(rate=2.0, burst=3)

    assert [bucket.admits("a", limits) for _ in range(4)] == [True, True, True, False]
    clock.now += 0.5
    assert [bucket.admits("a", limits) for _ in range(2)] == [True, False]
    clock.now += 60
    assert [bucket.admits("a", limits) for _ in range(4)] == [True, True, True, False]


def test_buckets_are_apart_and_no_limits_admit_everything() -> None:
    bucket = Throttle(Clock())

    assert bucket.admits("a", Limits(rate=0, burst=1))
    assert not bucket.admits("a", Limits(rate=0, burst=1))
    assert bucket.admits("b", Limits(rate=0, burst=1))
    assert all(bucket.admits("c", None) for _ in range(9))


def test_the_number_that_is_not_set_is_the_accounts() -> None:
    assert throttle.limits(None, None) is None
    assert throttle.limits(5.0, None) == Limits(rate=5.0, burst=throttle.ACCOUNT_BURST)
    assert throttle.limits(None, 0) == Limits(rate=throttle.ACCOUNT_RATE, burst=0)
