"""Distributions of an image that a start and its requests leave alone.

One is left alone when no file of it was opened, no code names it that is the user's or was loaded, and no
distribution requires it that is not left alone. What came with the base is not the user's to take out. That
is not to be unused: another request, a plugin or a tool may need it, so this speaks of what was measured.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.coldstart import installed, measure, mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from understudy.coldstart.installed import Installed
    from understudy.coldstart.model import Condition, Subject
    from understudy.coldstart.owners import Owners
    from understudy.coldstart.watched import Recording
    from understudy.image.rootfs_view import RootfsView
    from understudy.sandbox import Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One that was left alone, with those that nothing else requires.

    Attributes:
        name: of the distribution.
        along: names of those that are there for it alone, left alone as well.
        size_bytes: of all their files.
    """

    name: str
    along: tuple[str, ...]
    size_bytes: int


async def look(
    view: RootfsView,
    subject: Subject,
    condition: Condition,
    recording: Recording,
    whose: Owners,
    executor: Executor,
) -> tuple[Leftover, ...]:
    """What one more cold start and two requests leave alone; nothing where one fails, or no code was found.

    Args:
        view: of the image.
        subject: of the same.
        condition: memory and CPU.
        recording: of another start of it.
        whose: the modules are, and the folders that they lie in.
        executor: isolates.

    Raises:
        UnderstudyError: it does not start.
    """
    spec = subject.spec
    present = installed.load(view, spec.rootfs, whose.folders, entrypoint=spec.entrypoint)
    opened = await measure.opens(
        subject, condition, [path for one in present for path in one.files], executor
    )
    own: set[str] = set()
    for root in {whose.task_root, spec.working_dir} - {"", "/"}:
        own |= mentions.of_own_code(view, dataclasses.replace(whose, task_root=root))
    if opened is None or not own:
        return ()
    loaded = [span.name for span in recording.spans if span.kind == "import"]
    return find(present, opened=opened, named=own | mentions.of_loaded(view, whose, loaded))


def find(
    present: Sequence[Installed], *, opened: AbstractSet[Path], named: AbstractSet[str]
) -> tuple[Leftover, ...]:
    """What was left alone, the largest first; one that only such ones require is told with the one that does.

    Args:
        present: distributions of the image; one without files is taken to be in use.
        opened: files of which something was read.
        named: modules that code names.
    """
    kept = [
        one
        for one in present
        if one.is_base or not one.files or one.modules & named or not opened.isdisjoint(one.files)
    ]
    needed = _closure((one.key for one in kept), present)
    alone = {one.key: one for one in present if one.key not in needed}
    reach = {key: _closure([key], present) & alone.keys() for key in alone}
    roots = [key for key in alone if _is_root(key, reach)]
    found = []
    for root in roots:
        others = set().union(*(reach[other] for other in roots if other != root))
        along = sorted(reach[root] - others - {root})
        found.append(_leftover(alone[root], [alone[key] for key in along]))
    return tuple(sorted(found, key=lambda one: -one.size_bytes))


def _is_root(key: str, reach: Mapping[str, AbstractSet[str]]) -> bool:
    """Whether none requires it, or only such as it requires itself, of which it is the first by name."""
    return all(other in reach[key] and key <= other for other in reach if key in reach[other])


def _closure(keys: Iterable[str], present: Sequence[Installed]) -> set[str]:
    """These and all that they require, extras that they ask of each other included."""
    asked: dict[str, set[str]] = {}
    waiting = [(key, frozenset[str]()) for key in keys]
    while waiting:
        key, extras = waiting.pop()
        if key in asked and extras <= asked[key]:
            continue
        asked.setdefault(key, set()).update(extras)
        for one in present:
            if one.key == key:
                waiting += [
                    (need.key, need.extras)
                    for need in one.requires
                    if not need.of_extras or need.of_extras & asked[key]
                ]
    return set(asked)


def _leftover(root: Installed, along: Sequence[Installed]) -> Leftover:
    return Leftover(
        name=root.name,
        along=tuple(one.name for one in along),
        size_bytes=sum(sum(one.files.values()) for one in (root, *along)),
    )
