"""Images that look faulty and start: nothing above info, from neither files nor boot."""

from pathlib import Path

import pytest

from tests.images import good_alpine, good_bases, good_frameworks, good_plain, verdicts
from tests.images.case import Case
from tests.images.workshop import Workshop

CASES: tuple[Case, ...] = (*good_plain.CASES, *good_bases.CASES, *good_frameworks.CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_good_image_is_left_alone(case: Case, shop: Workshop) -> None:
    verdicts.check(case, shop.verify(case))


def test_wheels_for_musl_are_left_alone_on_alpine(shop: Workshop, tmp_path: Path) -> None:
    case = good_alpine.with_musl_wheels(tmp_path)
    verdicts.check(case, shop.verify(case, static=True))


def test_wheels_for_glibc_are_told_on_alpine(shop: Workshop, tmp_path: Path) -> None:
    case = good_alpine.with_glibc_wheels(tmp_path)
    verdicts.check(case, shop.verify(case, static=True))
