"""A good image and the small damages that may or may not break it: what the property tests draw from."""

from dataclasses import dataclass

from tests.images.case import BASE, Case, good, rules
from tests.images.workshop import Workshop
from understudy.verify.subject import LaunchOverrides

GOOD = "good"
_SITE = "/var/lang/lib/python3.13/site-packages"
_EXTENSION = f"{_SITE}/orjson/orjson.cpython-313-x86_64-linux-gnu.so"
_APP = """
import json

import orjson

from core import store

try:
    import extra
except ImportError:
    extra = None


def handler(event, context):
    return json.loads(orjson.dumps({"got": event, "by": store.NAME}))
"""

CASE: Case = good(
    "mutated",
    files={
        "app.py": _APP,
        "core/__init__.py": "",
        "core/store.py": "import decimal, zlib\n\nNAME = 'store'\n",
        "extra.py": "EXTRA = 1\n",
        "unused.py": "import absent_module\n",
        "other.sh": "#!/bin/sh\nexit 0\n",
    },
    dockerfile=f"FROM {BASE}\nRUN pip install -q --no-cache-dir orjson==3.11.4\n"
    'COPY . ./\nRUN python3 -m compileall -q .\nCMD ["app.handler"]\n',
)

USER_PATHS = (
    "/var/task",
    "/var/task/app.py",
    "/var/task/core",
    "/var/task/core/__init__.py",
    "/var/task/core/store.py",
    "/var/task/extra.py",
    "/var/task/unused.py",
    "/var/task/other.sh",
    f"{_SITE}/orjson",
    f"{_SITE}/orjson/__init__.py",
    f"{_SITE}/orjson-3.11.4.dist-info",
    _EXTENSION,
)
# Not the shell: it runs the damaging command, and a running program cannot be written to.
BASE_PATHS = (
    "/lambda-entrypoint.sh",
    "/var/runtime",
    "/var/runtime/bootstrap",
    "/var/runtime/bootstrap.py",
    "/var/runtime/awslambdaric",
    "/var/runtime/awslambdaric/__main__.py",
    "/var/lang",
    "/var/lang/bin/python3.13",
    "/var/lang/bin/python3",
    "/var/lang/lib/python3.13",
    "/var/lang/lib/python3.13/json/__init__.py",
    "/var/lang/lib/python3.13/decimal.py",
    "/var/lang/lib/python3.13/encodings",
    _SITE,
    "/etc/passwd",
    "/etc/ssl",
    "/tmp",
    "/opt",
)
# Shell commands that damage "$p".
DAMAGES = {
    "closed": "chmod go= $p",
    "unreadable": "chmod a= $p",
    "unlisted": "chmod go-r $p",
    "untraversable": "chmod go-x $p",
    "not-executable": "chmod a-x $p",
    "removed": "rm -r $p",
    "renamed": 'mv "$p" "$p.bak"',
    "emptied": 'test -d "$p" && rm -rf "$p"/* || : > "$p"',
    "cut": 'test -d "$p" || truncate -s 100 "$p"',
    "halved": 'test -d "$p" || truncate -s $(($(stat -c %s "$p") / 2)) "$p"',
    "dangling": 'rm -r "$p" && ln -s /nowhere "$p"',
    "by-symlink": 'mv "$p" "$p.real" && ln -s "$p.real" "$p"',
    "no-python": "test -d $p || echo ')' >> $p",
    "carriage-returns": "test -d $p || sed -i 's/$/\\r/' $p",
    "a-file-for-a-folder": "test ! -d $p || { rm -r $p && echo > $p; }",
    "a-folder-for-a-file": "test -d $p || { rm $p && mkdir $p; }",
    "exchanged": "test -d $p || cp /usr/bin/bash $p",
}
LAUNCHES = {
    "cmd-of-nothing": LaunchOverrides(command=("nothing.handler",)),
    "cmd-without-attribute": LaunchOverrides(command=("app.nothing",)),
    "cmd-without-dot": LaunchOverrides(command=("app",)),
    "cmd-with-colon": LaunchOverrides(command=("app:handler",)),
    "cmd-of-a-value": LaunchOverrides(command=("core.store.NAME",)),
    "cmd-of-a-package": LaunchOverrides(command=("core.handler",)),
    "cmd-with-slash": LaunchOverrides(command=("core/store.handler",)),
    "cmd-in-capitals": LaunchOverrides(command=("App.handler",)),
    "cmd-of-two": LaunchOverrides(command=("app.handler", "again")),
    "cmd-of-the-standard-library": LaunchOverrides(command=("json.dumps",)),
    "cmd-of-a-built-in": LaunchOverrides(command=("sys.exit",)),
    "cmd-that-imports-nothing": LaunchOverrides(command=("unused.handler",)),
    "entrypoint-absent": LaunchOverrides(entrypoint=("/nowhere",)),
    "entrypoint-is-a-folder": LaunchOverrides(entrypoint=("/var/task",)),
    "entrypoint-is-no-program": LaunchOverrides(entrypoint=("/var/task/app.py",)),
    "entrypoint-ends": LaunchOverrides(entrypoint=("/usr/bin/bash", "-c", "true")),
    "entrypoint-by-shell": LaunchOverrides(
        entrypoint=("/usr/bin/bash", "-c", "exec /lambda-entrypoint.sh app.handler")
    ),
    "entrypoint-python": LaunchOverrides(entrypoint=("/var/lang/bin/python3", "/var/runtime/bootstrap.py")),
    "entrypoint-module": LaunchOverrides(entrypoint=("/var/lang/bin/python3", "-m", "awslambdaric")),
    "folder-absent": LaunchOverrides(working_dir="/nowhere"),
    "folder-is-a-file": LaunchOverrides(working_dir="/var/task/app.py"),
    "folder-other": LaunchOverrides(working_dir="/opt"),
    "path-empty": LaunchOverrides(function_env={"PATH": "/nowhere"}),
    "python-path": LaunchOverrides(function_env={"PYTHONPATH": "/opt"}),
    "python-home": LaunchOverrides(function_env={"PYTHONHOME": "/opt"}),
    "library-path": LaunchOverrides(function_env={"LD_LIBRARY_PATH": "/opt"}),
    "preload": LaunchOverrides(function_env={"LD_PRELOAD": "/nowhere.so"}),
    "wrapper-absent": LaunchOverrides(function_env={"AWS_LAMBDA_EXEC_WRAPPER": "/nowhere"}),
    "wrapper-closed": LaunchOverrides(function_env={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/other.sh"}),
    "isolated-python": LaunchOverrides(function_env={"PYTHONSAFEPATH": "1"}),
    "startup": LaunchOverrides(function_env={"PYTHONSTARTUP": "/nowhere"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One damage to one path, or one change of the launch."""

    path: str = ""
    damage: str = ""
    launch: str = ""

    def __str__(self) -> str:
        return self.launch or f"{self.path} {self.damage}"

    @property
    def case(self) -> Case:
        """As a case of the workshop, on the good image."""
        steps = f"\nRUN p={self.path}; {DAMAGES[self.damage]}" if self.damage else ""
        return Case(
            name="mutated-" + str(self).strip("/").replace("/", "_").replace(" ", "-"),
            files={},
            dockerfile=f"FROM {GOOD}{steps}\n",
            launch=LAUNCHES[self.launch] if self.launch else LaunchOverrides(),
            static=rules(),
        )


def open_good(shop: Workshop) -> None:
    """Builds the good image, so that FROM may name it."""
    if GOOD not in shop.bases.images:
        shop.bases.images[GOOD] = shop.build(CASE)
