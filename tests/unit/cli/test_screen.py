import dataclasses

import pytest

from tests.fakes.project import RECORD
from understudy.cli import screen
from understudy.targets import record
from understudy.targets.record import RunningFunction


def test_names_every_url_once_and_the_next_commands(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show(RECORD, "text")

    shown = capsys.readouterr().out
    lines = [line.split()[0:2] for line in shown.splitlines() if line]
    assert lines[0] == ["API", RECORD.api_url]
    assert f"curl {RECORD.api_url}/health" in shown
    assert "docker push localhost:4577/" in shown
    assert "build 0.1 s, first request 0.3 s" in shown
    assert "stand-in" not in shown


def test_leaves_out_what_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show(dataclasses.replace(RECORD, dev_url="", api_host_url=RECORD.api_url), "text")

    shown = capsys.readouterr().out
    assert "dev server" not in shown
    assert shown.count(RECORD.api_url) == 2


def test_names_the_root_where_there_is_no_health_check(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show(dataclasses.replace(RECORD, path="/"), "text")

    assert f"curl {RECORD.api_url}/ " in capsys.readouterr().out


def test_says_that_the_base_is_a_stand_in(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show(dataclasses.replace(RECORD, stand_in_for="public.ecr.aws/lambda/python:3.13"), "text")

    assert "on the stand-in for public.ecr.aws/lambda/python:3.13" in capsys.readouterr().out


def test_json_is_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show(RECORD, "json")

    assert record.parse(capsys.readouterr().out) == RECORD


def test_shows_the_other_functions_with_their_urls(capsys: pytest.CaptureFixture[str]) -> None:
    functions = (
        RunningFunction(image="shop", function=RECORD.function, digest=RECORD.image_digest),
        RunningFunction(
            image="feed", function="feed:live", digest="sha256:1", url="http://u.lambda-url.test"
        ),
        RunningFunction(image="jobs", function="jobs:live", digest="sha256:2"),
    )
    screen.show(dataclasses.replace(RECORD, functions=functions), "text")

    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "function" in line]
    assert rows == [
        ["function", "http://u.lambda-url.test", "(Lambda", "feed:live)"],
        ["function", "sha256:2", "(Lambda", "jobs:live)"],
    ]
