import pytest

from understudy.image import digests

HELLO = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_digest_is_that_of_the_bytes() -> None:
    assert digests.of(b"hello") == HELLO
    assert digests.parse(HELLO) == HELLO
    assert digests.hex_of(HELLO) == HELLO[7:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        HELLO.upper(),
        HELLO[:-1],
        HELLO + "0",
        HELLO + "\n",
        "sha512:" + "0" * 128,
        "../" + HELLO,
    ],
)
def test_anything_else_is_refused_before_it_becomes_a_path(text: str) -> None:
    assert not digests.is_digest(text)
    with pytest.raises(digests.DigestInvalidError) as caught:
        digests.parse(text)
    assert caught.value.code == "digest-invalid"
