from typing import Any

import pytest

from tests.fakes.image_files import SITE_PACKAGES, STDLIB, Content, subject
from tests.fakes.python_images import slim_subject
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import python_imports, python_layout

FAILS, MAY_FAIL, INFO = Severity.FAILS, Severity.MAY_FAIL, Severity.INFO
LIBRARY: dict[str, Content] = {
    **{f"{STDLIB}/filler_{number}.py": "" for number in range(60)},
    **{f"{STDLIB}/{name}.py": "" for name in ("code", "queue", "os", "types")},
    f"{STDLIB}/logging/__init__.py": "import types\n",
    f"{STDLIB}/email/__init__.py": "",
    f"{STDLIB}/email/message.py": "class Message: ...\n",
    f"{STDLIB}/http/__init__.py": "class HTTPStatus: ...\n",
    f"{STDLIB}/http/client.py": "import email.message\n",
    f"{STDLIB}/calendar.py": "def timegm(): ...\n",
    "/var/runtime/bootstrap.py": "import logging\nimport awslambdaric.__main__\n",
    "/var/runtime/awslambdaric/__init__.py": "",
    "/var/runtime/awslambdaric/__main__.py": "from . import client\n",
    "/var/runtime/awslambdaric/client.py": "def post():\n    import http\n    http.HTTPStatus\n",
    f"{SITE_PACKAGES}/fastapi/__init__.py": "class FastAPI: ...\n",
    f"{SITE_PACKAGES}/fastapi-1.dist-info/METADATA": "Name: fastapi\nVersion: 1\n",
    f"{SITE_PACKAGES}/fastapi-1.dist-info/RECORD": "fastapi/__init__.py,,\n",
    f"{SITE_PACKAGES}/sdk/__init__.py": "import http.client\n",
    f"{SITE_PACKAGES}/dates/__init__.py": "import calendar\nEPOCH = calendar.timegm()\n",
    f"{SITE_PACKAGES}/pools/__init__.py": "import queue\ndef f():\n    return queue.Queue()\n",
    f"{SITE_PACKAGES}/web/__init__.py": "from fastapi import FastAPI\n",
}


def check(files: dict[str, Content], **launch: Any) -> list[Finding]:
    placed = {path if path.startswith("/") else f"/var/task/{path}": text for path, text in files.items()}
    return list(python_layout.check(subject({**LIBRARY, **placed}, **launch)))


@pytest.mark.parametrize(
    ("files", "severity", "text"),
    [
        (
            {"handler.py": "import sdk\n", "email.py": "def send(): ...\n"},
            FAILS,
            "Runtime.ExitError: Runtime exited with error: exit status 1\n"
            "No module named 'email.message'; 'email' is not a package",
        ),
        (
            {"handler.py": "import dates\n", "calendar.py": "def month(): ...\n"},
            FAILS,
            "AttributeError: module 'calendar' has no attribute 'timegm'",
        ),
        ({"handler.py": "import pools\n", "queue.py": "def push(): ...\n"}, MAY_FAIL, ""),
        ({"handler.py": "", "http.py": "def get(): ...\n"}, MAY_FAIL, ""),
        ({"handler.py": "import code\n", "code.py": ""}, INFO, ""),
        ({"handler.py": "", "calendar/__init__.py": ""}, INFO, ""),
    ],
    ids=[
        "email and an SDK",
        "attribute at import",
        "attribute later",
        "http and the client",
        "code",
        "unused",
    ],
)
def test_a_standard_name_is_as_bad_as_what_needs_the_original(
    files: dict[str, Content], severity: Severity, text: str
) -> None:
    (found,) = check(files)
    assert (found.rule, found.severity, found.aws_text) == ("stdlib-shadowed", severity, text)
    assert found.fix.startswith("rename /var/task/")


@pytest.mark.parametrize(
    "files",
    [
        {"handler.py": "", "types.py": ""},
        {"handler.py": "", "logging.py": ""},
        {"handler.py": "", "os.py": ""},
        {"handler.py": "", "test/__init__.py": ""},
        {"handler.py": "", "email/templates/a.txt": ""},
        {"handler.py": "", "src/email.py": ""},
        {"handler.py": "import fastapi\nimport web\n"},
        {"handler.py": "", "utils.py": "", "app/__init__.py": ""},
    ],
    ids=["loaded before", "loaded by the runtime", "at start", "test", "no package", "below", "none", "own"],
)
def test_names_that_hide_nothing_are_fine(files: dict[str, Content]) -> None:
    assert check(files) == []


