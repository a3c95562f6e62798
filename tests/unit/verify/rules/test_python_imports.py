from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.fakes.image_files import SITE_PACKAGES, SOABI, STDLIB, Content, Spec, directory, subject
from tests.fakes.python_images import RIC, slim_subject
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import filesystem_homes, python_imports

FAILS, MAY_FAIL, INFO = Severity.FAILS, Severity.MAY_FAIL, Severity.INFO
LIBRARY: dict[str, Content] = {
    **{f"{STDLIB}/{name}.py": "" for name in ("os", "types", "secrets", "calendar", "contextlib")},
    **{f"{STDLIB}/filler_{number}.py": "" for number in range(60)},
    f"{STDLIB}/json/__init__.py": "",
    f"{STDLIB}/importlib/__init__.py": "",
    f"{STDLIB}/importlib/metadata/__init__.py": "def version(name): ...",
}


def task(files: Mapping[str, Content]) -> dict[str, Content]:
    """Files of the user's: relative paths are below the task root, in the layer of COPY."""
    placed: dict[str, Content] = {}
    for path, content in files.items():
        copied = Spec(content=content, layer=1) if isinstance(content, str) else content
        placed[path if path.startswith("/") else f"/var/task/{path}"] = copied
    return placed


def check(files: Mapping[str, Content], **launch: Any) -> tuple[Finding, ...]:
    found = python_imports.check(subject({**LIBRARY, **task(files)}, **launch))
    assert isinstance(found, Iterator)
    return tuple(found)


def only(files: Mapping[str, Content], **launch: Any) -> Finding:
    (finding,) = check(files, **launch)
    return finding


def at(path: str, content: str) -> dict[str, Content]:
    return {path: content}


def dist(
    name: str, version: str = "1.0", modules: str = "", folder: str = SITE_PACKAGES
) -> dict[str, Content]:
    """An installed distribution with one package."""
    module = modules or name.replace("-", "_")
    place = f"{folder}/{name}-{version}.dist-info"
    return {
        f"{place}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{place}/RECORD": f"{module}/__init__.py,,\n",
        f"{folder}/{module}/__init__.py": "",
    }


def test_names_what_nothing_provides_and_who_asked_for_it() -> None:
    found = only(
        {
            "handler.py": "import json\nfrom app import db\n",
            "app/__init__.py": "",
            "app/db.py": "\nimport sqlalchemy as sa\n",
        }
    )
    assert (found.rule, found.severity) == ("import-missing", FAILS)
    assert found.message == (
        "handler (handler.py:2) -> app.db (db.py:2) -> sqlalchemy: nothing in the image provides it"
    )
    assert found.aws_text == (
        "Runtime.ImportModuleError: Unable to import module 'handler': No module named 'sqlalchemy'"
    )
    assert (
        found.fix == 'RUN /var/lang/bin/python3.13 -m pip install --target "${LAMBDA_TASK_ROOT}" sqlalchemy'
    )
    (place,) = found.places
    assert (place.path, place.line, place.layer) == ("/var/task/app/db.py", 2, 1)
    assert place.instruction == "COPY . /var/task"


def test_one_finding_for_all_who_import_the_same() -> None:
    found = only({"handler.py": "import a\nimport yaml\n", "a.py": "import yaml\n"})
    assert [place.path for place in found.places] == ["/var/task/handler.py", "/var/task/a.py"]
    assert found.fix.endswith(" pyyaml")


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("import x\n", FAILS),
        ("class A:\n    import x\n", FAILS),
        ("try:\n    import x\nexcept ImportError:\n    raise\n", FAILS),
        ("try:\n    import x\nexcept ImportError:\n    import y\n", FAILS),
        ("def handler(event, context):\n    import x\n", MAY_FAIL),
        ("def a():\n    import x\ndef handler(event, context):\n    a()\n", MAY_FAIL),
        ("@app.get('/')\ndef a():\n    import x\n", MAY_FAIL),
        ("def never():\n    import x\n", INFO),
        ("def handler(event, context):\n    if event:\n        import x\n", INFO),
        ("import os\nif os.environ.get('DEBUG'):\n    import x\n", INFO),
        ("import sys\nsys.path.append(str(where()))\nimport x\n", MAY_FAIL),
        ("import sys\nsys.modules[name] = 1\nimport x\n", MAY_FAIL),
        ("import sys\nsys.path.append('/tmp/site')\nimport x\n", MAY_FAIL),
    ],
)
def test_is_as_sure_as_the_code_is(text: str, severity: Severity) -> None:
    assert min(item.severity.rank for item in check({"handler.py": text})) == severity.rank


