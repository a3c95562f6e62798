import pytest

from tests.fakes.aws import FakeClock
from understudy.errors import UnderstudyError
from understudy.reconcile import clock


def test_asks_quickly_first_and_slower_later() -> None:
    fake = FakeClock()
    answers = iter([None] * 20 + ["done"])
    assert clock.until(lambda: next(answers), what="it", clock=fake) == "done"
    assert fake.slept[0] == pytest.approx(0.01)
    assert fake.slept == sorted(fake.slept)
    assert max(fake.slept) == pytest.approx(2.0)


def test_gives_up_after_its_budget() -> None:
    fake = FakeClock()
    with pytest.raises(UnderstudyError, match="it did not happen within 5 s") as caught:
        clock.until(lambda: None, what="it", clock=fake, budget_s=5)
    assert caught.value.retryable


def test_system_clock_never_goes_back() -> None:
    system = clock.SystemClock()
    first = system.now()
    system.sleep(0)
    assert system.now() >= first
