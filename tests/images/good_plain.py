"""Plain handlers that look faulty and are not: guarded imports, odd places of modules, caught errors."""

from tests.images.case import HANDLER, Case, good, on_base

_OPTIONAL = """
import importlib, importlib.util, sys
from typing import TYPE_CHECKING

try:
    import uvloop
except ImportError:
    uvloop = None
try:
    import orjson as json
except ModuleNotFoundError:
    import json
try:
    from yaml import CSafeLoader as Loader
except Exception:
    Loader = None
if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
if sys.version_info < (3, 11):
    import tomli
else:
    import tomllib
if sys.platform == "win32":
    import winreg
if importlib.util.find_spec("torch"):
    import torch
for name in ("absent_one", "json"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass


def later():
    import tensorflow
    return tensorflow
"""
_SUPPRESSED = """
import contextlib

with contextlib.suppress(ImportError):
    import ujson

loaded = {}
try:
    import lxml.etree
except ImportError as error:
    loaded["lxml"] = str(error)
finally:
    loaded["done"] = True


def __getattr__(name):
    import absent_plugin
    return getattr(absent_plugin, name)
"""
_SIDE_EFFECTS = """
import getpass, os, pathlib, subprocess, sys, tempfile, threading

try:
    os.makedirs("/var/task/cache")
except OSError:
    pass
try:
    pathlib.Path.home().joinpath(".cache").mkdir()
except OSError:
    pass
with tempfile.NamedTemporaryFile() as file:
    file.write(b"x")
with open("/tmp/state", "w") as file:
    file.write("x")
os.environ["HOME"] = "/tmp"
version = subprocess.run([sys.executable, "-V"], capture_output=True, check=True).stdout
assert getpass.getuser()
threading.Thread(target=threading.Event().wait, daemon=True).start()
lock = threading.Lock()
pipe = __import__("multiprocessing").Pipe()
"""
_MAIN_GUARD = """
import argparse, os

REGION = os.environ["AWS_REGION"]
STAGE = os.environ.get("STAGE", "dev")
TABLE = os.getenv("TABLE")
if os.environ.get("LOCAL"):
    import uvicorn
try:
    SECRET = os.environ["SECRET"]
except KeyError:
    SECRET = ""
if __name__ == "__main__":
    import absent_server
    open("/var/task/report.txt", "w").write(str(argparse))
    raise SystemExit(absent_server.run())
"""
_KINDS = """
import functools


def traced(function):
    @functools.wraps(function)
    def inner(event, context):
        return function(event, context)
    return inner


class App:
    def __call__(self, event, context):
        return {"got": event}

    @staticmethod
    @traced
    def handler(event, context):
        return {"static": event}


"""

