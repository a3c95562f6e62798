"""Positions order events and name themselves in tokens of AWS's form."""

import re

from understudy.engine.logs.read import Position


def test_positions_order_by_time_then_number() -> None:
    assert Position(at_ms=1, number=9) < Position(at_ms=2, number=1) < Position(at_ms=2, number=2)


def test_a_token_has_the_form_of_aws() -> None:
    assert re.fullmatch(r"f/\d{56}/s", Position(at_ms=1, number=2).token("f"))
