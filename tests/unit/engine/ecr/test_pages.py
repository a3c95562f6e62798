"""Pagination that survives images coming and going."""

import pytest

from understudy.engine.ecr import pages
from understudy.engine.protocol import ApiError


def key(item: str) -> str:
    return item


def test_pages_cover_everything_once() -> None:
    items, seen, token = [str(number) for number in range(7)], [], None
    for _ in range(4):
        page = pages.page(items, key, {"maxResults": 2, "nextToken": token})
        seen += page.items
        token = page.next_token
    assert (seen, token) == (items, None)


def test_last_full_page_has_no_token() -> None:
    assert pages.page(["a", "b"], key, {"maxResults": 2}).output("x", str) == {"x": ["a", "b"]}


def test_an_item_added_in_front_repeats_nothing() -> None:
    token = pages.page(["b", "c"], key, {"maxResults": 1}).next_token
    assert list(pages.page(["a", "b", "c"], key, {"nextToken": token}).items) == ["c"]


@pytest.mark.parametrize("token", ["?", "/w==", "Z29uZQ=="], ids=["no-base64", "no-text", "unknown"])
def test_refuses_a_foreign_token(token: str) -> None:
    with pytest.raises(ApiError, match="nextToken"):
        pages.page(["a"], key, {"nextToken": token})
