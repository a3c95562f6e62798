from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes.image_files import SITE_PACKAGES, Content, Spec, subject
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import python_distributions

FAILS, MAY_FAIL, INFO = Severity.FAILS, Severity.MAY_FAIL, Severity.INFO


def dist(
    name: str,
    *requires: str,
    version: str = "1.0",
    code: str = "",
    folder: str = SITE_PACKAGES,
    python: str = "",
    layer: int = 1,
) -> dict[str, Content]:
    """An installed distribution with one package of its name."""
    module = name.replace("-", "_")
    place = f"{folder}/{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {python}"] if python else []
    lines += [f"Requires-Dist: {line}" for line in requires]
    texts = {
        f"{place}/METADATA": "\n".join(lines) + "\n",
        f"{place}/RECORD": f"{module}/__init__.py,,\n",
        f"{folder}/{module}/__init__.py": code,
    }
    files: dict[str, Content] = {path: Spec(content=text, layer=layer) for path, text in texts.items()}
    files[place] = Spec(kind="dir", layer=layer)
    return files


def check(*parts: Mapping[str, Content], handler: str = "import fastapi\n", **launch: Any) -> list[Finding]:
    files: dict[str, Content] = {"/var/task/handler.py": handler}
    for part in parts:
        files.update(part)
    return list(python_distributions.check(subject(files, **launch)))


def test_a_missing_requirement_fails_where_the_import_surely_ends_at_it() -> None:
    (found,) = check(dist("fastapi", "starlette (<0.51,>=0.40)", code="from starlette import status\n"))
    assert (found.rule, found.severity) == ("distribution-missing", FAILS)
    assert found.message.startswith("fastapi 1.0 requires starlette<0.51,>=0.40, which is not installed; ")
    assert "handler (handler.py:1) -> fastapi (__init__.py:1) -> starlette" in found.message
    assert found.fix == "RUN /var/lang/bin/python3.13 -m pip install 'starlette<0.51,>=0.40'"
    assert found.aws_text == (
        "Runtime.ImportModuleError: Unable to import module 'handler': No module named 'starlette'"
    )


@pytest.mark.parametrize(
    ("code", "handler", "severity"),
    [
        ("try:\n    import extra\nexcept ImportError:\n    extra = None\n", "import fastapi\n", INFO),
        ("def f():\n    import extra\n", "import fastapi\n", MAY_FAIL),
        ("if x:\n    import extra\n", "import fastapi\n", INFO),
        ("", "import fastapi\n", INFO),
        ("import extra\n", "import json\n", INFO),
        ("import extra\n", "def handler(e, c):\n    import fastapi\n", MAY_FAIL),
        ("import extra.deep.inside\n", "import fastapi\n", FAILS),
        ("import oddly_named\n", "import fastapi\n", FAILS),
    ],
)
def test_a_missing_requirement_is_as_bad_as_its_use(code: str, handler: str, severity: Severity) -> None:
    (found,) = check(dist("fastapi", "extra", code=code), handler=handler)
    assert (found.rule, found.severity) == ("distribution-missing", severity)


def test_follows_from_package_to_package() -> None:
    (found,) = check(
        dist("fastapi", "starlette", code="import starlette\n"),
        dist("starlette", "anyio", code="from anyio import run\n"),
    )
    assert found.severity is FAILS
    assert "starlette (__init__.py:1) -> anyio" in found.message


@pytest.mark.parametrize(
    "requires",
    [
        "tomli; python_version < '3.11'",
        "colorama; sys_platform == 'win32'",
        "pywin32; platform_system == 'Windows'",
        "cffi; platform_python_implementation == 'PyPy'",
        "uvloop; extra == 'standard'",
        "async-timeout; python_full_version < '3.11.3'",
        "grpcio; platform_machine == 'aarch64'",
        "typing-extensions>=4",
        "broken requirement !!",
        "PyYAML",
        "importlib_metadata; odd_marker == '1'",
    ],
)
def test_requirements_that_do_not_hold_here_are_met(requires: str) -> None:
    found = check(
        dist("fastapi", requires),
        dist("Typing.Extensions", version="4.1"),
        # A package that another distribution brings under the module's name.
        {f"{SITE_PACKAGES}/yaml/__init__.py": ""},
    )
    assert found == []