CASES: tuple[Case, ...] = (
    good("plain-handler", row="A0"),
    good("optional-imports", row="A4", files={"app.py": _OPTIONAL + HANDLER}),
    good("suppressed-imports", row="A4", files={"app.py": _SUPPRESSED + HANDLER}),
    good("caught-writes-processes-threads", row="A10", files={"app.py": _SIDE_EFFECTS + HANDLER}),
    good("variables-and-main-guard", row="A15", files={"app.py": _MAIN_GUARD + HANDLER}),
    good("handler-is-an-instance", row="A5", files={"app.py": _KINDS + "handler = App()\n"}),
    good("handler-is-assigned", row="A5", files={"app.py": _KINDS + "handler = traced(App())\n"}),
    good("handler-is-a-lambda", row="A5", files={"app.py": "handler = lambda event, context: event\n"}),
    good("handler-is-async-made", row="A5", files={"app.py": "globals()['handler'] = lambda e, c: e\n"}),
    good(
        "handler-is-reexported",
        row="A5",
        files={
            "app/__init__.py": "from .main import *\n",
            "app/main.py": "__all__ = ['handler']\nfrom app.inner.code import handler\n",
            "app/inner/code.py": HANDLER,
        },
    ),
    good(
        "handler-in-a-package-by-slashes",
        row="A5",
        files={"src/api/main.py": "from src.api import tools\n" + HANDLER, "src/api/tools.py": ""},
        dockerfile=on_base(cmd='["src/api/main.handler"]'),
    ),
    good(
        "namespace-packages",
        row="A4",
        files={
            "app.py": "import corp.one, corp.two.deep\nfrom corp import one\n" + HANDLER,
            "corp/one/__init__.py": "",
            "corp/two/deep.py": "",
        },
    ),
    good(
        "vendor-folder-first-on-the-path",
        row="A17",
        files={
            "app.py": "import os, sys\n"
            "sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'vendor'))\n"
            "import helper\nimport bundled.part\n" + HANDLER,
            "vendor/helper.py": "",
            "vendor/bundled/part.py": "",
        },
    ),
    good(
        "python-path-of-the-function",
        row="A17",
        files={"app.py": "import helper\n" + HANDLER, "lib/helper.py": ""},
        dockerfile=on_base("ENV PYTHONPATH=/var/task/lib:/var/runtime"),
    ),
    good(
        "editable-by-path-file",
        row="A4",
        files={
            "app.py": "import project.core\n" + HANDLER,
            "code/src/project/__init__.py": "",
            "code/src/project/core.py": "",
            "__editable__.project.pth": "/var/task/code/src\n",
        },
    ),
    good(
        "zip-on-the-path",
        row="A17",
        files={
            "app.py": "import zipped.part\n" + HANDLER,
            "z/zipped/__init__.py": "",
            "z/zipped/part.py": "",
        },
        dockerfile=on_base(
            "RUN cd z && python3 -m zipfile -c ../lib.zip zipped && cd .. && rm -r z",
            "ENV PYTHONPATH=/var/task/lib.zip:/var/runtime",
        ),
    ),
    good(
        "bytecode-alone",
        row="A20",
        files={
            "app.py": "import secret.core\n" + HANDLER,
            "secret/__init__.py": "",
            "secret/core.py": "X = 1\n",
        },
        dockerfile=on_base("RUN python3 -m compileall -q -b . && rm *.py */*.py"),
    ),
    good(
        "names-near-the-standard-library",
        row="A17",
        files={
            "app.py": "import helpers.email, helpers.http\nfrom helpers import types\n" + HANDLER,
            "helpers/__init__.py": "",
            "helpers/email.py": "",
            "helpers/http.py": "",
            "helpers/types.py": "",
        },
    ),
    good(
        "syntax-of-other-versions-unused",
        row="A0",
        files={
            "app.py": HANDLER,
            "old/legacy.py": "print 'python 2'\n",
            "new/template.py": "{{ name }} = 1\n",
        },
    ),
    good(
        "closed-files-nobody-reads",
        row="A9",
        files={"app.py": HANDLER, "secret.key": "x", "private/tool.py": ""},
        dockerfile=on_base("RUN chmod 600 secret.key && chmod 700 private"),
    ),
    good(
        "entry-script-of-its-own",
        row="A8",
        files={
            "app.py": HANDLER,
            "entry.sh": '#!/bin/sh\nset -e\nexport STAGE=x\nexec /lambda-entrypoint.sh "$@"\n',
        },
        dockerfile=on_base("RUN mv entry.sh / && chmod 755 /entry.sh", 'ENTRYPOINT ["/entry.sh"]'),
    ),
    good(
        "wrapper-script",
        row="A8",
        files={"app.py": HANDLER, "wrap": '#!/bin/bash\nargs=("$@")\nexec "${args[@]}"\n'},
        dockerfile=on_base("RUN chmod 755 wrap", "ENV AWS_LAMBDA_EXEC_WRAPPER=/var/task/wrap"),
    ),
    good(
        "read-as-another-user",
        row="A22",
        dockerfile=on_base("RUN mkdir /root/own && touch /root/own/f && chmod 700 /root/own", "USER 1234"),
    ),
)
