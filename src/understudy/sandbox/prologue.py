"""Has a program run in the image's Python before anything of the image does: laid over its ``sitecustomize``.

The image itself stays as it is: the files are laid over its root for one sandbox. Refuses nothing: an image
whose Python is not found gets no files, and the caller says what that means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.image import rootfs_view

if TYPE_CHECKING:
    from understudy.image.rootfs_view import RootfsView
    from understudy.sandbox.model import SandboxSpec

_CUSTOMIZE = "sitecustomize.py"


def files(view: RootfsView, spec: SandboxSpec, program: str, *, stdlib: str = "") -> dict[str, str]:
    """What to lay over the image, path to content: `program` in the place of every ``sitecustomize``.

    One that the image has is run after it.

    Args:
        view: of the image.
        spec: how it is started.
        program: source for the image's Python; any version from 3.8.
        stdlib: standard library of the image's Python, where it is known; looked for otherwise.
    """
    libraries = [stdlib] if stdlib else rootfs_view.standard_libraries(view, spec.entrypoint)
    if not libraries:
        return {}
    first = [folder for folder in spec.environment.get("PYTHONPATH", "").split(":") if folder[:1] == "/"]
    shadowing = [folder for folder in first if view.text(f"{folder}/{_CUSTOMIZE}") is not None]
    found = {}
    for folder in (*shadowing, *libraries):
        place = view.resolve(f"{folder}/{_CUSTOMIZE}") or f"{folder}/{_CUSTOMIZE}"
        own = view.text(place)
        found[place] = program if own is None else f"{program}exec(compile({own!r}, {place!r}, 'exec'))\n"
    return found
