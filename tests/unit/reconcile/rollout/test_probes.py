import io
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.aws import ScriptedAws
from tests.unit.reconcile.builders import key
from understudy.reconcile.rollout import probes
from understudy.reconcile.rollout.model import Subject

DIGEST = f"sha256:{'a' * 64}"
SHOP = Subject(key=key("Function/shop"), function="shop", digest=DIGEST, door=key("API/a"))
REST = replace(SHOP, door=key("RestAPI/a"), stage="v1")


def function() -> ScriptedAws:
    """A function that answers everything with 200."""
    answer = {"Payload": io.BytesIO(b'{"statusCode": 200}'), "ExecutedVersion": "2"}
    code = {"Code": {"ResolvedImageUri": f"host/shop@{DIGEST}"}}
    return ScriptedAws({"GetFunction": code, "Invoke": answer})


@pytest.mark.parametrize(
    ("subject", "place"), [(SHOP, "rawPath"), (REST, "path")], ids=["http api", "rest api"]
)
def test_a_version_gets_the_event_that_its_api_sends(subject: Subject, place: str) -> None:
    fake = function()
    probes.check(fake.aws, subject, "2")
    event: dict[str, Any] = json.loads(fake.params("Invoke")["Payload"])
    assert event[place] == "/health"
    assert event["requestContext"]["stage"] == subject.stage


@pytest.mark.parametrize(
    "subject",
    [replace(SHOP, door=None), replace(REST, is_whole=False)],
    ids=["no door", "some paths"],
)
def test_a_version_that_no_request_for_its_health_reaches_is_not_asked(subject: Subject) -> None:
    fake = function()
    assert probes.check(fake.aws, subject, "2") == ""
    assert "Invoke" not in [name for name, _ in fake.calls]