GOOD: dict[str, dict[str, Content]] = {
    "plain": {
        "handler.py": "import json, os\nimport fastapi\ndef handler(event, context): ...\n",
        **dist("fastapi"),
    },
    "uvloop": {
        "handler.py": "try:\n    import uvloop\n    uvloop.install()\n"
        "except ImportError:\n    uvloop = None\n"
    },
    "suppress": {
        "handler.py": "import contextlib\nwith contextlib.suppress(ImportError):\n    import uvloop\n"
    },
    "find_spec": {"handler.py": "from importlib.util import find_spec\nif find_spec('x'):\n    import x\n"}
    | at(f"{STDLIB}/importlib/util.py", "def find_spec(name): ...\n"),
    "fallback": {"handler.py": "try:\n    import ujson as json\nexcept ImportError:\n    import json\n"},
    "old python": {"handler.py": "import sys\nif sys.version_info < (3, 11):\n    import tomli\n"},
    "windows": {"handler.py": "import sys\nif sys.platform == 'win32':\n    import winreg\n"},
    "types": {"handler.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mypy_boto3_s3\n"}
    | at(f"{STDLIB}/typing.py", "TYPE_CHECKING = False\n"),
    "main": {"handler.py": "if __name__ == '__main__':\n    import uvicorn\n    uvicorn.run(1)\n"},
    "namespace": {
        "handler.py": "from google.cloud import storage\nimport google.auth\n",
        f"{SITE_PACKAGES}/google/cloud/storage/__init__.py": "",
        "/opt/python/google/auth/__init__.py": "",
    },
    "pth": {
        "handler.py": "import service.api\n",
        "src.pth": "src\n",
        "src/service/__init__.py": "",
        "src/service/api.py": "",
    },
    "editable": {
        "handler.py": "import service.api\nfrom other import thing\n",
        "/src/service/__init__.py": "",
        "/src/service/api.py": "",
        "/src/other.py": "thing = 1\n",
        f"{SITE_PACKAGES}/__editable__.service-1.pth": "import __editable___service_finder; "
        "__editable___service_finder.install()\n",
        f"{SITE_PACKAGES}/__editable___service_finder.py": "import sys\nMAPPING: dict[str, str] = "
        "{'service': '/src/service', 'other': '/src/other'}\nsys.meta_path.append(1)\n",
    },
    "vendored": {
        "handler.py": "import os, sys\n"
        "sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'vendor'))\n"
        "import requests\n",
        "vendor/requests/__init__.py": "",
    },
    "vendored by pathlib": {
        "handler.py": "import sys\nfrom pathlib import Path\n"
        "sys.path.append(str(Path(__file__).parent / 'lib'))\n"
        "import requests\n",
        f"{STDLIB}/pathlib.py": "class Path: ...\n",
        "lib/requests/__init__.py": "",
    },
    "path added elsewhere": {
        "handler.py": "import setup_path\nimport requests\n",
        "setup_path.py": "import sys\nsys.path.insert(0, '/var/task/lib')\n",
        "lib/requests.py": "",
    },
    "path that only running tells": {
        "handler.py": "import sys\nsys.path.insert(0, find())\nimport requests\n",
        "deps/requests/__init__.py": "",
    },
    "six": {"handler.py": "from six.moves import urllib\nfrom six.moves.urllib.parse import quote\n"}
    | at(f"{SITE_PACKAGES}/six.py", "sys.modules[__name__ + '.moves'] = _MovedItems()\n"),
    "pkg_resources": {"handler.py": "import pkg_resources.extern.packaging\n"}
    | at(f"{SITE_PACKAGES}/pkg_resources/__init__.py", "sys.meta_path.append(x)\n"),
    "extension": {"handler.py": "import fast._core\nfrom fast._core import run\n", "fast/__init__.py": ""}
    | at(f"/var/task/fast/_core.{SOABI}.so", ""),
    "names": {
        "handler.py": "from app import router, settings\nfrom app.deps import *\n",
        "app/__init__.py": "from .deps import *\n",
        "app/deps.py": "router = settings = 1\n",
    },
    "attributes of packages": {"handler.py": "from fastapi import Anything\n", **dist("fastapi")},
    "mangum": {
        "handler.py": "from mangum import Mangum\nfrom app.main import app\nhandler = Mangum(app)\n",
        "app/__init__.py": "",
        "app/main.py": "from fastapi import FastAPI\nfrom .routers import items\nfrom . import deps\n"
        "app = FastAPI()\n",
        "app/routers/__init__.py": "",
        "app/routers/items.py": "from ..deps import db\n",
        "app/deps.py": "db = None\n",
        **dist("mangum"),
        **dist("fastapi"),
    },
    "django": {
        "handler.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings')\n"
        "from django.core.asgi import get_asgi_application\nfrom mangum import Mangum\n",
        f"{SITE_PACKAGES}/django/core/asgi.py": "",
        f"{SITE_PACKAGES}/django/core/__init__.py": "",
        f"{SITE_PACKAGES}/django/__init__.py": "",
        **dist("mangum"),
    },
    "tests that nobody imports": {
        "handler.py": "",
        "tests/test_x.py": "import pytest\n",
        "old.py": "import gone\n",
    },
    "distutils by setuptools": {
        "handler.py": "from distutils.util import strtobool\n",
        f"{SITE_PACKAGES}/distutils-precedence.pth": "import os; __import__('_distutils_hack')\n",
    },
    "metadata": {
        "handler.py": "from importlib.metadata import version\nv = version('Fast-API')\n",
        **dist("fast_api"),
    },
    "metadata that may be missing": {
        "handler.py": "from importlib.metadata import PackageNotFoundError, version\n"
        "try:\n    v = version('me')\nexcept PackageNotFoundError:\n    v = '0'\n"
    },
    "zip on the path": {
        "handler.py": "import sys\nsys.path.append('/opt/app.zip')\nimport anything\n",
        "/opt/app.zip": "PK",
    },
    "harmless hook": {"handler.py": "import json\n", f"{SITE_PACKAGES}/x.pth": "import json\n"},
    "relative in a package": {
        "handler.py": "import pkg.a\n",
        "pkg/__init__.py": "from . import a, b\nfrom .a import c\n",
        "pkg/a.py": "c = 1\n",
        "pkg/b/__init__.py": "from ..a import c\nfrom .. import a\n",
    },
    "bytecode alone": {"handler.py": "import secret\n", "secret.pyc": b"\0"},
    "conditional definitions": {
        "handler.py": "from compat import loads, dumps, late\n",
        "compat.py": "try:\n    from orjson import loads\nexcept ImportError:\n    from json import loads\n"
        "if loads:\n    dumps = 1\ndef f():\n    global late\n    late = 1\n",
        f"{STDLIB}/json/__init__.py": "",
    },
}


