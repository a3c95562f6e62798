"""Packages in a home directory: lost when the code needs them, nobody's business otherwise."""

from collections.abc import Mapping

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Severity
from understudy.verify.rules import filesystem_homes

USER_SITE = "/home/app/.local/lib/python3.13/site-packages"
HANDLER = f"{fake.TASK}/handler.py"
PYTHON = "/var/lang/bin/python3.13"


def test_a_package_that_only_the_users_home_has() -> None:
    subject = fake.subject(
        {HANDLER: "import fastapi", f"{USER_SITE}/fastapi/__init__.py": ""}, config={"user": "app"}
    )
    (finding,) = filesystem_homes.check(subject)
    assert (finding.rule, finding.severity) == ("user-site-install", Severity.FAILS)
    assert finding.message.endswith("which Python does not look into on Lambda: USER app is ignored")
    assert finding.aws_text == (
        "Runtime.ImportModuleError: Unable to import module 'handler': No module named 'fastapi'"
    )


def test_the_client_itself_may_be_lost() -> None:
    files = {path: spec for path, spec in fake.aws_base().items() if "awslambdaric" not in path}
    files |= {f"{USER_SITE}/awslambdaric/__init__.py": "", HANDLER: ""}
    client = (PYTHON, "-m", "awslambdaric")
    (finding,) = filesystem_homes.check(fake.subject(files, base=False, entrypoint=client))
    assert finding.aws_text == f"{PYTHON}: No module named awslambdaric"
    assert finding.fix == "USER root before RUN pip install, without --user"


def test_homes_of_passwd_count() -> None:
    site = "/srv/me/.local/lib/python3.13/site-packages"
    passwd = "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/srv/me:/bin/sh\n"
    files: dict[str, fake.Content] = {
        "/etc/passwd": passwd,
        HANDLER: "import fastapi",
        f"{site}/fastapi.py": "",
    }
    assert len(list(filesystem_homes.check(fake.subject(files)))) == 1


@pytest.mark.parametrize(
    ("files", "environment"),
    [
        pytest.param({HANDLER: "import json"}, {}, id="no-home"),
        pytest.param({HANDLER: "", f"{USER_SITE}/black/__init__.py": ""}, {}, id="tools-that-nobody-imports"),
        pytest.param(
            {HANDLER: "import fastapi", f"{USER_SITE}/fastapi.py": "", f"{fake.TASK}/fastapi.py": ""},
            {},
            id="twice",
        ),
        pytest.param(
            {HANDLER: "try:\n    import uvloop\nexcept ImportError:\n    ...", f"{USER_SITE}/uvloop.py": ""},
            {},
            id="optional",
        ),
        pytest.param(
            {HANDLER: "import fastapi", f"{USER_SITE}/fastapi.py": ""},
            {"PYTHONPATH": USER_SITE},
            id="on-the-path",
        ),
    ],
)
def test_good(files: Mapping[str, fake.Content], environment: Mapping[str, str]) -> None:
    assert list(filesystem_homes.check(fake.subject(files, function_env=environment))) == []
