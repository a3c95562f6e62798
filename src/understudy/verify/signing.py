"""The project's signing key: made at first use, kept with the project's state, readable by its owner alone.

Refuses to be more than it is: whoever can read the key can sign. It tells this project's proofs from anybody
else's and from damaged ones; it does not say who ran the verification (docs/decisions/0040).
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from understudy.errors import UnderstudyError
from understudy.verify import dsse
from understudy.verify.dsse import Envelope, SignatureError


class Key:
    """A private signing key and its public half.

    Attributes:
        key_id: names the public half: SHA-256 over its SubjectPublicKeyInfo.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        der = self._public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key_id = hashlib.sha256(der).hexdigest()

    @classmethod
    def load(cls, path: Path) -> Self:
        """The key in a file, made at its first use; only its owner can read it.

        Raises:
            UnderstudyError: the file holds no ed25519 key.
        """
        with contextlib.suppress(FileExistsError):
            _create(path)
        found = cls.parse(path.read_bytes())
        if found is None:
            raise _damaged(path)
        return found

    @classmethod
    def parse(cls, pem: bytes) -> Self | None:
        """The key in a PEM text; None when that holds no ed25519 key without a passphrase."""
        try:
            found = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            return None
        return cls(found) if isinstance(found, Ed25519PrivateKey) else None

    def sign(self, payload_type: str, payload: bytes) -> Envelope:
        """Returns the payload in an envelope signed by this key."""
        signature = self._private.sign(dsse.pre_authentication(payload_type, payload))
        return Envelope(payload_type=payload_type, payload=payload, key_id=self.key_id, signature=signature)

    def check(self, envelope: Envelope) -> bytes:
        """Returns the payload of an envelope that this key signed.

        Raises:
            SignatureError: another key did, or the payload or its type was changed.
        """
        try:
            self._public.verify(
                envelope.signature, dsse.pre_authentication(envelope.payload_type, envelope.payload)
            )
        except InvalidSignature as exc:
            raise SignatureError(
                "signature-wrong",
                f"the envelope of key {envelope.key_id[:12] or '(none)'} is not signed by {self.key_id[:12]}",
                hint="./understudy verify, which signs anew",
            ) from exc
        return envelope.payload


def _create(path: Path) -> None:
    """Makes a key file; two processes that do so at once end up with one and the same key.

    Raises:
        FileExistsError: there is one.
    """
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, text)
        os.fsync(fd)
        # A link, not a rename: whoever comes second keeps the key that is there.
        os.link(draft, path)
    finally:
        os.close(fd)
        draft.unlink()


def _damaged(path: Path) -> UnderstudyError:
    return UnderstudyError(
        "proof-key",
        f"{path} holds no ed25519 key in PEM",
        hint=f"rm {path}; the next verify makes a new one, and older proofs count no more",
        where=str(path),
    )
