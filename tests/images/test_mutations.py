"""A good image, damaged at random: what the files are said to be must be what the boot shows.

Drawn from tables and derandomised: the same damages in every run, others when a table changes. What the boot
alone can see is listed with its reason; everything else that fails must be told from the files.
"""

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from tests.images import good_mutations as mutations
from tests.images.good_mutations import Mutation
from tests.images.workshop import Workshop, above_info
from understudy.image.builder.run import StepFailedError
from understudy.verify.model import Severity
from understudy.verify.report import Report


class Seen(dict[Mutation, Report]):
    """Reports by mutation; short where Hypothesis tells the arguments of a failing example."""

    def __repr__(self) -> str:
        return f"{len(self)} reports"


_SETTINGS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=20,
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
)
# Launch -> why files cannot tell.
_ONLY_THE_BOOT = {
    "entrypoint-ends": "a shell command has to be run to know how it ends",
    "entrypoint-python": "the entry script that names the handler is left out",
    "python-home": "the interpreter computes its paths from it before any code of the image runs",
    "isolated-python": "where the runtime client is found depends on how the base starts it",
}
# Damage -> the same for files of the user: what is left is code, of which only running it shows the end.
_ONLY_CODE = {"cut", "halved", "emptied"}


@pytest.fixture(scope="module")
def seen() -> Seen:
    """What was verified already: Hypothesis may ask for a mutation again."""
    return Seen()


@_SETTINGS
@given(
    path=st.sampled_from(mutations.USER_PATHS),
    damage=st.sampled_from(sorted(mutations.DAMAGES)),
)
def test_damaged_code_is_told_by_files_as_by_the_boot(
    shop: Workshop, seen: Seen, path: str, damage: str
) -> None:
    report = _verify(shop, seen, Mutation(path=path, damage=damage))
    _agree(report, told_by_boot_alone=path.endswith(".py") and damage in _ONLY_CODE)


@_SETTINGS
@given(launch=st.sampled_from(sorted(mutations.LAUNCHES)))
def test_changed_launch_is_told_by_files_as_by_the_boot(shop: Workshop, seen: Seen, launch: str) -> None:
    _agree(_verify(shop, seen, Mutation(launch=launch)), told_by_boot_alone=launch in _ONLY_THE_BOOT)


@_SETTINGS
@given(
    path=st.sampled_from(mutations.BASE_PATHS),
    damage=st.sampled_from(sorted(mutations.DAMAGES)),
)
def test_damaged_base_is_never_accused_falsely(shop: Workshop, seen: Seen, path: str, damage: str) -> None:
    """The base's own files are taken as given; a boot that fails says that files did not show it."""
    _agree(_verify(shop, seen, Mutation(path=path, damage=damage)), told_by_boot_alone=True)


def _verify(shop: Workshop, seen: Seen, mutation: Mutation) -> Report:
    if mutation not in seen:
        mutations.open_good(shop)
        try:
            seen[mutation] = shop.verify(mutation.case)
        except StepFailedError:
            # A damage that cannot be done, such as removing a mount point, is no image.
            reject()
    return seen[mutation]


def _agree(report: Report, *, told_by_boot_alone: bool) -> None:
    if report.boot is None:
        assert "cannot be unpacked" in report.boot_skipped or above_info(report, "static")
        return
    static = above_info(report, "static")
    failing = [one.rule for one in static if one.severity is Severity.FAILS]
    if report.boot.passed:
        assert not failing, f"the files are said to fail, and the image starts: {failing}"
        assert report.passed
        return
    assert not report.passed
    if not static:
        assert told_by_boot_alone, [one.message for one in above_info(report, "boot")]
        assert [one.believe for one in report.disagreements] == ["boot"]