def test_extras_count_when_somebody_asks_for_them() -> None:
    (found,) = check(dist("fastapi", "uvicorn[standard]"), dist("uvicorn", "httptools; extra == 'standard'"))
    assert found.message.startswith("uvicorn 1.0 requires httptools")


def test_installs_beside_what_requires_it() -> None:
    (found,) = check(dist("fastapi", "starlette", folder="/var/task"))
    assert '--target "${LAMBDA_TASK_ROOT}" ' in found.fix


def test_the_packages_of_the_runtime_are_not_judged() -> None:
    assert check(dist("boto3", "botocore", "six>9", folder="/var/runtime"), dist("fastapi")) == []


@pytest.mark.parametrize(("handler", "severity"), [("import fastapi\n", MAY_FAIL), ("import json\n", INFO)])
def test_versions_that_do_not_go_together_may_fail(handler: str, severity: Severity) -> None:
    (found,) = check(dist("fastapi", "starlette<0.51"), dist("starlette", version="0.52.1"), handler=handler)
    assert (found.rule, found.severity) == ("version-conflict", severity)
    assert found.message == f"fastapi 1.0 requires starlette<0.51, {SITE_PACKAGES} has 0.52.1"


def test_prereleases_and_leftovers_of_upgrades_are_no_conflict() -> None:
    assert check(dist("fastapi", "starlette>=0.40"), dist("starlette", version="0.51.0rc1")) == []
    both = {**dist("starlette", version="0.30"), **dist("starlette", version="0.45")}
    assert check(dist("fastapi", "starlette>=0.40"), both) == []
    assert check(dist("fastapi", "starlette>=0.40"), dist("starlette", version="unreadable")) == []


def test_pydantic_refuses_another_release_of_its_core() -> None:
    core = dist("pydantic-core", version="2.41.4")
    checks = dist("pydantic", "pydantic-core==2.41.5", code="_ensure_pydantic_core_version()\n")
    (found,) = check(checks, core, dist("fastapi", code="import pydantic\n"))
    assert found.severity is FAILS
    assert found.aws_text.startswith(
        "SystemError: The installed pydantic-core version (2.41.4) is incompatible with the current pydantic "
        "version, which requires 2.41.5."
    )
    unchecked = dist("pydantic", "pydantic-core==2.41.5")
    (found,) = check(unchecked, core, handler="import pydantic\n")
    assert found.severity is MAY_FAIL


@pytest.mark.parametrize(
    ("python", "rules"),
    [(">=3.14", ["python-requirement"]), ("<3.13", ["python-requirement"]), (">=3.9,<4", []), ("junk", [])],
)
def test_requires_python_is_for_the_images_python(python: str, rules: list[str]) -> None:
    found = check(dist("fastapi", python=python))
    assert [item.rule for item in found] == rules
    assert all(item.severity is MAY_FAIL for item in found)


def test_a_release_that_is_never_imported_is_told() -> None:
    old = dist("boto3", version="1.26.0", folder="/var/runtime", layer=0)
    new = dist("boto3", version="1.42.0")
    assert check(old, new, handler="import boto3\n") == []
    (found,) = check(old, new, handler="import boto3\n", function_env={"PYTHONPATH": "/var/task"})
    assert (found.rule, found.severity) == ("distribution-hidden", MAY_FAIL)
    assert found.fix.startswith("remove PYTHONPATH")
    (found,) = check(old, new, handler="import json\n", function_env={"PYTHONPATH": "/var/task"})
    assert found.severity is INFO


def test_is_silent_where_there_is_no_python() -> None:
    assert list(python_distributions.check(subject({"/x": ""}, base=False))) == []
