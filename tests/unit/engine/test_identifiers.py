"""Identifiers have AWS's forms and differ."""

import re

from understudy.engine import identifiers


def test_request_ids_are_uuids() -> None:
    pattern = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"
    made = {identifiers.request_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(pattern, each) for each in made)


def test_a_trace_id_begins_with_the_time() -> None:
    assert re.fullmatch(r"Root=1-65b20000-[0-9a-f]{24}", identifiers.trace_root(0x65B20000 + 0.9))


def test_a_trace_header_names_a_parent_and_is_not_sampled() -> None:
    pattern = r"Root=1-65b20000-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0"
    assert re.fullmatch(pattern, identifiers.trace_header(0x65B20000))