@pytest.mark.parametrize("files", GOOD.values(), ids=GOOD)
def test_good_images_hear_nothing_worse_than_information(files: dict[str, Content]) -> None:
    assert [item for item in check(files) if item.severity is not INFO] == []


def test_a_dependency_in_a_virtual_environment_is_off_the_path() -> None:
    found = only(
        {
            "handler.py": "import fastapi\n",
            ".venv/pyvenv.cfg": "home = /var/lang/bin\n",
            **dist("fastapi", folder="/var/task/.venv/lib/python3.13/site-packages"),
        }
    )
    assert (found.rule, found.severity) == ("dependency-off-path", FAILS)
    assert "a virtual environment that the runtime does not start" in found.message
    assert found.fix.startswith("RUN uv export --frozen --no-dev --no-editable")
    assert found.places[1].path == "/var/task/.venv/lib/python3.13/site-packages/fastapi"


def test_a_virtual_environment_is_started_where_the_image_decides() -> None:
    packages = "/app/.venv/lib/python3.12/site-packages"
    image = slim_subject(
        {
            "/app/app.py": "import fastapi\n",
            "/app/.venv/pyvenv.cfg": "home = /usr/local/bin\n",
            f"{packages}/fastapi/__init__.py": "",
        }
    )
    (found,) = python_imports.check(image)
    assert found.fix == 'ENTRYPOINT ["/app/.venv/bin/python", "-m", "awslambdaric"]'
    started = slim_subject(
        {
            "/app/app.py": "import fastapi\n",
            "/app/.venv/pyvenv.cfg": "home = /usr/local/bin\n",
            "/app/.venv/bin/python": Spec(kind="symlink", link="/usr/local/bin/python3.12"),
            f"{packages}/fastapi/__init__.py": "",
        },
        entrypoint=("/app/.venv/bin/python", *RIC),
    )
    assert tuple(python_imports.check(started)) == ()


