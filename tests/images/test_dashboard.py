"""The seed of this project on the dashboard's own image: one error text, four causes, four diagnoses.

By the files alone; that such damage prevents the start is booted with smaller images (`faulty_native`).
"""

from pathlib import Path

import pytest

from tests.images.case import Case, rules
from tests.images.workshop import Workshop, above_info
from understudy.verify.report import Report

ROOT = Path(__file__).parents[2]
SITE = "/var/lang/lib/python3.13/site-packages"
WHEEL = (
    "RUN python3 -m pip install -q --no-cache-dir --no-deps --upgrade --only-binary=:all: "
    f"--target {SITE} %s pydantic-core==2.41.5"
)
TEXT = (
    "Runtime.ImportModuleError: Unable to import module 'handler': "
    "No module named 'pydantic_core._pydantic_core'"
)
DAMAGES = {
    "abi-mismatch": WHEEL % "--python-version 3.12 --implementation cp --abi cp312",
    "machine-mismatch": WHEEL % "--platform manylinux2014_aarch64",
    "musl-on-glibc": WHEEL % "--platform musllinux_1_1_x86_64",
    "extension-missing": f"RUN rm {SITE}/pydantic_core/_pydantic_core.*.so",
}


@pytest.fixture(scope="module")
def reports(dashboards: Workshop) -> dict[str, Report]:
    """The static report on the dashboard after each damage."""
    return {
        rule: dashboards.verify(
            Case(
                name=f"dashboard-{rule}",
                row="A1",
                dockerfile=f"FROM dashboard\n{damage}\n",
                static=rules(rule),
            ),
            static=True,
        )
        for rule, damage in DAMAGES.items()
    }


@pytest.mark.parametrize("rule", DAMAGES)
def test_each_cause_of_the_same_text_has_its_own_name(reports: dict[str, Report], rule: str) -> None:
    report = reports[rule]
    (finding,) = above_info(report, "static")

    assert (finding.rule, finding.aws_text) == (rule, TEXT)
    assert not report.passed


def test_each_cause_has_its_own_fix(reports: dict[str, Report]) -> None:
    fixes = {above_info(report, "static")[0].fix for report in reports.values()}

    assert len(fixes) == len(DAMAGES)
