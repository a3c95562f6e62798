from tests.unit.engine.functions.records import function, version


def test_a_version_knows_when_it_is_in_transition() -> None:
    pending = version()
    assert pending.in_transition
    active = pending.activated("r")
    assert not active.in_transition
    assert active.updating("r", "m", "c2").in_transition
    assert not active.updating("r", "m", "c2").failed("r", "InvalidImage", "bad").in_transition


def test_during_an_update_latest_is_served_as_it_was() -> None:
    made = function("dash", "1")
    updated = made.with_version(made.latest.updating("r9", "m", "c9"))
    served = updated.serving_version("$LATEST")
    assert served is not None
    assert served.content_id == "c1"
    assert updated.serving_version("1") == made.versions["1"]
    assert updated.serving_version("2") is None


def test_the_code_s_hash_is_the_digest_s_hex() -> None:
    assert version().code.sha256 == "ab" * 32