@pytest.mark.parametrize(
    ("path", "launch", "reason", "fix"),
    [
        (
            "/usr/lib/python3.9/site-packages/fastapi/__init__.py",
            {},
            "another Python's packages; the runtime is Python 3.13",
            "RUN /var/lang/bin/python3.13 -m pip install fastapi",
        ),
        (
            "/usr/local/lib/python3.13/site-packages/fastapi/__init__.py",
            {},
            "not the site-packages of the Python that runs the handler",
            "RUN /var/lang/bin/python3.13 -m pip install fastapi",
        ),
        (
            "/opt/python/fastapi/__init__.py",
            {"function_env": {"PYTHONPATH": "/var/task/src"}},
            "left out of sys.path because PYTHONPATH is set",
            "remove PYTHONPATH from the function's environment, or add /opt/python to it",
        ),
        (
            "/var/task/package/fastapi/__init__.py",
            {},
            "below /var/task",
            "COPY package/ ${LAMBDA_TASK_ROOT}/",
        ),
        ("/srv/fastapi.py", {}, "not on sys.path", "COPY fastapi.py ${LAMBDA_TASK_ROOT}/"),
    ],
)
def test_each_place_off_the_path_has_its_own_fix(
    path: str, launch: dict[str, Any], reason: str, fix: str
) -> None:
    found = only({"handler.py": "import fastapi\n", path: ""}, **launch)
    assert (found.rule, found.severity, found.fix) == ("dependency-off-path", FAILS, fix)
    assert reason in found.message


def test_a_package_in_a_home_is_told_once() -> None:
    files = {
        "handler.py": "import fastapi\n",
        "/root/.local/lib/python3.13/site-packages/fastapi/__init__.py": "",
    }
    assert check(files) == ()
    assert [one.rule for one in filesystem_homes.check(subject(task(files)))] == ["user-site-install"]


def test_a_package_in_a_home_that_a_function_imports_is_told_here() -> None:
    found = only(
        {
            "handler.py": "def handler(event, context):\n    import fastapi\n",
            "/root/.local/lib/python3.13/site-packages/fastapi/__init__.py": "",
        }
    )
    assert (found.rule, found.severity) == ("dependency-off-path", MAY_FAIL)
    assert "a user's own site-packages" in found.message
    assert found.fix == "USER root before the RUN that calls pip install, and no --user"


