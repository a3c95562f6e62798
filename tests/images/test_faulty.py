"""Images with a fault each: what the files show, what the boot shows, AWS's text, the fix."""

import pytest

from tests.images import (
    faulty_entry,
    faulty_files,
    faulty_native,
    faulty_python,
    faulty_registry,
    faulty_runtime,
    faulty_start,
    verdicts,
)
from tests.images.case import Case
from tests.images.workshop import Workshop

CASES: tuple[Case, ...] = (
    *faulty_entry.CASES,
    *faulty_start.CASES,
    *faulty_files.CASES,
    *faulty_runtime.CASES,
    *faulty_native.CASES,
    *faulty_python.CASES,
    *faulty_registry.CASES,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_files_and_boot_tell_the_fault(case: Case, shop: Workshop) -> None:
    verdicts.check(case, shop.verify(case))
