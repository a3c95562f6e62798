"""The table of settings: one entry per name, and which values each refuses."""

import pytest

from understudy.engine.localstack import table
from understudy.engine.localstack.table import SETTINGS


def test_no_name_stands_in_two_places() -> None:
    assert len(list(table._entries())) == len(SETTINGS)


@pytest.mark.parametrize(
    ("name", "refused", "met"),
    [
        ("PERSISTENCE", ("0", "false", "no"), ("1", "True")),
        ("USE_SSL", ("1", "true"), ("0", "no")),
        ("SQS_ENDPOINT_STRATEGY", ("path", "domain"), ("off", "OFF")),
        ("DNS_ADDRESS", ("127.0.0.1",), ("0",)),
        ("EDGE_PORT", ("4566", "0"), ()),
        ("DISABLE_EVENTS", (), ("0", "1")),
        ("SERVICES", (), ("s3",)),
    ],
)
def test_what_a_setting_refuses(name: str, refused: tuple[str, ...], met: tuple[str, ...]) -> None:
    assert all(SETTINGS[name].refuses(value) for value in refused)
    assert not any(SETTINGS[name].refuses(value) for value in met)
