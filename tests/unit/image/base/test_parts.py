"""The stand-in's parts: the lock, the layout, the assembly, the runtime's search path."""

import hashlib
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from understudy.image.base import assemble, layout, lock, relock, runtime_bootstrap

TASK = {"LAMBDA_TASK_ROOT": "/var/task"}


@pytest.mark.parametrize(
    ("path", "placed"),
    [
        ("usr/bin/python3.13", "var/lang/bin/python3.13"),
        ("usr/lib/python3.13/os.py", "var/lang/lib/python3.13/os.py"),
        ("usr/lib/python3.13", "var/lang/lib/python3.13"),
        ("usr/lib/python3.13/test/support.py", None),
        ("usr/lib/python3.13/EXTERNALLY-MANAGED", None),
        ("usr/share/doc/bash/copyright", None),
        ("usr/share/python-wheels/pip.whl", "usr/share/python-wheels/pip.whl"),
        ("usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("usr/lib/x86_64-linux-gnu/gconv/UTF-16.so", "usr/lib/x86_64-linux-gnu/gconv/UTF-16.so"),
        ("usr/lib/x86_64-linux-gnu/gconv/BIG5.so", None),
        ("etc/apt/sources.list", None),
        ("bin", "bin"),
    ],
)
def test_files_go_where_aws_has_them(path: str, placed: str | None) -> None:
    assert layout.placed(path) == placed


def test_debian_s_own_package_folder_is_replaced() -> None:
    assert layout.upstream_packages(b'"lib", "dist-packages"') == b'"lib", "site-packages"'
    assert layout.upstream_sysconfig(b"x\nprefix_scheme = 'posix_local'\n") == (
        b"x\nprefix_scheme = 'posix_prefix'\n"
    )


def test_a_changed_interpreter_is_noticed() -> None:
    with pytest.raises(layout.LayoutChangedError):
        layout.upstream_packages(b"nothing here")
    with pytest.raises(layout.LayoutChangedError):
        layout.upstream_sysconfig(b"nothing here")


def test_the_lock_is_complete() -> None:
    found = lock.load()
    names = [package.name for package in found.packages]
    assert {"libc6", "bash", "coreutils", "python3.13-minimal", "python3-pip-whl"} <= set(names)
    assert len(names) == len(set(names))
    assert all(len(package.sha256) == 64 for package in found.packages)
    assert "awslambdaric==4.2.2 --hash=sha256:" in found.requirements
    assert lock.load_text(lock.dump(found)) == found


def test_a_package_is_looked_for_on_the_mirror_and_in_the_snapshot() -> None:
    found = lock.load()
    mirror, snapshot = found.addresses(found.packages[0])
    assert mirror.startswith("https://deb.debian.org/debian/pool/")
    assert f"/{found.snapshot}/pool/" in snapshot


def _index(version: str) -> bytes:
    text = (
        f"Package: bash\nVersion: {version}\nFilename: pool/bash_{version}.deb\nSHA256: {'0' * 64}\nSize: 1\n"
        "Description: a shell\n Package: no\n\n"
    )
    return lzma.compress(text.encode())


def test_present_versions_come_from_the_indexes_security_last() -> None:
    pages: dict[str, bytes] = {}
    for archive, suite, version in (("debian", "trixie", "1"), ("debian-security", "trixie-security", "2")):
        root = f"https://deb.debian.org/{archive}/dists/{suite}"
        raw = _index(version)
        pages[f"{root}/main/binary-amd64/Packages.xz"] = raw
        line = f" {hashlib.sha256(raw).hexdigest()} {len(raw)} main/binary-amd64/Packages.xz\n"
        pages[f"{root}/InRelease"] = f"SHA256:\n{line}".encode()
    assert [package.version for package in lock.current(["bash"], pages.__getitem__)] == ["2"]
    old = lock.Lock(snapshot="then", packages=tuple(lock.current(["bash"], pages.__getitem__)), wheels=())
    assert relock.relocked(old, "now", pages.__getitem__).snapshot == "now"
    pages[f"{root}/main/binary-amd64/Packages.xz"] = _index("3")
    with pytest.raises(ValueError, match="another hash"):
        lock.current(["bash"], pages.__getitem__)


def _package(files: dict[str, bytes], links: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
        for name, target in links.items():
            member = tarfile.TarInfo(f"./{name}")
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    raw = b"!<arch>\n"
    for name, content in (("debian-binary", b"2.0\n"), ("data.tar.xz", data.getvalue())):
        raw += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content
        raw += b"\n" * (len(content) % 2)
    return raw


def test_a_package_is_unpacked_into_place(tmp_path: Path) -> None:
    package = _package(
        {"bin/bash": b"elf", "usr/share/doc/x": b"no", "usr/bin/python3.13": b"py"}, {"usr/bin/rbash": "bash"}
    )
    assemble.unpack(package, tmp_path)
    assert (tmp_path / "usr/bin/bash").read_bytes() == b"elf"
    assert (tmp_path / "var/lang/bin/python3.13").stat().st_mode & 0o777 == 0o755
    assert str((tmp_path / "usr/bin/rbash").readlink()) == "bash"
    assert not (tmp_path / "usr/share/doc").exists()


def test_something_else_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(assemble.PackageFormatError):
        assemble.unpack(b"PK", tmp_path)
    with pytest.raises(assemble.PackageFormatError):
        assemble.unpack(b"!<arch>\n", tmp_path)


def test_search_path_without_pythonpath() -> None:
    assert runtime_bootstrap.search_path(TASK, (3, 13)) == [
        "/var/task",
        "/opt/python/lib/python3.13/site-packages",
        "/opt/python",
        "/var/lang/lib/python3.13/site-packages",
    ]


def test_search_path_with_pythonpath_is_the_task_root_alone() -> None:
    assert runtime_bootstrap.search_path({**TASK, "PYTHONPATH": "/x"}, (3, 13)) == ["/var/task"]
    assert runtime_bootstrap.site_directories({**TASK, "PYTHONPATH": "/x"}, (3, 13)) == ["/var/task"]