def test_private_copies_are_not_where_a_module_is() -> None:
    vendored = f"{SITE_PACKAGES}/pip/_vendor/requests/__init__.py"
    inside = f"{SITE_PACKAGES}/pkg/__init__.py", f"{SITE_PACKAGES}/pkg/requests.py"
    found = only({"handler.py": "import requests\n", vendored: "", **dict.fromkeys(inside, "")})
    assert found.rule == "import-missing"


def test_the_wrong_case_is_told_with_the_file() -> None:
    found = only({"handler.py": "import models\n", "Models.py": ""})
    assert (found.rule, found.fix) == ("import-case", "RUN mv /var/task/Models.py /var/task/models.py")
    found = only({"handler.py": "from app import Db\n", "app/__init__.py": "", "app/db.py": ""})
    assert found.rule == "import-name-missing"
    found = only({"handler.py": "import app.Db\n", "app/__init__.py": "", "app/db.py": ""})
    assert (found.rule, found.fix) == ("import-case", "RUN mv /var/task/app/db.py /var/task/app/Db.py")
    assert found.aws_text.endswith("No module named 'app.Db'")


def test_a_sibling_is_imported_relative_to_the_package() -> None:
    files: dict[str, Content] = {
        "app/__init__.py": "",
        "app/main.py": "import json\nfrom routers import items\n",
        "app/routers/__init__.py": "",
        "app/routers/items.py": "",
    }
    found = only(files, command=("app.main.handler",))
    assert found.rule == "import-sibling"
    assert found.fix == "write from .routers import items in /var/task/app/main.py, line 2"
    assert found.aws_text == (
        "Runtime.ImportModuleError: Unable to import module 'app.main': No module named 'routers'"
    )
    slashed = only(files, command=("app/main.handler",))
    assert "'app/main'" in slashed.aws_text


def test_a_relative_import_needs_a_package() -> None:
    found = only({"handler.py": "from . import db\nfrom .db import x\n", "db.py": "x = 1\n"})
    assert (found.rule, found.severity) == ("import-relative", FAILS)
    assert found.aws_text.endswith("attempted relative import with no known parent package")


def test_a_module_without_the_name_is_told() -> None:
    found = only({"handler.py": "from routes import router\n", "routes.py": "app = 1\n"})
    assert found.rule == "import-name-missing"
    assert found.aws_text.endswith("cannot import name 'router' from 'routes' (/var/task/routes.py)")
    found = only({"handler.py": "from app import db\n", "app/x.py": ""})
    assert found.aws_text.endswith("cannot import name 'db' from 'app' (unknown location)")


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("distutils.util", "RUN /var/lang/bin/python3.13 -m pip install setuptools"),
        ("cgi", "RUN /var/lang/bin/python3.13 -m pip install legacy-cgi"),
        ("imp", "remove the import of imp"),
        ("sqlite3", "install the whole of Python 3.13 in the image"),
    ],
)
def test_a_standard_module_that_is_gone_is_told(name: str, fix: str) -> None:
    found = only({"handler.py": f"import {name}\n"})
    assert (found.rule, found.severity, found.fix) == ("stdlib-missing", FAILS, fix)


def test_a_library_without_its_extension_is_told() -> None:
    sqlite = {f"{STDLIB}/sqlite3/__init__.py": "from _sqlite3 import *\n"}
    dynload = {f"{STDLIB}/lib-dynload/_{number}.{SOABI}.so": "" for number in range(9)}
    code = {"handler.py": "import sqlite3\n"}
    found = only({**code, **sqlite, **dynload})
    assert found.rule == "stdlib-missing"
    assert found.aws_text.endswith("No module named '_sqlite3'")
    there = {f"{STDLIB}/lib-dynload/_sqlite3.{SOABI}.so": ""}
    assert check({**code, **sqlite, **dynload, **there}) == ()
    linked = {"/var/lang/lib/libpython3.13.so.1.0": b"\x7fELF..PyInit__sqlite3.."}
    assert check({**code, **sqlite, **dynload, **linked}) == ()
    assert check({**code, **sqlite}) == ()


