import ast

import pytest

from understudy.targets.init import variables
from understudy.targets.init.modules import Code
from understudy.targets.init.variables import Names, Value


def _code(text: str) -> Code:
    return Code(name="app", path="app.py", tree=ast.parse(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\nos.environ['A']", ("A", None, True)),
        ("import os\nos.getenv('A', 'x')", ("A", "x", False)),
        ("import os\nos.environ.get('A')", ("A", None, False)),
        ("from starlette.config import Config\nconfig = Config()\nconfig('A', default=3)", ("A", "3", False)),
        ("from decouple import config\nconfig('A')", ("A", None, True)),
    ],
    ids=["subscript", "getenv", "get", "starlette", "decouple"],
)
def test_reads_of_the_environment(text: str, expected: tuple[str, str | None, bool]) -> None:
    (found,) = variables.find([_code(text)])

    assert (found.name, found.default, found.required) == expected


def test_fields_of_settings_are_variables_with_their_prefix_alias_and_shape() -> None:
    text = """
class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_")
    table: str
    workers: int
    debug: bool = False
    key: str = Field(alias="API_KEY")
    url: str = Field(default="http://x")
"""
    found = {one.name: (one.default, one.required, one.shape) for one in variables.find([_code(text)])}

    assert found == {
        "SHOP_TABLE": (None, True, "text"),
        "SHOP_WORKERS": (None, True, "number"),
        "SHOP_DEBUG": ("False", False, "flag"),
        "API_KEY": (None, True, "text"),
        "SHOP_URL": ("http://x", False, "text"),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NAME = 'users'\nuse(NAME)", Value(constant="users")),
        ("import os\nNAME = os.environ['T']\nuse(NAME)", Value(variable="T")),
        ("import os\nuse(os.getenv('T') or 'users')", Value(variable="T", constant="users")),
        ("def f(name='users'):\n    use(name)", Value(constant="users")),
        ("class S(BaseSettings):\n    table: str\nuse(settings.table)", Value(variable="TABLE")),
        ("x = 'a'\nx = 'b'\nuse(x)", Value()),
    ],
    ids=["constant", "variable", "or", "parameter", "settings", "two values"],
)
def test_a_name_is_followed_as_far_as_one_value_comes_of_it(text: str, expected: Value) -> None:
    code = _code(text)
    call = next(
        node for node in ast.walk(code.tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "use"
    )

    assert Names([code]).value(call.args[0]) == expected
