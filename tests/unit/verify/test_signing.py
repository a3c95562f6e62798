import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.verify import dsse
from understudy.verify.dsse import SignatureError
from understudy.verify.signing import Key


def test_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "proof-key.pem"
    first, second = Key.load(path), Key.load(path)
    assert first.key_id == second.key_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["proof-key.pem"]


def test_processes_that_come_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "proof-key.pem"
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(Key.load(path).key_id)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_signed_payload_comes_back(tmp_path: Path) -> None:
    key = Key.load(tmp_path / "key.pem")
    envelope = key.sign("application/x", b"payload")
    assert key.check(dsse.parse(envelope.render())) == b"payload"


def test_changed_payload_type_or_foreign_key_is_refused(tmp_path: Path) -> None:
    key, other = Key.load(tmp_path / "key.pem"), Key.load(tmp_path / "other.pem")
    envelope = key.sign("application/x", b"payload")
    for changed in (replace(envelope, payload=b"other"), replace(envelope, payload_type="application/y")):
        with pytest.raises(SignatureError):
            key.check(changed)
    with pytest.raises(SignatureError):
        other.check(replace(envelope, key_id=other.key_id))


@pytest.mark.parametrize("content", [b"", b"no key\n"], ids=["empty", "text"])
def test_a_damaged_key_file_is_told_with_the_cure(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(UnderstudyError, match="holds no ed25519 key") as raised:
        Key.load(path)
    assert raised.value.hint.startswith(f"rm {path}")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    path = tmp_path / "key.pem"
    path.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(UnderstudyError, match="ed25519"):
        Key.load(path)
