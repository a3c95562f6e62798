"""Reports under a name, kept as JSON, so that a later one can be compared with them."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from understudy.coldstart.model import (
    Condition,
    Deployed,
    Host,
    LayerTouched,
    Report,
    Sample,
    Series,
    Touched,
    Tried,
    Verdict,
)
from understudy.coldstart.watched import ModuleCost, Phase, Profile, Span, Step, Suggestion
from understudy.errors import UnderstudyError
from understudy.image import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,79}\Z")


def save(folder: Path, name: str, report: Report) -> Path:
    """Keeps a report, in the place of an earlier one of that name, and returns its file.

    Raises:
        UnderstudyError: the name cannot be a file's.
    """
    path = _path(folder, name)
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write(path, json.dumps(dataclasses.asdict(report), indent=1).encode())
    return path


def load(folder: Path, name: str) -> Report:
    """The report of that name.

    Raises:
        UnderstudyError: there is none, or its file is damaged.
    """
    path = _path(folder, name)
    try:
        return _report(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as exc:
        known = ", ".join(sorted(one.stem for one in folder.glob("*.json"))) or "none"
        raise UnderstudyError(
            "coldstart-report-missing",
            f"no report was saved as {name}; there are: {known}",
            hint=f"./understudy coldstart --save {name}",
        ) from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise UnderstudyError(
            "coldstart-report-damaged",
            f"{path} holds no report of this version",
            hint=f"measure again: ./understudy coldstart --save {name}",
        ) from exc


def _path(folder: Path, name: str) -> Path:
    if not _NAME.match(name):
        raise UnderstudyError(
            "coldstart-report-name",
            f"{name!r} cannot name a report",
            hint="write letters, digits, dots, dashes and underscores",
        )
    return folder / f"{name}.json"


def _report(fields: dict[str, Any]) -> Report:
    profile = fields["profile"]
    calibration = fields["calibration"]
    deployed = fields.get("deployed")
    return Report(
        **{
            **fields,
            "host": Host(**fields["host"]),
            "series": tuple(map(_series, fields["series"])),
            "calibration": _series(calibration) if calibration else None,
            "profile": _profile(profile) if profile else None,
            "suggestions": tuple(Suggestion(**one) for one in fields["suggestions"]),
            "tried": tuple(map(_tried, fields["tried"])),
            "touched": _touched(fields["touched"]) if fields["touched"] else None,
            "notes": tuple(fields["notes"]),
            "deployed": Deployed(**{**deployed, "series": _series(deployed["series"])}) if deployed else None,
            "verdicts": tuple(Verdict(**one) for one in fields.get("verdicts", ())),
        }
    )


def _tried(fields: Mapping[str, Any]) -> Tried:
    series = fields["series"]
    return Tried(**{**fields, "series": _series(series) if series else None})


def _touched(fields: Mapping[str, Any]) -> Touched:
    return Touched(layers=tuple(LayerTouched(**one) for one in fields["layers"]))


def _series(fields: Mapping[str, Any]) -> Series:
    return Series(
        condition=Condition(**fields["condition"]),
        samples=tuple(Sample(**one) for one in fields["samples"]),
    )


def _profile(fields: Mapping[str, Any]) -> Profile:
    return Profile(
        **{
            **fields,
            "phases": tuple(Phase(**one) for one in fields["phases"]),
            "modules": tuple(ModuleCost(**one) for one in fields["modules"]),
            "clients": tuple(Span(**one) for one in fields["clients"]),
            "first_request": tuple(Step(**one) for one in fields["first_request"]),
            "network": tuple(fields["network"]),
            "spans": tuple(Span(**one) for one in fields["spans"]),
        }
    )
