"""Signed statements about images: in-toto, in a DSSE envelope, attached to the image they are about.

Refuses to believe the list of what is attached: what counts is read from the signed statement
(docs/decisions/0040).
"""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from understudy.image import digests, fields
from understudy.image.fields import Fields
from understudy.image.referrers import Entry
from understudy.image.store import Store, attachments
from understudy.verify import dsse
from understudy.verify.dsse import Envelope

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

_PREDICATE = "in-toto.io/predicate-type"


class Signer(Protocol):
    """Signs envelopes and knows its own again."""

    def sign(self, payload_type: str, payload: bytes) -> Envelope:
        """Returns the payload in a signed envelope."""

    def check(self, envelope: Envelope) -> bytes:
        """Returns the payload of an envelope of its own; raises `SignatureError` for any other."""


def statement(name: str, digest: str, predicate_type: str, predicate: Mapping[str, Any]) -> Mapping[str, Any]:
    """The in-toto statement that says `predicate` about an image."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digests.hex_of(digest)}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def attach(
    store: Store,
    signer: Signer,
    told: Mapping[str, Any],
    artifact_type: str,
    *,
    annotations: Mapping[str, str],
    replaces: Callable[[Entry], bool],
) -> str:
    """Returns the digest of a signed statement, now attached to its image in place of those it replaces.

    Raises:
        BlobMissingError: the store does not hold the image.
    """
    payload = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    envelope = signer.sign(PAYLOAD_TYPE, payload.encode())
    attachments.prune(store)
    made = attachments.attach(
        store,
        f"sha256:{told['subject'][0]['digest']['sha256']}",
        artifact_type,
        [(dsse.ENVELOPE_TYPE, envelope.render())],
        annotations={**annotations, _PREDICATE: told["predicateType"]},
        replaces=lambda entry: entry.artifact_type == artifact_type and replaces(entry),
    )
    return made.digest


def read(store: Store, signer: Signer, digest: str, predicate_type: str, what: str) -> tuple[str, Fields]:
    """Returns the digest of the image that an artifact is about, and what it says, if this signer made it.

    Raises:
        UnderstudyError: it is damaged, another statement, or somebody else's.
    """
    layers = attachments.artifact(store, digest).manifest.layers
    raw: Collection[bytes] = [store.read(layer.digest) for layer in layers]
    if len(raw) != 1:
        raise fields.invalid(what, f"it has {len(raw)} layers, expected 1")
    (envelope,) = (dsse.parse(one) for one in raw)
    payload = signer.check(envelope)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise fields.invalid(what, f"its payload is {envelope.payload_type[:100]}, expected {PAYLOAD_TYPE}")
    top = Fields(fields.document(payload, what), what)
    if (top.text("_type"), top.text("predicateType")) != (STATEMENT_TYPE, predicate_type):
        raise fields.invalid(what, "it is another statement")
    (subject,) = top.mappings("subject")[:1] or ({},)
    about = Fields(Fields(subject, what).mapping("digest"), what)
    image = digests.parse(f"sha256:{about.text('sha256', required=True)}")
    return image, Fields(top.mapping("predicate"), what)
