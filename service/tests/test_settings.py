"""Settings, entity tags and what must not be imported on the cold path."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dashboard
from dashboard import etags
from dashboard.errors import NotConfiguredError
from dashboard.settings import Settings, required


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_environment(
        {
            "CONFIGURATIONS_TABLE": "t",
            "TICKERS_BUCKET": "b",
            "TICKERS_KEY": "k",
            "TICKERS_TTL_SECONDS": "1.5",
            "SERVICE_VERSION": "9",
            "GIT_SHA": "abc",
            "LOG_LEVEL": "DEBUG",
        }
    )
    assert settings == Settings(
        configurations_table="t",
        tickers_bucket="b",
        tickers_key="k",
        tickers_ttl_s=1.5,
        version="9",
        git_sha="abc",
        log_level="DEBUG",
    )


def test_empty_variables_count_as_absent() -> None:
    empty = dict.fromkeys(
        ("CONFIGURATIONS_TABLE", "TICKERS_KEY", "TICKERS_TTL_SECONDS", "SERVICE_VERSION"), ""
    )
    assert Settings.from_environment(empty) == Settings()
    assert Settings().version == dashboard.__version__


def test_lambdas_log_level_wins() -> None:
    environment = {"LOG_LEVEL": "DEBUG", "AWS_LAMBDA_LOG_LEVEL": "ERROR"}
    assert Settings.from_environment(environment).log_level == "ERROR"


def test_required_names_the_variable() -> None:
    assert required("x", "NAME") == "x"
    with pytest.raises(NotConfiguredError, match="NAME"):
        required(None, "NAME")


@given(st.integers(1, 10**9), st.lists(st.from_regex(r'(W/)?"[!#-~]*"', fullmatch=True)))
def test_a_rendered_tag_matches_in_any_list(version: int, others: list[str]) -> None:
    tag = etags.render(version)
    for header in (", ".join([*others, tag]), ",".join([tag, *others])):
        assert etags.if_match(header, version)
        assert etags.if_none_match(header, version)
    assert not etags.if_match(f"W/{tag}", version)
    assert etags.if_none_match(f"W/{tag}", version)


@given(st.text(), st.integers(1, 100))
def test_any_text_is_answered(text: str, version: int) -> None:
    assert etags.if_match(text, version) in {True, False}


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_different_versions_do_not_match(one: int, other: int) -> None:
    assert etags.if_match(etags.render(one), other) == (one == other)


def test_a_cold_health_request_imports_no_sdk() -> None:
    program = """
import sys, handler
event = {"version": "2.0", "headers": {}, "requestContext": {"stage": "$default",
         "http": {"method": "GET", "path": "/health", "sourceIp": "192.0.2.1"}}}
assert handler.lambda_handler(event, None)["statusCode"] == 200
print(sorted({name.partition(".")[0] for name in sys.modules} & {"boto3", "botocore", "s3transfer", "httpx"}))
"""
    service = Path(dashboard.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-B", "-c", program], cwd=service, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"
