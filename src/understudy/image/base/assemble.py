"""Unpacks Debian packages into a root laid out like AWS's image, without dpkg and without their scripts.

Everything a package's script would have done here is a handful of files: accounts, certificates, name lookup.
The packages are trusted by hash before they reach this module.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from understudy.image.base import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE: Final = Path(__file__).parent
_AR_MAGIC: Final = b"!<arch>\n"
_MERGED: Final = ("bin/", "sbin/", "lib/", "lib64/")


class PackageFormatError(ValueError):
    """A file is no Debian package."""


def unpack(package: bytes, root: Path) -> None:
    """Adds a package's files to `root`, each where `layout` puts it.

    Raises:
        PackageFormatError: `package` is no Debian package.
    """
    name, data = next((item for item in _members(package) if item[0].startswith("data.tar")), ("", b""))
    if not name:
        raise PackageFormatError("a package has no data.tar")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            _extract(archive, member, root)


def finish(root: Path) -> None:
    """Adds what no package has: accounts, certificates, links, the runtime; removes what served this alone.

    Raises:
        LayoutChangedError: Debian's interpreter is not as expected.
    """
    for path in layout.FOLDERS:
        (root / path).mkdir(parents=True, exist_ok=True)
    for path, target in layout.LINKS.items():
        (root / path).unlink(missing_ok=True)
        (root / path).symlink_to(target)
    _accounts(root)
    _certificates(root)
    _python(root)
    _write(root / "etc/nsswitch.conf", layout.NSSWITCH)
    runtime = root / layout.RUNTIME
    _write(runtime / "bootstrap.py", (_HERE / "runtime_bootstrap.py").read_text())
    _write(runtime / "bootstrap", (_HERE / "bootstrap.sh").read_text(), mode=0o755)
    _write(root / "lambda-entrypoint.sh", (_HERE / "lambda-entrypoint.sh").read_text(), mode=0o755)
    _remove_material(root)
    _settle_folders(root)


def pip_wheel(root: Path) -> Path:
    """Returns pip's own wheel, from Debian's package.

    Raises:
        PackageFormatError: it is not there.
    """
    found = sorted((root / layout.PIP_WHEELS).glob("pip-*.whl"))
    if not found:
        raise PackageFormatError("python3-pip-whl has no wheel")
    return found[0]


def settle(folder: Path) -> None:
    """Makes installed packages readable by all: neither a wheel's modes nor this user's umask count."""
    for place in folder.rglob("*"):
        place.chmod(0o755 if place.is_dir() else 0o644)


def _members(package: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields the members of an ar archive."""
    if not package.startswith(_AR_MAGIC):
        raise PackageFormatError("a package is no ar archive")
    position = len(_AR_MAGIC)
    while position + 60 <= len(package):
        header = package[position : position + 60]
        size = int(header[48:58])
        start = position + 60
        yield header[:16].decode("ascii").strip().rstrip("/"), package[start : start + size]
        position = start + size + size % 2


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    path = _placed(member.name)
    if not path:
        return
    place = root / path
    if member.isdir():
        if not layout.is_material(f"{path}/"):
            place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    if member.issym():
        place.symlink_to(member.linkname)
    elif member.islnk():
        source = _placed(member.linkname)
        if source:
            place.hardlink_to(root / source)
    elif member.isfile():
        content = archive.extractfile(member)
        place.write_bytes(content.read() if content else b"")
        place.chmod(member.mode)


def _placed(name: str) -> str | None:
    path = "/".join(part for part in name.split("/") if part not in ("", "."))
    if path.startswith(_MERGED):
        path = f"usr/{path}"
    return layout.placed(path)


def _accounts(root: Path) -> None:
    for name in ("passwd", "group"):
        _write(root / "etc" / name, (root / layout.ACCOUNTS / f"{name}.master").read_text())


def _certificates(root: Path) -> None:
    authorities = sorted((root / layout.CERTIFICATES).rglob("*.crt"))
    (root / layout.BUNDLE).parent.mkdir(parents=True, exist_ok=True)
    _write(root / layout.BUNDLE, "".join(place.read_text() for place in authorities))


def _python(root: Path) -> None:
    library = root / f"var/lang/lib/{layout.PYTHON}"
    for place, change in (
        (root / f"var/lang/bin/{layout.PYTHON}", layout.upstream_packages),
        (library / "site.py", layout.upstream_packages),
        (library / "sysconfig/__init__.py", layout.upstream_sysconfig),
    ):
        place.write_bytes(change(place.read_bytes()))
    packages = root / layout.SITE_PACKAGES
    with zipfile.ZipFile(pip_wheel(root)) as wheel:
        for name in wheel.namelist():
            wheel.extract(name, packages)
    settle(packages)
    for name in ("pip", "pip3", "pip3.13"):
        _write(root / "var/lang/bin" / name, layout.PIP_SCRIPT, mode=0o755)


def _remove_material(root: Path) -> None:
    for folder in (layout.PIP_WHEELS, layout.ACCOUNTS, layout.CERTIFICATES):
        top = root / folder
        for place in sorted(top.rglob("*"), reverse=True):
            if place.is_dir() and not place.is_symlink():
                place.rmdir()
            else:
                place.unlink()
        if top.exists():
            top.rmdir()


def _settle_folders(root: Path) -> None:
    """Gives every folder its mode: some were made on the way, by this user's umask."""
    modes = {root / path: mode for path, mode in layout.FOLDERS.items()}
    for place in root.rglob("*"):
        if place.is_dir() and not place.is_symlink():
            place.chmod(modes.get(place, 0o755))


def _write(place: Path, text: str, *, mode: int = 0o644) -> None:
    place.write_text(text)
    place.chmod(mode)
