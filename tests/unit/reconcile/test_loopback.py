import pytest

from understudy.reconcile import loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("aws.localhost", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.localstack.cloud", False),
        ("example.com", False),
        ("", False),
        (None, False),
    ],
)
def test_a_host_is_this_machine_by_its_text_alone(host: str | None, expected: bool) -> None:
    assert loopback.is_loopback(host) is expected
