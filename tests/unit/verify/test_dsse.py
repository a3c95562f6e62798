import base64
import json

import pytest

from understudy.image.fields import DocumentInvalidError
from understudy.verify import dsse
from understudy.verify.dsse import Envelope

ENVELOPE = Envelope(payload_type="application/x", payload=b"{}", key_id="k", signature=b"\xfb\xff")


def test_pre_authentication_is_the_specifications_example() -> None:
    # https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md#test-vectors
    assert dsse.pre_authentication("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_type_and_payload_cannot_run_into_each_other() -> None:
    assert dsse.pre_authentication("ab", b"c") != dsse.pre_authentication("a", b"bc")


def test_envelope_reads_back() -> None:
    raw = ENVELOPE.render()
    assert dsse.parse(raw) == ENVELOPE
    assert json.loads(raw)["signatures"] == [{"keyid": "k", "sig": "+/8="}]


def test_url_safe_base64_is_read_too() -> None:
    document = json.loads(ENVELOPE.render())
    document["signatures"][0]["sig"] = base64.urlsafe_b64encode(b"\xfb\xff").decode()
    assert dsse.parse(json.dumps(document).encode()).signature == b"\xfb\xff"


@pytest.mark.parametrize(
    "change",
    [{"signatures": []}, {"signatures": [{"keyid": "k"}]}, {"payload": "?"}, {"payloadType": ""}],
    ids=["unsigned", "without-sig", "no-base64", "untyped"],
)
def test_what_is_no_envelope_is_refused(change: dict[str, object]) -> None:
    document = json.loads(ENVELOPE.render()) | change
    with pytest.raises(DocumentInvalidError):
        dsse.parse(json.dumps(document).encode())
