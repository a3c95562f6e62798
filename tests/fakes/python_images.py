"""Images around other Pythons than AWS's: Debian slim, Debian's own, Alpine, a virtual environment, uv."""

from typing import Any

from tests.fakes.image_files import Content, Spec, link, shared_object, subject
from understudy.verify.model import Subject

GLIBC = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"
RIC = ("-m", "awslambdaric")


def executable(interpreter: str = GLIBC) -> Spec:
    return shared_object(interpreter=interpreter, needed=("libc.so.6",))


def slim(version: str = "3.12") -> dict[str, Content]:
    tag = f"cpython-{version.replace('.', '')}-x86_64-linux-gnu"
    return {
        "/bin": link("usr/bin"),
        "/etc/debian_version": "13.0\n",
        "/usr/bin/env": executable(),
        "/usr/bin/dash": executable(),
        "/usr/bin/sh": link("dash"),
        "/usr/local/bin/python": link("python3"),
        "/usr/local/bin/python3": link(f"python{version}"),
        f"/usr/local/bin/python{version}": executable(),
        f"/usr/local/lib/python{version}/os.py": "",
        f"/usr/local/lib/python{version}/json/__init__.py": "",
        f"/usr/local/lib/python{version}/lib-dynload/_ssl.{tag}.so": shared_object(),
        f"/usr/local/lib/python{version}/site-packages/awslambdaric/__init__.py": "",
        f"/usr/local/lib/python{version}/site-packages/awslambdaric/__main__.py": "",
        "/app/app.py": "def handler(event, context):\n    return {}\n",
    }


def slim_subject(
    files: dict[str, Content] | None = None,
    *,
    version: str = "3.12",
    entrypoint: tuple[str, ...] = ("/usr/local/bin/python", *RIC),
    cmd: tuple[str, ...] = ("app.handler",),
    env: dict[str, str] | None = None,
    **launch: Any,
) -> Subject:
    path = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
    return subject(
        {**slim(version), **(files or {})},
        base=False,
        config={
            "entrypoint": entrypoint,
            "cmd": cmd,
            "working_dir": "/app",
            "env": tuple({**path, **(env or {})}.items()),
        },
        **launch,
    )