def test_a_handler_that_can_never_be_imported_is_told() -> None:
    (found,) = check({"logging.py": "def handler(e, c): ...\n"}, command=("logging.handler",))
    assert found.severity is FAILS
    assert found.aws_text == "Runtime.HandlerNotFound: Handler 'handler' missing on module 'logging'"


def test_types_stops_a_python_that_is_started_in_its_directory() -> None:
    stdlib = "/usr/local/lib/python3.12"
    image = slim_subject(
        {
            **{f"{stdlib}/filler_{number}.py": "" for number in range(60)},
            f"{stdlib}/enum.py": "from types import DynamicClassAttribute\n",
            f"{stdlib}/types.py": "class DynamicClassAttribute: ...\n",
            f"{stdlib}/site-packages/awslambdaric/__main__.py": "import enum\n",
            "/app/types.py": "class User: ...\n",
        }
    )
    (found,) = python_layout.check(image)
    assert (found.rule, found.severity) == ("stdlib-shadowed", FAILS)
    assert "cannot import name 'DynamicClassAttribute' from 'types' (/app/types.py)" in found.message


def test_a_module_named_as_the_package_it_imports_gets_itself() -> None:
    code = "from fastapi import FastAPI\napp = FastAPI()\ndef handler(e, c): ...\n"
    (found,) = check({"fastapi.py": code}, command=("fastapi.handler",))
    assert (found.rule, found.severity) == ("package-shadowed", FAILS)
    assert found.aws_text == (
        "Runtime.ImportModuleError: Unable to import module 'fastapi': cannot import name 'FastAPI' from "
        "partially initialized module 'fastapi' (most likely due to a circular import) (/var/task/fastapi.py)"
    )
    code = "import fastapi\napp = fastapi.FastAPI()\n"
    (found,) = check({"handler.py": "import fastapi\n", "fastapi.py": code})
    assert found.aws_text.startswith(
        "AttributeError: partially initialized module 'fastapi' has no attribute"
    )


def test_a_package_that_gets_the_users_file_fails() -> None:
    (found,) = check({"handler.py": "import web\n", "fastapi.py": "router = 1\n"})
    assert (found.rule, found.severity) == ("package-shadowed", FAILS)
    assert found.message.startswith(
        f"/var/task/fastapi.py hides fastapi of fastapi 1, which {SITE_PACKAGES}/web/"
    )


def test_the_users_own_imports_are_told_what_hides_the_rest() -> None:
    image = subject(
        {**LIBRARY, "/var/task/handler.py": "from email.message import Message\n", "/var/task/email.py": ""}
    )
    (found,) = python_imports.check(image)
    assert (found.rule, found.severity) == ("stdlib-shadowed", FAILS)
    assert found.aws_text.endswith("No module named 'email.message'; 'email' is not a package")


def test_files_that_run_at_every_start_are_information() -> None:
    (found,) = check({"handler.py": "", "hook.pth": "import json; print(1)\n", "paths.pth": "src\n"})
    assert (found.rule, found.severity) == ("pth-runs-code", INFO)
    assert found.places[0].path == "/var/task/hook.pth"


def test_is_silent_where_there_is_no_python_or_no_handler() -> None:
    assert check({"email.py": ""}) == []
    assert list(python_layout.check(subject({"/x": ""}, base=False))) == []


def test_one_finding_for_all_that_the_users_code_misses() -> None:
    files = {
        "handler.py": "import app\nfrom fastapi import FastAPI, Depends\nimport fastapi.routing\n",
        "app.py": "from fastapi import Query\n",
        "fastapi.py": "",
    }
    assert check(dict(files)) == []
    image = subject({**LIBRARY, **{f"/var/task/{path}": text for path, text in files.items()}})
    (found,) = python_imports.check(image)
    assert (found.rule, found.severity) == ("package-shadowed", FAILS)
    assert len(found.places) == 4


def test_what_is_loaded_before_is_what_the_users_code_gets() -> None:
    files = {
        "/var/task/handler.py": "from types import MappingProxyType\nimport logging.handlers\n",
        "/var/task/types.py": "",
        "/var/task/logging.py": "",
        f"{STDLIB}/types.py": "MappingProxyType = 1\n",
        f"{STDLIB}/logging/handlers.py": "",
    }
    assert list(python_imports.check(subject({**LIBRARY, **files}))) == []
