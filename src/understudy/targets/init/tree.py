"""The files of a repository that say what its service is: code, Dockerfiles, requirements; read once."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from understudy.errors import UnderstudyError

_SKIPPED = frozenset({"node_modules", "venv", "site-packages", "__pycache__", "cdk.out"})
_SKIPPED_AT_TOP = frozenset({"build", "dist", "deploy"})
_TESTS = frozenset({"tests", "test"})
_NAMES = frozenset(
    {"pyproject.toml", "uv.lock", "poetry.lock", "Pipfile", ".env.example", ".env.sample", ".env.template"}
    | {".dockerignore", ".gitignore", "understudy.yaml"}
)
_LARGEST_BYTES = 1_000_000
_MOST_FILES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Texts by path.

    Attributes:
        name: of the repository's folder.
        texts: what was read, by path relative to the repository.
        paths: every file that is there, read or not.
        folders: every folder that is there.
    """

    name: str
    texts: Mapping[str, str]
    paths: frozenset[str]
    folders: frozenset[str] = field(default=frozenset())

    def has(self, path: str) -> bool:
        """Whether a file or folder is there; the empty path is the repository itself."""
        return path in ("", ".") or path in self.paths or path in self.folders

    def python(self) -> dict[str, str]:
        """The Python modules, tests left out, by path."""
        return {path: text for path, text in self.texts.items() if path.endswith(".py") and not is_test(path)}

    def dockerfiles(self) -> tuple[str, ...]:
        """The Dockerfiles, those nearest to the root first."""
        found = [path for path in self.texts if is_dockerfile(path)]
        return tuple(sorted(found, key=lambda path: (path.count("/"), path)))


def is_test(path: str) -> bool:
    """Whether a path is a test's."""
    parts = PurePosixPath(path).parts
    return bool(_TESTS & set(parts[:-1])) or parts[-1].startswith("test_") or parts[-1] == "conftest.py"


def is_dockerfile(path: str) -> bool:
    """Whether a path is a Dockerfile's, by one of its usual names."""
    name = PurePosixPath(path).name.lower()
    return not name.endswith(".dockerignore") and (
        name.startswith("dockerfile") or name.endswith(".dockerfile")
    )


def read(root: Path) -> Tree:
    """The repository in `root`.

    Raises:
        UnderstudyError: it is no folder, or holds more files than a service has.
    """
    if not root.is_dir():
        raise UnderstudyError("init-folder", f"{root} is no folder", hint="understudy init FOLDER")
    paths: set[str] = set()
    folders: set[str] = set()
    texts: dict[str, str] = {}
    for folder, names in _walk(root):
        if folder:
            folders.add(folder)
        for name in names:
            path = f"{folder}/{name}" if folder else name
            paths.add(path)
            if _is_read(name):
                text = _text(root / path)
                if text is not None:
                    texts[path] = text
        if len(paths) > _MOST_FILES:
            raise UnderstudyError(
                "init-too-large",
                f"{root} holds more than {_MOST_FILES} files",
                hint="name the folder of one service: understudy init services/NAME",
            )
    return Tree(name=root.resolve().name, texts=texts, paths=frozenset(paths), folders=frozenset(folders))


def _walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    for place, below, names in os.walk(root):
        folder = Path(place)
        below[:] = sorted(name for name in below if _is_walked(folder / name, at_top=folder == root))
        relative = folder.relative_to(root).as_posix()
        yield "" if relative == "." else relative, sorted(names)


def _is_walked(folder: Path, *, at_top: bool) -> bool:
    """Whether a folder may hold the service's own files; a virtual environment of any name does not."""
    name = folder.name
    if name in _SKIPPED or name.startswith(".") or name.endswith(".egg-info"):
        return False
    return not (at_top and name in _SKIPPED_AT_TOP) and not (folder / "pyvenv.cfg").exists()


def _is_read(name: str) -> bool:
    is_requirements = name.startswith("requirements") and name.endswith((".txt", ".in"))
    return name.endswith(".py") or name in _NAMES or is_requirements or is_dockerfile(name)


def _text(path: Path) -> str | None:
    """The file's text; None for one that is too large, unreadable, or no text."""
    try:
        return path.read_text("utf-8") if path.stat().st_size <= _LARGEST_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None
