from dataclasses import replace

import pytest

from tests.fakes.findings import BOOT, finding, report, rule
from understudy.verify import catalogue
from understudy.verify import report as reports
from understudy.verify.model import Severity
from understudy.verify.report import Base

FAILED = replace(BOOT, passed=False)
MAY = finding("may", severity=Severity.MAY_FAIL)
REGISTRY = {"index-manifest": rule("index-manifest", catalogue=("A16",))}


def test_an_image_without_findings_passes() -> None:
    assert report().passed


def test_what_only_may_fail_does_not_fail_it() -> None:
    assert report([MAY]).passed


def test_a_finding_that_fails_on_lambda_fails_it_when_nothing_was_booted() -> None:
    found = report([finding()], boot=None, boot_skipped="--static")
    assert not found.passed
    assert found.failing == (finding(),)


def test_a_boot_overrules_what_the_files_say_about_starting() -> None:
    found = report([finding()])
    assert found.passed
    (one,) = found.disagreements
    assert (one.rule, one.believe) == ("abi-mismatch", "boot")


def test_a_boot_says_nothing_about_what_a_registry_refuses() -> None:
    found = report([finding("index-manifest")], rules=REGISTRY)
    assert not found.passed
    assert found.disagreements == ()


@pytest.mark.parametrize(
    ("name", "rows", "passed"),
    [
        ("lambda-extension-not-executable", ("A8",), True),
        ("environment-variable-missing", ("A0", "A15"), True),
        ("environment-too-large", ("A15",), False),
    ],
)
def test_single_rules_are_seen_or_not_whatever_their_row(
    name: str, rows: tuple[str, ...], passed: bool
) -> None:
    rules = {name: rule(name, catalogue=rows)}
    assert report([finding(name)], rules=rules).passed is passed


def test_the_single_rules_exist() -> None:
    assert set(catalogue.RULES) >= reports._SEEN_RULES


def test_a_failed_boot_fails_it_and_the_difference_is_told() -> None:
    found = report([finding("boot-import", source="boot")], boot=FAILED)
    assert not found.passed
    assert [one.believe for one in found.disagreements] == ["boot"]


def test_a_failed_boot_fails_it_even_without_a_finding() -> None:
    assert not report(boot=FAILED).passed


def test_a_boot_that_wants_a_network_neither_fails_it_nor_proves_it() -> None:
    network = finding("boot-network", source="boot", severity=Severity.MAY_FAIL)
    found = report([network], boot=FAILED)
    assert found.passed
    assert not found.conclusive
    assert report().conclusive
    assert report([finding("boot-import", source="boot")], boot=FAILED).conclusive


def test_files_and_a_failed_boot_that_agree_do_not_disagree() -> None:
    assert report([finding(), finding("boot-import", source="boot")], boot=FAILED).disagreements == ()


def test_what_is_allowed_does_not_fail_it() -> None:
    seen = finding("boot-import", source="boot")
    allowed = {"abi-mismatch": "not imported in production", "boot-import": "the same"}
    assert report([finding(), seen], boot=FAILED, allowed=allowed).passed


def test_allowing_one_rule_does_not_excuse_another() -> None:
    findings = [finding(), finding("boot-import", source="boot", aws_text="")]
    assert not report(findings, boot=FAILED, allowed={"abi-mismatch": "known"}).passed


@pytest.mark.parametrize(
    ("base", "text"),
    [
        (Base(kind="aws"), "AWS's base"),
        (Base(kind="stand-in", name="a/b:1"), "stand-in for a/b:1"),
        (Base(kind="other", name="Debian GNU/Linux 12"), "other: Debian GNU/Linux 12"),
        (Base(kind="other"), "other: unknown"),
    ],
)
def test_base_says_what_it_is(base: Base, text: str) -> None:
    assert str(base) == text


def test_launch_digest_depends_on_every_setting_and_tells_none() -> None:
    launch = report(launch={"function_env": {"SECRET": "hunter2"}}).launch
    digests = {
        reports.launch_digest(one)
        for one in (
            launch,
            replace(launch, function_env={}),
            replace(launch, memory_mb=1024),
            replace(launch, timeout_s=30.0),
            replace(launch, command=("other.handler",)),
            replace(launch, architecture="arm64"),
        )
    }
    assert len(digests) == 6
    assert reports.launch_digest(launch) == reports.launch_digest(replace(launch))
