"""Every row of the fault catalogue is an image here, and no two images share a name."""

from collections import Counter

from tests.images.test_faulty import CASES
from understudy.verify.render import faults


def test_every_row_has_an_image_with_a_fault() -> None:
    built = {case.row for case in CASES if case.static or case.boot}
    assert set(faults.ROWS) - built == set()
    assert set(faults.NOT_TESTED) <= set(faults.ROWS)


def test_every_image_has_a_row_and_a_name_of_its_own() -> None:
    assert {case.row for case in CASES} <= set(faults.ROWS)
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []
