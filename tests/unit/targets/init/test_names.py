import pytest

from understudy.targets.init import names


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("MyHTTPApi", "my-http-api"),
        ("USERS_TABLE", "users-table"),
        ("shop_v2", "shop-v2"),
        ("日本", "service"),
        ("a" * 99, "a" * 50),
    ],
)
def test_a_slug_is_a_name_that_every_service_takes(text: str, slug: str) -> None:
    assert names.slug(text) == slug


def test_words_of_the_kind_are_left_out() -> None:
    assert names.without("DYNAMODB_USERS_TABLE_NAME", "table", "name") == "users"
    assert names.without("TABLE_NAME", "table", "name") == ""


def test_an_id_of_a_statement_has_letters_and_digits_alone() -> None:
    assert names.sid("shop-user_files") == "ShopUserFiles"
