import os
import signal

import pytest

from understudy.cli import interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_block_and_tells_the_others(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interrupts.stopping() as stop:
        os.kill(os.getpid(), number)
    assert stop.is_set()
    assert signal.getsignal(number) is before
