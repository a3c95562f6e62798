"""Variables without which the user's code cannot be imported."""

import textwrap
from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import configuration_variables

SETTINGS = "from pydantic_settings import BaseSettings, SettingsConfigDict\nfrom pydantic import Field\n"


def check(text: str, files: Mapping[str, fake.Content] | None = None, **launch: Any) -> list[Finding]:
    subject = fake.subject({f"{fake.TASK}/handler.py": textwrap.dedent(text), **(files or {})}, **launch)
    return list(configuration_variables.check(subject))


@pytest.mark.parametrize(
    "text",
    [
        "import os\nURL = os.environ['DB_URL']",
        "from os import environ\nURL = environ['DB_URL']",
        "import os as o\nclass C:\n    URL = o.environ['DB_URL']",
        "import os\ndef f():\n    return os.environ['DB_URL']\nURL = f()",
        "import os\nURL = int(os.environ['DB_URL'])",
    ],
)
def test_a_look_up_at_import(text: str) -> None:
    (finding,) = check(text, function_name="dashboard")
    assert (finding.rule, finding.severity) == ("environment-variable-missing", Severity.FAILS)
    assert finding.aws_text == "KeyError: 'DB_URL'"
    assert finding.fix == "add DB_URL to the function's environment variables"


def test_without_a_function_it_may_be_set_there() -> None:
    (finding,) = check("import os\nos.environ['DB_URL']")
    assert finding.severity is Severity.MAY_FAIL
    assert finding.fix.endswith("and verify with --function NAME or --env DB_URL=VALUE")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("os.environ.get('DB_URL')", id="get"),
        pytest.param("os.getenv('DB_URL')", id="getenv"),
        pytest.param("os.environ['AWS_REGION']", id="set-by-lambda"),
        pytest.param("os.environ['LAMBDA_TASK_ROOT']", id="set-by-the-base"),
        pytest.param("os.environ['DB_URL'] = 'x'\nos.environ['DB_URL']", id="set-by-the-code"),
        pytest.param("os.environ.setdefault('DB_URL', 'x')\nos.environ['DB_URL']", id="default-by-the-code"),
        pytest.param("os.environ.update(DB_URL='x')\nos.environ['DB_URL']", id="update"),
        pytest.param("def f():\n    os.environ['DB_URL']", id="in-a-function"),
        pytest.param("if 'DB_URL' in os.environ:\n    os.environ['DB_URL']", id="condition"),
        pytest.param("x = os.environ['DB_URL'] if 'DB_URL' in os.environ else ''", id="expression"),
        pytest.param("try:\n    os.environ['DB_URL']\nexcept KeyError:\n    ...", id="caught"),
        pytest.param("from dotenv import load_dotenv\nload_dotenv()\nos.environ['DB_URL']", id="dotenv"),
        pytest.param("os.environ[name]", id="unknown-name"),
        pytest.param("del os.environ['DB_URL']", id="deleted"),
        pytest.param("{}['DB_URL']", id="another-dictionary"),
    ],
)
def test_good(text: str) -> None:
    assert check(f"import os\n{text}\n", function_name="f") == []


def test_set_by_image_or_function() -> None:
    text = "import os\nos.environ['DB_URL']"
    assert check(text, function_env={"DB_URL": "x"}) == []
    assert check(text, image_env={**fake.AWS_ENV, "DB_URL": ""}) == []


def test_a_variable_is_told_once() -> None:
    text = "import os\nimport other\nos.environ['DB_URL']\nos.environ['DB_URL']"
    assert len(check(text, {f"{fake.TASK}/other.py": "import os\nos.environ['DB_URL']"})) == 1


@pytest.mark.parametrize(
    ("body", "field", "variable"),
    [
        pytest.param("db_url: str", "db_url", "DB_URL", id="plain"),
        pytest.param("db_url: str = ...", "db_url", "DB_URL", id="ellipsis"),
        pytest.param("db_url: str = Field(description='x')", "db_url", "DB_URL", id="field"),
        pytest.param("db_url: str = Field(alias='URL')", "db_url", "URL", id="alias"),
        pytest.param(
            "db_url: str = Field(..., validation_alias='URL')", "db_url", "URL", id="validation-alias"
        ),
        pytest.param(
            "model_config = SettingsConfigDict(env_prefix='APP_')\n    db_url: str",
            "db_url",
            "APP_DB_URL",
            id="prefix",
        ),
        pytest.param(
            "model_config = {'case_sensitive': True}\n    Db_Url: str",
            "Db_Url",
            "Db_Url",
            id="case-sensitive",
        ),
        pytest.param(
            "class Config:\n        env_prefix = 'app_'\n    db: str", "db", "APP_DB", id="inner-config"
        ),
        pytest.param(
            "model_config = SettingsConfigDict(env_file='.env')\n    db: str",
            "db",
            "DB",
            id="env-file-that-is-not-there",
        ),
    ],
)
def test_required_settings(body: str, field: str, variable: str) -> None:
    (finding,) = check(f"{SETTINGS}class Settings(BaseSettings):\n    {body}\nsettings = Settings()\n")
    assert finding.message.startswith(f"handler needs the environment variable {variable} ")
    assert finding.aws_text.startswith(
        f"ValidationError: 1 validation error for Settings\n{field}\n  Field required"
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("db_url: str = 'x'\nsettings = Settings()", id="default"),
        pytest.param("db_url: str = Field('x')\nsettings = Settings()", id="field-default"),
        pytest.param("db_url: list = Field(default_factory=list)\nsettings = Settings()", id="factory"),
        pytest.param("db_url: str\n", id="not-made"),
        pytest.param("db_url: str\nsettings = Settings(db_url='x')", id="given"),
        pytest.param("db_url: str\nsettings = Settings(**values)", id="maybe-given"),
        pytest.param("db_url: str\ndef f():\n    return Settings()", id="made-in-a-function"),
        pytest.param("db_url: str\ntry:\n    s = Settings()\nexcept Exception:\n    s = None", id="caught"),
        pytest.param(
            "db_url: str = Field(validation_alias=AliasChoices('A', 'B'))\nsettings = Settings()",
            id="choices",
        ),
        pytest.param(
            "model_config = SettingsConfigDict(secrets_dir='/run')\n    db_url: str\nsettings = Settings()",
            id="secrets",
        ),
        pytest.param(
            "def settings_customise_sources(cls): ...\n    db_url: str\nsettings = Settings()",
            id="own-sources",
        ),
        pytest.param("_private: str\n    kind: ClassVar[str]\nsettings = Settings()", id="no-fields"),
    ],
)
def test_good_settings(body: str) -> None:
    assert check(f"{SETTINGS}class Settings(BaseSettings):\n    {body}\n") == []


def test_an_env_file_in_the_image_is_not_judged() -> None:
    config = "model_config = SettingsConfigDict(env_file='.env')"
    text = f"{SETTINGS}class S(BaseSettings):\n    {config}\n    db: str\nS()"
    assert check(text, {f"{fake.TASK}/.env": "DB=x"}) == []


def test_names_of_settings_have_no_case_unless_they_say_so() -> None:
    text = f"{SETTINGS}class S(BaseSettings):\n    db_url: str\nS()"
    assert check(text, function_env={"db_url": "x"}) == []


def test_a_settings_class_of_another_module() -> None:
    config = f"{SETTINGS}class Settings(BaseSettings):\n    db_url: str\n"
    (finding,) = check("from config import Settings\ns = Settings()", {f"{fake.TASK}/config.py": config})
    assert (finding.places[0].path, finding.places[0].line) == (f"{fake.TASK}/handler.py", 2)
