"""Where a project keeps what understudy makes: everything below ``.understudy/``, nothing outside it."""

from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UnderstudyError

PROJECT_FILE = "understudy.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders of one project; `root` holds ``understudy.yaml``."""

    root: Path

    @property
    def state(self) -> Path:
        """All local state; safe to delete when nothing runs."""
        return self.root / ".understudy"

    @property
    def store(self) -> Path:
        """Images, layers and the build cache."""
        return self.state / "store"

    @property
    def run(self) -> Path:
        """What belongs to the running stack: its record, locks, sockets and logs."""
        return self.state / "run"

    @property
    def cache(self) -> Path:
        """What can be made again, such as the delegate's virtual environment."""
        return self.state / "cache"

    @property
    def facts(self) -> Path:
        """What `verify` knows of layers that it has read."""
        return self.cache / "verify"

    @property
    def cold_starts(self) -> Path:
        """Reports of cold starts, by name, and by image and digest."""
        return self.state / "coldstart"

    def apply_lock(self, target: str) -> Path:
        """Held by whatever writes to a target."""
        return self.state / f"apply-{target}.lock"

    @property
    def sandboxes(self) -> Path:
        """Scratch space of execution environments and build steps."""
        return self.state / "sandboxes"


def find(start: Path) -> Layout:
    """Returns the layout of the project that `start` lies in; the project file is not read.

    Raises:
        UnderstudyError: neither `start` nor a folder above it holds a project file.
    """
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return Layout(root=folder)
    raise UnderstudyError(
        "project-missing",
        f"neither {start} nor a folder above it holds {PROJECT_FILE}",
        hint=f"run the command where {PROJECT_FILE} is",
    )
