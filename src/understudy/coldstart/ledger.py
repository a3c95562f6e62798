"""What each digest of an image was measured at, and which one was accepted as the measure of later ones.

One file for each image and digest: measuring again replaces it. Kept below the folder of saved reports.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.coldstart import history
from understudy.errors import UnderstudyError
from understudy.image import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from understudy.coldstart.model import Report

_FOLDER = "history"
_ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One digest's last report, in short.

    Attributes:
        digest: of the image.
        measured_at: ISO 8601, UTC.
        runs: cold starts.
        init_ms: median.
        total_ms: median of init and the first request.
        is_accepted: whether later ones are held against it.
        broken: lines of the budget that it broke.
    """

    digest: str
    measured_at: str
    runs: int
    init_ms: float
    total_ms: float
    is_accepted: bool
    broken: tuple[str, ...] = ()


def note(folder: Path, report: Report) -> None:
    """Keeps a report, without its profile, as its digest's; `folder` is that of saved reports."""
    slim = dataclasses.replace(report, profile=None)
    history.save(_of_image(folder, report.image), _hex(report.digest), slim)


def accept(folder: Path, image: str, digest: str) -> None:
    """Makes a digest the one that later ones are held against."""
    place = _of_image(folder, image)
    place.mkdir(parents=True, exist_ok=True)
    atomic.write(place / _ACCEPTED, digest.encode())


def accepted(folder: Path, image: str) -> Report | None:
    """The report of the digest that was accepted last; `None` when none was, or it was never measured."""
    digest = _accepted_digest(_of_image(folder, image))
    return find(folder, image, digest) if digest else None


def find(folder: Path, image: str, digest: str) -> Report | None:
    """The report of a digest; `None` when it was never measured, or by another version of understudy."""
    place = _of_image(folder, image)
    try:
        return history.load(place, _hex(digest))
    except UnderstudyError:
        return None


def entries(folder: Path, image: str) -> Iterator[Entry]:
    """Yields what was measured by this version of understudy, the newest first."""
    place = _of_image(folder, image)
    accepted_digest = _accepted_digest(place)
    for path in sorted(place.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        report = find(folder, image, path.stem)
        if report is None:
            continue
        headline = report.series[0]
        yield Entry(
            digest=report.digest,
            measured_at=dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).isoformat(timespec="seconds"),
            runs=len(headline.samples),
            init_ms=headline.spread("init_ms").median,
            total_ms=headline.spread("total_ms").median,
            is_accepted=report.digest == accepted_digest,
            broken=tuple(one.name for one in report.verdicts if not one.passed),
        )


def _of_image(folder: Path, image: str) -> Path:
    return folder / _FOLDER / image


def _accepted_digest(place: Path) -> str:
    try:
        return (place / _ACCEPTED).read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def _hex(digest: str) -> str:
    return digest.rpartition(":")[2]
