from understudy.cli import rollout_options
from understudy.reconcile.rollout.model import Canary


def test_no_canary_is_none_and_a_canary_is_read() -> None:
    assert rollout_options.parse("") is None
    assert rollout_options.parse("10%/5m") == Canary(share=0.1, seconds=300)
