"""Which Debian packages and wheels the stand-in base is made of, by hash.

`lock.json` is the answer for this version of understudy: one lock, one digest, today and next year.
Debian's mirrors drop a version when a newer one enters the suite; `snapshot.debian.org` keeps it. Where
neither has it, the suite's present version is taken and said so. `python -m understudy.image.base.relock`
writes the lock anew.
"""

from __future__ import annotations

import json
import lzma
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from understudy.image import digests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Fetch = Callable[[str], bytes]

PATH: Final = Path(__file__).with_name("lock.json")
MIRROR: Final = "https://deb.debian.org"
_SNAPSHOT: Final = "https://snapshot.debian.org/archive"
_INDEX: Final = "main/binary-amd64/Packages.xz"
_SUITES: Final = (("debian", "trixie"), ("debian-security", "trixie-security"))
_RELEASE_LINE: Final = re.compile(r"^ ([0-9a-f]{64}) +\d+ (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One Debian package.

    Attributes:
        archive: `debian` or `debian-security`.
        path: below the archive.
    """

    name: str
    version: str
    archive: str
    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One distribution from PyPI, by the hash of its wheel for Python 3.13 on x86-64."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Everything that goes into the base.

    Attributes:
        snapshot: when the packages were current, as snapshot.debian.org writes it.
    """

    snapshot: str
    packages: tuple[Package, ...]
    wheels: tuple[Wheel, ...]

    def addresses(self, package: Package) -> tuple[str, ...]:
        """Returns where a package can be had, the nearest first."""
        return (
            f"{MIRROR}/{package.archive}/{package.path}",
            f"{_SNAPSHOT}/{package.archive}/{self.snapshot}/{package.path}",
        )

    @property
    def requirements(self) -> str:
        """The wheels as a requirements file with hashes."""
        return "".join(f"{item.name}=={item.version} --hash=sha256:{item.sha256}\n" for item in self.wheels)


def load(path: Path = PATH) -> Lock:
    """Returns the lock that came with this version."""
    return load_text(path.read_bytes())


def load_text(raw: bytes) -> Lock:
    """Returns the lock that `dump` wrote."""
    document = json.loads(raw)
    return Lock(
        snapshot=document["snapshot"],
        packages=tuple(Package(**item) for item in document["packages"]),
        wheels=tuple(Wheel(**item) for item in document["wheels"]),
    )


def dump(lock: Lock) -> bytes:
    """Returns a lock as the text of its file."""
    return (json.dumps(asdict(lock), indent=1) + "\n").encode()


def current(names: Iterable[str], fetch: Fetch) -> list[Package]:
    """Returns the present versions of packages in Debian 13, security updates first.

    The chain of trust is TLS to the mirror, then its release file's hashes.

    Args:
        names: of the packages.
        fetch: returns the content of an address.

    Raises:
        KeyError: the suite has no such package.
        ValueError: an index does not have the hash that the release file names.
    """
    found: dict[str, Package] = {}
    for archive, suite in _SUITES:
        found |= _index(archive, suite, fetch)
    return [found[name] for name in names]


def _index(archive: str, suite: str, fetch: Fetch) -> Mapping[str, Package]:
    root = f"{MIRROR}/{archive}/dists/{suite}"
    release = fetch(f"{root}/InRelease").decode("utf-8", "replace")
    hashes = {name: value for value, name in _RELEASE_LINE.findall(release)}
    raw = fetch(f"{root}/{_INDEX}")
    if digests.of(raw) != f"sha256:{hashes[_INDEX]}":
        raise ValueError(f"{root}/{_INDEX} has another hash than its release file says")
    paragraphs = lzma.decompress(raw).decode().split("\n\n")
    packages = (_package(archive, paragraph) for paragraph in paragraphs if paragraph.strip())
    return {package.name: package for package in packages}


def _package(archive: str, paragraph: str) -> Package:
    fields: dict[str, str] = {}
    for line in paragraph.splitlines():
        name, colon, value = line.partition(": ")
        if colon and not line.startswith(" "):
            fields[name] = value
    return Package(
        name=fields["Package"],
        version=fields["Version"],
        archive=archive,
        path=fields["Filename"],
        sha256=fields["SHA256"],
        size_bytes=int(fields["Size"]),
    )
