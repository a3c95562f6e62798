"""Tries changes on scratch copies of an image, so that a saving is measured and not only predicted.

Nothing of the project is touched: the copies live in the store until it is collected.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.coldstart import changes
from understudy.errors import UnderstudyError
from understudy.image import builder, rootfs
from understudy.image.builder import BuildRequest, ResolvedBase
from understudy.image.rootfs_view import RootfsView
from understudy.sandbox import prologue
from understudy.sandbox.steps import NamespaceStepRunner

if TYPE_CHECKING:
    from understudy.coldstart.changes import Change
    from understudy.coldstart.model import Subject
    from understudy.image.model import Image
    from understudy.image.store import Store

_BASE = "understudy.local/measured"


class _Only:
    """Resolves every FROM line to one image."""

    def __init__(self, image: Image) -> None:
        self._image = image

    def resolve(self, ref: str, platform: str) -> ResolvedBase:  # noqa: ARG002 - one image
        """Returns it."""
        return ResolvedBase(image=self._image)


def changed(subject: Subject, change: Change, store: Store, state_dir: Path) -> Subject:
    """The subject with the change made.

    Args:
        subject: as it is.
        change: to make.
        store: holds the image; the changed one is put there.
        state_dir: folder for the build's sandboxes.

    Raises:
        UnderstudyError: the change cannot be made.
    """
    text = changes.program(change)
    if text:
        laid = prologue.files(RootfsView(subject.spec.rootfs), subject.spec, text)
        if not laid:
            raise UnderstudyError(
                "what-if-impossible",
                f"{change} needs Python, and none was found in image {subject.image}",
                hint=f"leave --what-if {change} out",
            )
        return dataclasses.replace(
            subject, spec=dataclasses.replace(subject.spec, files={**subject.spec.files, **laid})
        )
    base = store.image(subject.digest)
    steps = NamespaceStepRunner(state_dir)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in changes.build_files(change, subject.spec, base=_BASE).items():
            Path(folder, name).write_text(content, encoding="utf-8")
        request = BuildRequest(
            context=Path(folder),
            dockerfile=Path(folder, "Dockerfile"),
            base_resolver=_Only(base),
            platform=f"{base.config.os}/{base.config.architecture}",
        )
        try:
            image = builder.build(request, store=store, steps=steps, progress=lambda _: None)
        finally:
            steps.close()
    spec = dataclasses.replace(subject.spec, rootfs=rootfs.prepare(store, image.digest))
    return dataclasses.replace(subject, digest=image.digest, spec=spec)
