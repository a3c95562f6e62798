"""Images that look faulty and start: nothing above info, from neither files nor boot."""

import pytest

from tests.images import good_bases, good_frameworks, good_plain, verdicts
from tests.images.case import Case
from tests.images.workshop import Workshop

CASES: tuple[Case, ...] = (*good_plain.CASES, *good_bases.CASES, *good_frameworks.CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_good_image_is_left_alone(case: Case, shop: Workshop) -> None:
    verdicts.check(case, shop.verify(case))
