import os
from dataclasses import replace
from pathlib import Path

from tests.fakes.coldstarts import report
from understudy.coldstart import ledger
from understudy.coldstart.model import Report, Verdict

OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")


def noted(folder: Path, digest: str, init_ms: float, at_s: int) -> Report:
    broken = Verdict(name="cold start", passed=init_ms < 500, detail="")
    found = replace(report(init_ms, init_ms), digest=digest, verdicts=(broken,))
    ledger.note(folder, found)
    path = folder / "history" / "shop" / f"{digest.removeprefix('sha256:')}.json"
    os.utime(path, (at_s, at_s))
    return found


def test_each_digest_has_its_last_report_the_newest_first(tmp_path: Path) -> None:
    noted(tmp_path, OLD, 90.0, 1)
    old = noted(tmp_path, OLD, 100.0, 2)
    noted(tmp_path, NEW, 1000.0, 3)
    ledger.accept(tmp_path, "shop", OLD)

    first, second = ledger.entries(tmp_path, "shop")

    assert (first.digest, first.is_accepted, first.broken) == (NEW, False, ("cold start",))
    assert (second.digest, second.is_accepted, second.broken) == (OLD, True, ())
    assert (second.runs, second.init_ms, second.total_ms) == (2, 100.0, 110.0)
    assert second.measured_at == "1970-01-01T00:00:02+00:00"
    assert ledger.find(tmp_path, "shop", OLD) == ledger.accepted(tmp_path, "shop") == old


def test_what_was_never_measured_or_accepted_is_nothing(tmp_path: Path) -> None:
    assert list(ledger.entries(tmp_path, "shop")) == []
    assert ledger.find(tmp_path, "shop", OLD) is None
    assert ledger.accepted(tmp_path, "shop") is None
    ledger.accept(tmp_path, "shop", OLD)
    assert ledger.accepted(tmp_path, "shop") is None


def test_what_another_version_wrote_was_never_measured(tmp_path: Path) -> None:
    noted(tmp_path, OLD, 100.0, 1)
    (path,) = tmp_path.glob("history/shop/*.json")
    path.write_text("{}")
    assert ledger.find(tmp_path, "shop", OLD) is None
    assert list(ledger.entries(tmp_path, "shop")) == []
