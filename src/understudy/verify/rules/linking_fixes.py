"""How to get a shared library, or a file that needs an older one, into this very image.

Names the package manager of the image's own distribution. RPM and apk take the library's name itself;
Debian's package names are a table of those that Python packages miss most.
"""

import posixpath
from collections.abc import Sequence

from understudy.verify.python.analysis import Analysis
from understudy.verify.python.distributions import Distribution
from understudy.verify.rules import linking_loader
from understudy.verify.rules.linking_loader import Loader

# Better than a system library: a distribution of the same code that needs none.
_BETTER = {
    ("opencv-python", "libGL.so.1"): "opencv-python-headless",
    ("opencv-contrib-python", "libGL.so.1"): "opencv-contrib-python-headless",
    ("psycopg2", "libpq.so.5"): "psycopg2-binary",
}
_DEBIAN = {
    "libGL.so.1": "libgl1",
    "libSM.so.6": "libsm6",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libatomic.so.1": "libatomic1",
    "libcairo.so.2": "libcairo2",
    "libbz2.so.1.0": "libbz2-1.0",
    "libcrypt.so.1": "libcrypt1",
    "libcrypto.so.3": "libssl3",
    "libexpat.so.1": "libexpat1",
    "libffi.so.8": "libffi8",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgcc_s.so.1": "libgcc-s1",
    "libgfortran.so.5": "libgfortran5",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "liblzma.so.5": "liblzma5",
    "libmagic.so.1": "libmagic1",
    "libmariadb.so.3": "libmariadb3",
    "libodbc.so.2": "unixodbc",
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpq.so.5": "libpq5",
    "libsqlite3.so.0": "libsqlite3-0",
    "libssl.so.3": "libssl3",
    "libstdc++.so.6": "libstdc++6",
    "libxml2.so.2": "libxml2",
    "libxslt.so.1": "libxslt1.1",
    "libz.so.1": "zlib1g",
}
_RPM = frozenset({"amzn", "fedora", "rhel", "centos", "rocky", "almalinux"})
_WHEEL_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


def libraries(analysis: Analysis, loader: Loader, names: Sequence[str], owner: Distribution | None) -> str:
    """Returns the command or edit that makes the loader find libraries, which are all in the same plight."""
    python = analysis.python
    if owner is not None:
        for name in names:
            if (owner.key, name) in _BETTER:
                better = _BETTER[owner.key, name]
                return f"RUN {python.executable} -m pip install {better}, in place of {owner.name}"
    if loader.in_configured_folder(names[0]):
        return "RUN ldconfig"
    for path in loader.copies(names[0]):
        return f"ENV LD_LIBRARY_PATH={posixpath.dirname(path)}:$LD_LIBRARY_PATH"
    return _installed(analysis, names)


def _installed(analysis: Analysis, names: Sequence[str]) -> str:
    """The command that installs libraries from the image's own distribution."""
    kinds = _distribution(analysis)
    if kinds & _RPM or analysis.python.is_aws_base:
        wanted = " ".join(f"'{name}()(64bit)'" for name in names)
        return f"RUN dnf install -y {wanted}"
    if "alpine" in kinds:
        wanted = " ".join(f"so:{name}" for name in names)
        return f"RUN apk add --no-cache {wanted}"
    packages = list(dict.fromkeys(_DEBIAN.get(name, "") for name in names))
    if "" in packages:
        unknown = next(name for name in names if name not in _DEBIAN)
        return f"apt-file search {unknown}, then apt-get install the package it names"
    return f"RUN apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"


def older_wheel(analysis: Analysis, loader: Loader, owner: Distribution | None, path: str) -> str:
    """Returns how to get a file that the image's glibc is new enough for."""
    python = analysis.python
    versions = [item for item in loader.defined("libc.so.6") if item.startswith("GLIBC_2.")]
    newest_version = max(versions, key=linking_loader.version_key, default="")
    minor = newest_version.removeprefix("GLIBC_2.").partition(".")[0]
    if owner is None or not minor:
        return same_base(path)
    name = f"{owner.name}=={owner.version}" if owner.version else owner.name
    return (
        f"pip install --platform manylinux_2_{minor}_{_WHEEL_MACHINES.get(python.machine, python.machine)} "
        f"--python-version {python.version_text} --implementation cp --only-binary=:all: --no-deps --upgrade "
        f"--target {owner.folder} {name}"
    )


def same_base(path: str) -> str:
    """Returns the edit that cures every difference between the system that built and the one that runs."""
    return f"build {path} in a stage that has the image's own base"


def newest(analysis: Analysis, library_path: str, wanted: str) -> str:
    """Returns the newest version of the kind that is `wanted` that the image's library defines."""
    kind = wanted.rpartition("_")[0]
    elf = analysis.files.elf(library_path)
    same = [item for item in (elf.defines if elf is not None else ()) if item.rpartition("_")[0] == kind]
    return max(same, key=linking_loader.version_key, default=f"no {kind} version")


def whereabouts(loader: Loader, name: str) -> str:
    """Returns where a missing library is all the same, if anywhere, for the end of a message."""
    configured = loader.in_configured_folder(name)
    if configured:
        return f"which is at {configured} and not in /etc/ld.so.cache"
    there = loader.copies(name)
    return f"which is at {there[0]}, where nothing looks" if there else "which is nowhere in the image"


def _distribution(analysis: Analysis) -> frozenset[str]:
    """The identifiers in ``os-release``: the distribution and those it is like."""
    try:
        text = analysis.files.read("/etc/os-release").decode("utf-8", "replace")
    except FileNotFoundError:
        return frozenset()
    found: set[str] = set()
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key in {"ID", "ID_LIKE"}:
            found |= set(value.strip("\"'").split())
    return frozenset(found)
