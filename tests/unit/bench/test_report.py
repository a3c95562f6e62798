"""The report names every figure, and what is missing."""

import dataclasses
import json

from bench import limits, report
from bench.model import Results

from tests.unit.bench import samples


def _text(results: Results) -> str:
    return report.text(results, limits.check(results))


def test_ratios_are_to_understudy() -> None:
    line = next(line for line in _text(samples.complete()).splitlines() if line.startswith("MiniStack"))
    assert line.split() == ["MiniStack", "1.00", "s", "2.94", "13.00", "ms", "10.00", "30/s", "0.03"]


def test_a_series_shows_its_range() -> None:
    assert report.spread((0.34, 0.33, 0.4), " s", 2) == "0.34 s (0.33 - 0.40)"
    assert report.spread((2.0,), " s", 1) == "2.0 s"
    assert report.spread((), " s", 1) == "-"


def test_missing_docker_is_said_for_everything_that_needs_it() -> None:
    text = _text(samples.without_docker())
    for name in ("SAM", "MiniStack", "docker push and memory after it"):
        assert f"NOT MEASURED: {name}: {samples.NO_DOCKER}" in text


def test_a_disturbed_run_says_so() -> None:
    calm = samples.complete()
    assert "DISTURBED" not in _text(calm)
    loud = dataclasses.replace(calm, host=dataclasses.replace(calm.host, disturbed=2))
    assert "DISTURBED: 2 of 5 rounds" in _text(loud)


def test_a_missed_limit_is_loud() -> None:
    slow = dataclasses.replace(samples.complete(), up_second_s=(5.1,))
    line = _text(slow).splitlines()[-1]
    assert line.split() == ["second", "up", "<=", "5", "s", "5.10", "s", "NOT", "MET"]


def test_the_document_holds_every_sample_and_is_json() -> None:
    results = samples.complete()
    document = json.loads(json.dumps(report.document(results, limits.check(results))))
    assert document["contenders"][0]["cold_s"] == [0.34, 0.33, 0.4]
    assert document["limits"][0]["met"] is True


def test_columns_are_aligned() -> None:
    assert report.table([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d"