def test_metadata_without_files_is_told() -> None:
    files = dist("fastapi", "0.127.0")
    del files[f"{SITE_PACKAGES}/fastapi/__init__.py"]
    found = only({"handler.py": "import fastapi\n", **files})
    assert found.fix.endswith("install --force-reinstall --no-deps fastapi==0.127.0")


def test_an_editable_install_of_a_directory_that_is_gone_is_told() -> None:
    files = dist("service")
    del files[f"{SITE_PACKAGES}/service/__init__.py"]
    origin = '{"url": "file:///build/service", "dir_info": {"editable": true}}'
    found = only(
        {
            "handler.py": "import service\n",
            **files,
            f"{SITE_PACKAGES}/service-1.0.dist-info/direct_url.json": origin,
        }
    )
    assert found.rule == "dependency-off-path"
    assert found.fix.endswith("pip install /build/service, without -e")


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        ({"handler.py": "from importlib.metadata import version\nv = version('me')\n"}, FAILS),
        (
            {
                "handler.py": "import importlib.metadata\n"
                "def handler(e, c):\n    importlib.metadata.version('me')\n"
            },
            MAY_FAIL,
        ),
        (
            {
                "handler.py": "import lib\n",
                f"{SITE_PACKAGES}/lib/__init__.py": "import importlib.metadata\n"
                "__version__ = importlib.metadata.version('lib')\n",
            },
            FAILS,
        ),
    ],
)
def test_deleted_metadata_that_is_asked_for_is_told(files: dict[str, Content], severity: Severity) -> None:
    found = only(files)
    assert (found.rule, found.severity) == ("metadata-missing", severity)
    if severity is FAILS:
        assert "No package metadata was found for " in found.aws_text


def test_hooks_and_broken_entries_make_it_unsure() -> None:
    hook: dict[str, Content] = {
        f"{SITE_PACKAGES}/h.pth": "import hook\n",
        f"{SITE_PACKAGES}/hook.py": "sys.meta_path\n",
    }
    assert only({"handler.py": "import x\n", **hook}).severity is MAY_FAIL
    hidden = {"lib/x.py": ""}
    assert only({"handler.py": "import x\n", **hook, **hidden}).severity is INFO
    entry: dict[str, Content] = {"/lambda-entrypoint.sh": Spec(content="gone", mode=0o755)}
    assert only({"handler.py": "import x\n", **entry}).severity is MAY_FAIL


def test_lazy_imports_of_packages_without_metadata_are_information() -> None:
    library: Content = Spec(content="def frame():\n    import pandas\nframe\n", layer=0)
    found = only({"handler.py": "import lib\n", "/var/task/lib.py": library})
    assert found.severity is INFO


def test_imports_for_names_that_nobody_asks_for_are_information() -> None:
    code = "def __getattr__(name):\n    import plugin\n    return getattr(plugin, name)\n"
    assert only({"handler.py": code}).severity is INFO


def test_a_server_has_no_runtime_client_to_report_for_it() -> None:
    image = slim_subject(
        {
            "/usr/local/bin/uvicorn": "#!/usr/local/bin/python3.12\nimport uvicorn\n",
            "/app/main.py": "import gone\n",
        },
        entrypoint=(),
        cmd=("uvicorn", "main:app"),
    )
    (found,) = python_imports.check(image)
    assert found.aws_text == (
        "ModuleNotFoundError: No module named 'gone'\n"
        "Runtime.ExitError: Runtime exited with error: exit status 1"
    )


def test_is_silent_where_there_is_no_python_or_no_handler() -> None:
    assert check({"other.py": "import x\n"}) == ()
    assert tuple(python_imports.check(subject({"/x": directory()}, base=False))) == ()


def test_functions_that_a_condition_calls_are_no_fault() -> None:
    found = only({"handler.py": "def debug():\n    import debugpy\nif DEBUG:\n    debug()\n"})
    assert found.severity is INFO
