"""Builds the images of the cases in one store and verifies them; layers are shared, the base is one."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.contract import base_store
from tests.fakes.build_world import Bases
from tests.images.case import BASE, Case
from understudy.image import builder
from understudy.image.builder import BuildRequest
from understudy.image.builder.env import Host
from understudy.image.model import Image
from understudy.image.store import Store
from understudy.verify import run
from understudy.verify.model import Finding, Severity
from understudy.verify.report import Report

_PAST = 1_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where the images of one test run are made.

    Attributes:
        folder: for contexts, facts and mount points.
        store: with the stand-in base.
        bases: what FROM may name.
    """

    folder: Path
    store: Store
    bases: Bases

    def build(self, case: Case) -> Image:
        """Returns the image of a case, before it is damaged."""
        context = self.folder / "contexts" / case.name
        context.mkdir(parents=True, exist_ok=True)
        for name, content in case.files.items():
            place = context / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
            place.chmod(0o644)
            os.utime(place, (_PAST, _PAST))
        dockerfile = self.folder / "contexts" / f"{case.name}.Dockerfile"
        dockerfile.write_text(case.dockerfile)
        return builder.build(
            BuildRequest(context=context, dockerfile=dockerfile, base_resolver=self.bases),
            store=self.store,
            steps=base_store.runner(),
            progress=lambda _: None,
            host=Host(environment=os.environ),
        )

    def verify(self, case: Case, *, static: bool = False) -> Report:
        """Returns the report on the image of a case."""
        image = self.build(case)
        digest = case.prepare(self.store, image) if case.prepare is not None else image.digest
        return self.look(digest, case, static=static)

    def look(self, digest: str, case: Case, *, static: bool = False) -> Report:
        """Returns the report on an image of the store, run as `case` says."""
        places = run.Places(store=self.store, cache=self.folder / "facts", state=self.folder / "state")
        wanted = run.Request(reference=digest, name=case.name, launch=case.launch, static=static)
        return run.verify(wanted, places)


def opened(folder: Path) -> Workshop:
    """Returns a workshop with the stand-in base in it."""
    store, base = base_store.with_base(folder)
    return Workshop(folder=folder, store=store, bases=Bases(images={BASE: base}))


def above_info(report: Report, source: Literal["static", "boot"]) -> list[Finding]:
    """The findings of one source that a good image does not have."""
    wanted = (one for one in report.findings if one.source == source)
    return [one for one in wanted if one.severity is not Severity.INFO]
