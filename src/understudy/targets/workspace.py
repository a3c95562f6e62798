"""A project on this machine: where it lies, what its file says, and which commit it is at."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.manifests import errors
from understudy.targets import layout, project
from understudy.targets.layout import Layout
from understudy.targets.project import ImageSection, Project

_SHORT_SHA = 12
_REF = "ref: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A checkout with a project file."""

    root: Path
    project: Project

    @property
    def layout(self) -> Layout:
        """Where this project keeps its state."""
        return Layout(root=self.root)

    def image(self, name: str) -> ImageSection:
        """The image of that name in the project file.

        Raises:
            UnderstudyError: there is none; the hint names the nearest.
        """
        images = self.project.images
        if name not in images:
            close = errors.nearest(name, images)
            raise UnderstudyError(
                "image-unknown",
                f"image {name} is not in the project file, which has: {', '.join(sorted(images)) or 'none'}",
                hint=f"write {close}" if close else f"add images.{name} to {layout.PROJECT_FILE}",
                where=f"{layout.PROJECT_FILE}, images",
            )
        return images[name]

    def first_image(self) -> str:
        """The name of the first image in the project file.

        Raises:
            UnderstudyError: there is none.
        """
        for name in self.project.images:
            return name
        raise UnderstudyError(
            "image-none",
            "the project file names no image",
            hint=f"add one below images: in {layout.PROJECT_FILE}, or name a function",
            where=f"{layout.PROJECT_FILE}, images",
        )

    def git_sha(self) -> str:
        """The short commit id; empty outside a git checkout.

        ``-dirty`` stands behind it when files differ, ``-unchecked`` where there is no git to tell.
        """
        sha = self._git("rev-parse", f"--short={_SHORT_SHA}", "HEAD")
        if not sha:
            head = self._head()
            return f"{head[:_SHORT_SHA]}-unchecked" if head else ""
        return f"{sha}-dirty" if self._git("status", "--porcelain", "--untracked-files=no") else sha

    def _head(self) -> str:
        """The commit that is checked out, read without git: in a container there is none."""
        folder = self.root / ".git"
        try:
            head = (folder / "HEAD").read_text().strip()
            if not head.startswith(_REF):
                return head
            ref = folder / head.removeprefix(_REF)
            if ref.exists():
                return ref.read_text().strip()
            packed = (folder / "packed-refs").read_text().splitlines()
        except OSError:
            return ""
        return next((line.split()[0] for line in packed if line.endswith(f" {head.removeprefix(_REF)}")), "")

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""


def find(start: Path) -> Workspace:
    """Returns the project that `start` lies in: the nearest folder upwards with a project file.

    Raises:
        UnderstudyError: there is none, or its project file is wrong.
    """
    root = layout.find(start).root
    return Workspace(root=root, project=project.load(root / layout.PROJECT_FILE))
