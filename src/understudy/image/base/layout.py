"""Where the files of Debian's packages go, so that the result looks like AWS's image.

Pure: paths and texts in, paths and texts out. AWS's layout: the interpreter below `/var/lang`, the runtime in
`/var/runtime`, the function in `/var/task`, no documentation, no package manager's state, no time zones.
"""

from __future__ import annotations

from typing import Final

PYTHON: Final = "python3.13"
SITE_PACKAGES: Final = f"var/lang/lib/{PYTHON}/site-packages"
RUNTIME: Final = "var/runtime"
BUNDLE: Final = "etc/ssl/certs/ca-certificates.crt"

# AWS's image config (docker inspect of public.ecr.aws/lambda/python:3.13; lambda-contract B2).
ENV: Final = (
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":/etc/localtime"),
    ("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    (
        "LD_LIBRARY_PATH",
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    ),
    ("LAMBDA_TASK_ROOT", "/var/task"),
    ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
)
WORKING_DIR: Final = "/var/task"
ENTRYPOINT: Final = ("/lambda-entrypoint.sh",)

# For the assembly alone; not in the image.
PIP_WHEELS: Final = "usr/share/python-wheels/"
ACCOUNTS: Final = "usr/share/base-passwd/"
CERTIFICATES: Final = "usr/share/ca-certificates/"

_GCONV: Final = "usr/lib/x86_64-linux-gnu/gconv/"
# What AL2023's glibc carries without glibc-gconv-extra.
_GCONV_KEPT: Final = frozenset(
    {"gconv-modules", "UTF-16.so", "UTF-32.so", "UTF-7.so", "UNICODE.so"}
    | {"ISO8859-1.so", "ISO8859-15.so", "CP1252.so", "ANSI_X3.110.so"}
)
_DROPPED: Final = (
    "usr/share/",
    "usr/games",
    "usr/include/",
    "usr/lib/binfmt.d",
    "usr/lib/python3/",
    "usr/lib/valgrind/",
    "usr/lib/bfd-plugins/",
    "usr/lib/systemd/",
    "usr/lib/tmpfiles.d",
    "usr/lib/sysusers.d",
    "usr/src",
    "etc/apt",
    "etc/dpkg",
    "etc/logcheck",
    "etc/python3.13",
    "etc/init.d",
    "etc/cron.daily",
    "etc/update-motd.d",
    "etc/ca-certificates",
    "usr/sbin/update-",
    "usr/bin/pdb3.13",
    "usr/bin/pygettext3.13",
    "usr/bin/pydoc3.13",
    "usr/lib/python3.13/test/",
    "usr/lib/python3.13/EXTERNALLY-MANAGED",
    "usr/lib/python3.13/sitecustomize.py",
    "usr/lib/python3.13/_distutils_system_mod.py",
)
_STDLIB: Final = f"usr/lib/{PYTHON}/"
_STDLIB_HERE: Final = f"var/lang/lib/{PYTHON}/"

LINKS: Final = {
    "usr/bin/sh": "bash",
    "usr/bin/awk": "mawk",
    "var/lang/bin/python3": PYTHON,
    "var/lang/bin/python": PYTHON,
    "usr/lib/ssl/certs": "/etc/ssl/certs",
    "usr/lib/ssl/cert.pem": f"/{BUNDLE}",
    # Where AL2023's tools look for it.
    "etc/pki/tls/certs/ca-bundle.crt": f"/{BUNDLE}",
    "etc/pki/tls/cert.pem": f"/{BUNDLE}",
}
FOLDERS: Final = {
    "var/task": 0o755,
    "var/lang/bin": 0o755,
    SITE_PACKAGES: 0o755,
    "var/lang/lib": 0o755,
    RUNTIME: 0o755,
    "opt": 0o755,
    "tmp": 0o1777,
    "var/tmp": 0o1777,
    "root": 0o700,
    "etc/pki/tls/certs": 0o755,
    "usr/lib/ssl": 0o755,
    "usr/share": 0o755,
}
NSSWITCH: Final = (
    "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n"
)
PIP_SCRIPT: Final = """#!/var/lang/bin/python3.13
import sys
from pip._internal.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
"""
_DEBIAN_NAME: Final = b"dist-packages"
_UPSTREAM_NAME: Final = b"site-packages"
_DEBIAN_SCHEME: Final = b"prefix_scheme = 'posix_local'"
_UPSTREAM_SCHEME: Final = b"prefix_scheme = 'posix_prefix'"


class LayoutChangedError(ValueError):
    """A file of Debian's no longer has the text that this module replaces."""


def placed(path: str) -> str | None:
    """Returns where a package's file goes, None when it has no place in the image."""
    if path.startswith((PIP_WHEELS, ACCOUNTS, CERTIFICATES)):
        return path
    if path.startswith(_DROPPED) or f"{path}/" in _DROPPED:
        return None
    if path.startswith(_GCONV) and path.removeprefix(_GCONV) not in _GCONV_KEPT:
        return None
    if path.startswith(_STDLIB) or f"{path}/" == _STDLIB:
        return _STDLIB_HERE.rstrip("/") + path[len(_STDLIB) - 1 :]
    if path == f"usr/bin/{PYTHON}":
        return f"var/lang/bin/{PYTHON}"
    return path


def is_material(path: str) -> bool:
    """Whether a placed file is for the assembly alone."""
    return path.startswith((PIP_WHEELS, ACCOUNTS, CERTIFICATES))


def upstream_packages(content: bytes) -> bytes:
    """Returns Debian's `site` module, as source or frozen into the interpreter, looking into site-packages.

    Both names have the same length, so the interpreter stays the file it was in every other respect.

    Raises:
        LayoutChangedError: the name to replace is not there.
    """
    if _DEBIAN_NAME not in content:
        raise LayoutChangedError(f"{_DEBIAN_NAME!r} is not in the site module")
    return content.replace(_DEBIAN_NAME, _UPSTREAM_NAME)


def upstream_sysconfig(content: bytes) -> bytes:
    """Returns Debian's `sysconfig` with the scheme that every other Python installs by.

    Raises:
        LayoutChangedError: the text to replace is not there.
    """
    if content.count(_DEBIAN_SCHEME) != 1:
        raise LayoutChangedError(f"{_DEBIAN_SCHEME!r} is not once in sysconfig")
    return content.replace(_DEBIAN_SCHEME, _UPSTREAM_SCHEME)
