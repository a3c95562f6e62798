"""`python -m understudy.image.base.relock DATE`: renews `lock.json` with Debian's present versions.

A maintainer's command, run when Debian has security updates; the diff of the lock is what gets reviewed.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from understudy.image.base import fetch, lock

if TYPE_CHECKING:
    from collections.abc import Callable


def relocked(old: lock.Lock, snapshot: str, read: Callable[[str], bytes]) -> lock.Lock:
    """Returns `old` with the present versions of the packages that it names.

    Args:
        old: names the packages; its wheels stay.
        snapshot: today, as snapshot.debian.org writes it: 20261122T000000Z.
        read: returns the content of an address.

    Raises:
        KeyError: the suite no longer has a package.
        ValueError: an index does not have the hash that the release file names.
    """
    packages = lock.current([item.name for item in old.packages], read)
    return replace(old, snapshot=snapshot, packages=tuple(packages))


def main(snapshot: str) -> None:
    """Writes the renewed lock.

    Args:
        snapshot: today, as snapshot.debian.org writes it.
    """
    lock.PATH.write_bytes(lock.dump(relocked(lock.load(), snapshot, fetch.read)))


if __name__ == "__main__":
    main(sys.argv[1])
