"""Signed envelopes (DSSE 1.0): a payload, its type, and a signature over both.

Pure: `signing` makes and checks the signatures. Refuses to trust the key id in an envelope: that is a hint
for finding a key, not a proof of anything.

https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md
"""

import base64
import binascii
import json
from dataclasses import dataclass

from understudy.errors import UnderstudyError
from understudy.image import fields

ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"

_WHAT = "DSSE envelope"


class SignatureError(UnderstudyError):
    """An envelope is not signed by the key that was asked about, or what it holds was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload with its signature.

    Attributes:
        payload_type: what the payload is.
        payload: the bytes that were signed.
        key_id: names the public key: SHA-256 over its SubjectPublicKeyInfo.
        signature: over `payload_type` and `payload`.
    """

    payload_type: str
    payload: bytes
    key_id: str
    signature: bytes

    def render(self) -> bytes:
        """The envelope as JSON."""
        document = {
            "payload": base64.b64encode(self.payload).decode(),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": self.key_id, "sig": base64.b64encode(self.signature).decode()}],
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def parse(raw: bytes) -> Envelope:
    """Returns the envelope in `raw`, its signature unchecked; of several signatures the first.

    Raises:
        DocumentInvalidError: a field is missing or malformed.
    """
    reader = fields.Fields(fields.document(raw, _WHAT), _WHAT)
    signatures = reader.mappings("signatures")
    if not signatures:
        raise fields.invalid(_WHAT, "it has no signature")
    first = fields.Fields(signatures[0], f"{_WHAT} signature")
    return Envelope(
        payload_type=reader.text("payloadType", required=True),
        payload=_decoded(reader.text("payload")),
        key_id=first.text("keyid"),
        signature=_decoded(first.text("sig", required=True)),
    )


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Returns the bytes that are signed: no type and payload can be taken for another pair."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _decoded(text: str) -> bytes:
    """Base64, standard or URL-safe: the specification allows both."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise fields.invalid(_WHAT, f"{text[:40]!r} is no base64") from exc
