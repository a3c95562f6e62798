import pytest

from understudy.errors import EnvironmentProblemError
from understudy.image.registry import errors
from understudy.image.registry.errors import RegistryRejectedError

BODY = b'{"errors":[{"code":"TAG_INVALID","message":"tag is immutable"}]}'


@pytest.mark.parametrize(
    ("status", "body", "code", "text"),
    [
        (404, b"", "registry-not-found", "no such image"),
        (403, BODY, "registry-forbidden", "tag is immutable"),
        (400, BODY, "registry-rejected", "answered 400 TAG_INVALID: tag is immutable"),
        (502, b"<html>bad gateway", "registry-rejected", "<html>bad gateway"),
        (400, b"[]", "registry-rejected", "answered 400"),
        (400, b'{"errors":[1]}', "registry-rejected", "answered 400"),
    ],
)
def test_answer_becomes_an_error_with_the_registry_words(
    status: int, body: bytes, code: str, text: str
) -> None:
    error = errors.refused(status, body, host="r.io", url="https://r.io/v2/a")
    assert error.code == code
    assert text in error.message
    assert error.where == "https://r.io/v2/a"


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (429, True), (503, True)])
def test_status_says_whether_to_try_again(status: int, retryable: bool) -> None:
    error = RegistryRejectedError("m", status=status, reason="", where="w")
    assert error.retryable is retryable


def test_hint_for_ecr_is_its_own_login() -> None:
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    error = errors.unauthorized(host, "u", known=True)
    assert error.hint == f"aws ecr get-login-password | docker login --username AWS --password-stdin {host}"
    assert isinstance(errors.unreachable("r.io", OSError()), EnvironmentProblemError)
