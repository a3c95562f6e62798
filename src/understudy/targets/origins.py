"""From a place in an image to the line that people edit: the Dockerfile, a copied source, a manifest.

Reads files of the project, once each. Refuses to guess a line: what cannot be traced is the file as a whole.
"""

import functools
import re
from pathlib import Path, PurePosixPath

from understudy.errors import UnderstudyError
from understudy.image import dockerfile
from understudy.image.dockerfile.model import Instruction, Workdir
from understudy.targets.launches import FunctionLaunch
from understudy.targets.project import ImageSection
from understudy.verify.model import Place
from understudy.verify.render.words import Source

_TASK_ROOT = "/var/task"
_CONFIG = frozenset({"CMD", "ENTRYPOINT", "ENV", "USER", "WORKDIR"})
# Fields of the function as findings name them, and as manifests write them.
_FUNCTION = {
    "Architectures": "architectures",
    "Environment": "environment",
    "EphemeralStorage": "ephemeralStorage",
    "ImageConfig": "imageConfig",
    "MemorySize": "memorySize",
    "SnapStart": "snapStart",
    "Timeout": "timeout",
}


class Origins:
    """Finds sources for one image as one function runs it."""

    def __init__(self, root: Path, section: ImageSection, launch: FunctionLaunch) -> None:
        self._root = root
        self._section = section
        self._launch = launch

    def locate(self, place: Place) -> Source:
        """The line to edit; the Dockerfile as a whole where nothing closer is known."""
        head = place.path.partition(".")[0]
        if head in _FUNCTION and self._launch.where:
            return self._manifest_line(_FUNCTION[head], place.path.rpartition(".")[2])
        copied = self._copied(place.path)
        if copied:
            return Source(path=copied, line=place.line)
        return Source(path=self._section.dockerfile, line=self._instruction_line(place))

    def _copied(self, path: str) -> str:
        """The file of the context that lies below it as `path` lies below the code's root; empty for none."""
        for root in self._roots:
            if PurePosixPath(path).is_relative_to(root) and path != str(root):
                found = PurePosixPath(self._section.context, PurePosixPath(path).relative_to(root))
                if (self._root / found).is_file():
                    return str(found)
        return ""

    @functools.cached_property
    def _roots(self) -> tuple[PurePosixPath, ...]:
        """Where the user's code lies in the image: the working directory, and AWS's task root."""
        set_there = [
            one.path for one in self._instructions if isinstance(one, Workdir) and "$" not in one.path
        ]
        named = [self._launch.overrides.working_dir or "", *reversed(set_there), _TASK_ROOT]
        return tuple(
            PurePosixPath(path) for path in dict.fromkeys(named) if path.startswith("/") and path != "/"
        )

    def _instruction_line(self, place: Place) -> int:
        instructions = self._instructions
        if not instructions:
            return 0
        wanted = _flat(place.instruction)
        same = [one.at.line for one in instructions if wanted and _flat(one.at.source) == wanted]
        if same:
            return same[-1]
        keyword = place.path.partition(" ")[0]
        if keyword in _CONFIG:
            named = [one.at.line for one in instructions if one.at.keyword == keyword]
            return named[-1] if named else 0
        # A layer that no instruction of the file made is the base's.
        bases = [one.at.line for one in instructions if one.at.keyword == "FROM"]
        return bases[-1] if place.layer >= 0 else 0

    @functools.cached_property
    def _instructions(self) -> tuple[Instruction, ...]:
        """The instructions in their order; none when the Dockerfile cannot be read any more."""
        try:
            text = (self._root / self._section.dockerfile).read_text()
            found = dockerfile.parse(text, path=self._section.dockerfile)
        except (OSError, UnicodeDecodeError, UnderstudyError):
            return ()
        return tuple(one for stage in found.stages for one in (stage.base, *stage.instructions))

    def _manifest_line(self, field: str, last: str) -> Source:
        """The line of a field in the function's document, of its last part when that is written there too."""
        path, _, line = self._launch.where.rpartition(":")
        first = int(line) if line.isdigit() else 1
        try:
            lines = (self._root / path).read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return Source(path=path or self._launch.where)
        wanted = [re.compile(rf"\s*-?\s*{re.escape(name)}\s*:") for name in (last, field)]
        for pattern in wanted:
            for number, text in enumerate(lines[first - 1 :], start=first):
                if number > first and text.strip() == "---":
                    break
                if pattern.match(text):
                    return Source(path=path, line=number)
        return Source(path=path, line=first)


def _flat(text: str) -> str:
    return " ".join(text.split())
