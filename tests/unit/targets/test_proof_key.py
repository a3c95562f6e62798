from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.targets import proof_key
from understudy.targets.layout import Layout
from understudy.verify.signing import Key


def test_a_project_makes_its_own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(proof_key.VARIABLE, raising=False)
    layout = Layout(root=tmp_path)
    assert proof_key.load(layout).key_id == proof_key.load(layout).key_id
    assert (layout.state / "proof-key.pem").exists()


def test_machines_share_a_key_in_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Key.load(tmp_path / "ci.pem")
    monkeypatch.setenv(proof_key.VARIABLE, (tmp_path / "ci.pem").read_text())
    found = proof_key.load(Layout(root=tmp_path / "project"))
    assert found.key_id == shared.key_id
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("text", ["nonsense", "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----"])
def test_what_is_no_key_is_told_and_not_shown(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(proof_key.VARIABLE, text)
    with pytest.raises(UnderstudyError) as caught:
        proof_key.load(Layout(root=tmp_path))
    assert caught.value.code == "proof-key"
    assert text not in str(caught.value)
