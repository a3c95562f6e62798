"""Plays a whole verification: remembers what was asked, and answers as told."""

from dataclasses import replace
from typing import Any

from tests.fakes import findings
from understudy.verify import run, subject
from understudy.verify.report import Report
from understudy.verify.run import Request


class Runs:
    """Plays `run.verify`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.findings: tuple[Any, ...] = ()
        self.boot: Any = findings.BOOT

    def __call__(self, request: Request, places: run.Places, progress: run.Progress) -> Report:
        self.requests.append(request)
        made = findings.report(self.findings, boot=self.boot, allowed=request.allowed)
        try:
            image = places.store.image(request.reference)
        except Exception:  # noqa: BLE001 - an image that is not in the store
            return replace(made, reference=request.reference)
        launch = subject.effective_launch(image.config, request.launch)
        return replace(made, reference=request.name, digest=image.digest, launch=launch)
