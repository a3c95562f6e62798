"""What installers put into an image: each distribution with its files and what it requires.

Read from what they leave beside the modules (RECORD, PEP 376; METADATA). One without a list of files is told
without any. Bytecode belongs to the source that it was made from, though no RECORD lists it.
"""

from __future__ import annotations

import contextlib
import csv
import os
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging import requirements
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from understudy.coldstart import owners
from understudy.image.rootfs_view import standard_libraries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from understudy.image.rootfs import Rootfs
    from understudy.image.rootfs_view import RootfsView

_BOOTSTRAP = "/var/runtime/bootstrap"
_EXTRA = re.compile(r"""\bextra\s*==\s*['"](?P<name>[\w.-]+)['"]""")
_PLUGINS = "/entry_points.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One Requires-Dist line.

    Attributes:
        key: of what is required.
        extras: that are asked of it.
        of_extras: those for which alone the line is there; empty for one that always holds. Other markers are
            taken to hold.
    """

    key: str
    extras: frozenset[str] = frozenset()
    of_extras: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One installed distribution.

    Attributes:
        name: as its metadata writes it.
        key: the name as all its spellings share it.
        modules: top-level ones that it provides.
        files: on this machine, with their sizes in bytes; without the list of plugins, which whoever looks
            for one reads of all.
        requires: of others.
        is_base: whether it came with the base image.
    """

    name: str
    key: str
    modules: frozenset[str] = frozenset()
    files: Mapping[Path, int] = field(default_factory=dict)
    requires: tuple[Requirement, ...] = ()
    is_base: bool = False


def load(
    view: RootfsView, rootfs: Rootfs, folders: Iterable[str], *, entrypoint: Sequence[str]
) -> tuple[Installed, ...]:
    """The distributions of an image.

    What lies no higher than the layer that brought the interpreter, pip or AWS's runtime is the base's.

    Args:
        view: of the image.
        rootfs: of the same.
        folders: those that Python imports from; ones that do not exist hold nothing.
        entrypoint: of the image.
    """
    basis = [_BOOTSTRAP]
    for library in standard_libraries(view, entrypoint):
        basis += [f"{library}/os.py", f"{library}/site-packages/pip/__init__.py"]
    highest = max(min(_layers(rootfs, path), default=-1) for path in basis)
    found = []
    for folder in dict.fromkeys(filter(None, map(view.resolve, folders))):
        for name in view.names(folder):
            if name.endswith(".dist-info"):
                info = f"{folder}/{name}"
                is_base = max(_layers(rootfs, f"{info}/METADATA"), default=-1) <= highest
                found.append(_read(view, rootfs, folder, info, is_base=is_base))
    return tuple(found)


def _read(view: RootfsView, rootfs: Rootfs, folder: str, info: str, *, is_base: bool) -> Installed:
    record = view.text(f"{info}/RECORD") or ""
    fields = list(_header(view.text(f"{info}/METADATA") or ""))
    names = [value for field, value in fields if field == "name"]
    name = names[0] if names else posixpath.basename(info).partition("-")[0]
    paths = [posixpath.normpath(f"{folder}/{row[0]}") for row in csv.reader(record.splitlines()) if row]
    places = {
        _place(rootfs, path) for path in (*paths, *_bytecode(view, paths)) if path != f"{info}{_PLUGINS}"
    }
    return Installed(
        name=name,
        key=canonicalize_name(name),
        modules=frozenset(owners.tops(record)),
        files={place: place.lstat().st_size for place in places if place is not None},
        requires=tuple(_requirements(value for field, value in fields if field == "requires-dist")),
        is_base=is_base,
    )


def _header(text: str) -> Iterator[tuple[str, str]]:
    """Fields of a METADATA file; its body, the description, is none."""
    for line in text.partition("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        yield name.strip().lower(), value.strip()


def _requirements(lines: Iterable[str]) -> Iterator[Requirement]:
    """What the lines require; pip reads more dialects than the standard has, and those require nothing."""
    for line in lines:
        with contextlib.suppress(InvalidRequirement):
            found = requirements.Requirement(line)
            yield Requirement(
                key=canonicalize_name(found.name),
                extras=frozenset(map(canonicalize_name, found.extras)),
                of_extras=frozenset(
                    canonicalize_name(one["name"]) for one in _EXTRA.finditer(str(found.marker))
                ),
            )


def _bytecode(view: RootfsView, paths: Sequence[str]) -> Iterator[str]:
    sources = {path for path in paths if path.endswith(".py")}
    for folder in dict.fromkeys(map(posixpath.dirname, sources)):
        for name in view.names(f"{folder}/__pycache__"):
            if f"{folder}/{name.partition('.')[0]}.py" in sources:
                yield f"{folder}/__pycache__/{name}"


def _place(rootfs: Rootfs, path: str) -> Path | None:
    """The file of this machine that the image shows at `path`."""
    number = max(_layers(rootfs, path), default=-1)
    return rootfs.layers[number] / path.lstrip("/") if number >= 0 else None


def _layers(rootfs: Rootfs, path: str) -> Iterator[int]:
    """Numbers of the layers that have something at `path`, from the base up."""
    for number, layer in enumerate(rootfs.layers):
        if os.path.lexists(layer / path.lstrip("/")):
            yield number
