"""What installed distributions require of each other, for the image's Python.

Markers are evaluated for the image's interpreter, never for the one that runs this. A line that `packaging`
cannot read requires nothing: pip reads more dialects than the standard has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from understudy.verify.python.distributions import Distribution, canonical
from understudy.verify.python.interpreter import Interpreter

_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Files do not tell the patch level; no comparison in the wild names a higher one.
_PATCH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One requirement that holds for the image.

    Attributes:
        by: the distribution that has it.
        key: of what is required.
        text: name and specifier as a command line takes them.
        specifier: of versions.
    """

    by: Distribution
    key: str
    text: str
    specifier: SpecifierSet

    def accepts(self, version: str) -> bool:
        """Whether a version will do; unreadable ones do."""
        try:
            return self.specifier.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return True


def needs(installed: Iterable[Distribution], python: Interpreter) -> tuple[Need, ...]:
    """Returns what `installed` require, extras that they ask of each other included."""
    by_key = {distribution.key: distribution for distribution in installed}
    environment = _environment(python)
    extras: dict[str, set[str]] = {key: set() for key in by_key}
    parsed = {key: tuple(_parsed(distribution.requires)) for key, distribution in by_key.items()}
    found: dict[tuple[str, str], Need] = {}
    waiting = list(by_key)
    while waiting:
        key = waiting.pop()
        for requirement in parsed[key]:
            if not _holds(requirement, environment, extras[key]):
                continue
            wanted = canonical(requirement.name)
            found[key, str(requirement)] = Need(
                by=by_key[key],
                key=wanted,
                text=f"{requirement.name}{requirement.specifier}",
                specifier=requirement.specifier,
            )
            asked = {canonical(extra) for extra in requirement.extras}
            if wanted in extras and not asked <= extras[wanted]:
                extras[wanted] |= asked
                waiting.append(wanted)
    return tuple(sorted(found.values(), key=lambda need: (need.key, need.by.key)))


def fits_python(specifier: str, python: Interpreter) -> bool:
    """Whether a Requires-Python admits the image's Python; unreadable ones do."""
    try:
        return SpecifierSet(specifier).contains(f"{python.version_text}.{_PATCH}", prereleases=True)
    except InvalidSpecifier:
        return True


def is_newer(version: str, other: str) -> bool:
    """Whether `version` is a later release than `other`; unreadable ones are not."""
    try:
        return Version(version) > Version(other)
    except InvalidVersion:
        return False


def _environment(python: Interpreter) -> dict[str, str]:
    pypy = python.implementation == "pypy"
    full = f"{python.version_text}.{_PATCH}"
    return {
        "implementation_name": python.implementation,
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": _MACHINES.get(python.machine, python.machine),
        "platform_python_implementation": "PyPy" if pypy else "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": python.version_text,
        "sys_platform": "linux",
    }


def _parsed(lines: Iterable[str]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(line)
        except InvalidRequirement:
            continue


def _holds(requirement: Requirement, environment: Mapping[str, str], extras: Iterable[str]) -> bool:
    if requirement.marker is None:
        return True
    for extra in ("", *extras):
        try:
            if requirement.marker.evaluate({**environment, "extra": extra}):
                return True
        except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
            continue
    return False
