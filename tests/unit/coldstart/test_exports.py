from tests.fakes.coldstarts import OWNERS, recording, span
from understudy.coldstart import exports, profiles

PROFILE = profiles.profile(
    recording(
        span("app", 20, 90),
        span("yaml", 30, 60, parent=0, path="/var/task/app.py"),
        span("s3", 60, 70, kind="client", parent=0),
        span("late", 110, 115),
    ),
    handler="app",
    owners=OWNERS,
)


def test_speedscope_s_events_are_nested_and_in_order() -> None:
    found = exports.speedscope(PROFILE, name="shop")
    frames = [frame["name"] for frame in found["shared"]["frames"]]
    events = found["profiles"][0]["events"]

    assert [(one["type"], frames[one["frame"]], one["at"]) for one in events] == [
        ("O", "app", 20),
        ("O", "yaml", 30),
        ("C", "yaml", 60),
        ("O", "client s3", 60),
        ("C", "client s3", 70),
        ("C", "app", 90),
    ]
    assert found["shared"]["frames"][1] == {"name": "yaml", "file": "/var/task/app.py", "line": 3}
    assert found["profiles"][0]["endValue"] == 100.0


def test_a_har_has_a_request_for_each_span_before_next() -> None:
    log = exports.har(PROFILE, name="shop")["log"]

    assert [(entry["request"]["url"], entry["time"]) for entry in log["entries"]] == [
        ("https://app/", 70),
        ("https://yaml/", 30),
        ("https://s3/", 10),
    ]
    assert log["entries"][1]["startedDateTime"] == "2026-01-01T00:00:00.030000+00:00"
    assert {"version", "creator", "pages", "entries"} == set(log)
