import ast

import pytest

from understudy.verify.python import constants
from understudy.verify.python.constants import Scope

SCOPE = Scope(
    path="/var/task/app/main.py",
    version=(3, 12),
    working_dir="/var/task",
    environment={"LAMBDA_TASK_ROOT": "/var/task"},
    names={"HERE": "/var/task/app"},
)


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("'/opt/lib'", "/opt/lib"),
        ("'lib'", "/var/task/lib"),
        ("os.path.dirname(__file__)", "/var/task/app"),
        ("os.path.join(os.path.dirname(os.path.abspath(__file__)), 'vendor')", "/var/task/app/vendor"),
        ("os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib')", "/var/task/lib"),
        ("os.path.abspath(os.path.join(dirname(__file__), os.pardir))", None),
        ("path.join(HERE, 'x')", "/var/task/app/x"),
        ("str(Path(__file__).parent / 'site')", "/var/task/app/site"),
        ("str(pathlib.Path(__file__).resolve().parents[1] / 'lib')", "/var/task/lib"),
        ("Path(__file__).absolute().parent.joinpath('a', 'b')", "/var/task/app/a/b"),
        ("os.environ['LAMBDA_TASK_ROOT'] + '/lib'", "/var/task/lib"),
        ("os.environ.get('LIB', '/opt/lib')", "/opt/lib"),
        ("os.getenv('LIB')", None),
        ("f'{HERE}/lib'", "/var/task/app/lib"),
        ("os.getcwd()", "/var/task"),
        ("tempfile.mkdtemp()", None),
        ("elsewhere.join('a', 'b')", None),
        ("unknown", None),
        ("1 / 2", None),
    ],
)
def test_knows_paths_that_depend_on_the_module_alone(text: str, path: str | None) -> None:
    assert constants.path(expression(text), SCOPE) == path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("TYPE_CHECKING", False),
        ("typing.TYPE_CHECKING", False),
        ("not TYPE_CHECKING", True),
        ("sys.version_info >= (3, 11)", True),
        ("sys.version_info < (3, 12, 3)", False),
        ("sys.version_info[:2] >= (3, 11)", None),
        ("sys.version_info[0] == 3", True),
        ("sys.version_info.minor < 12", False),
        ("sys.platform == 'win32'", False),
        ("sys.platform.startswith('linux')", True),
        ("os.name == 'nt'", False),
        ("platform.system() != 'Windows'", True),
        ("__name__ == '__main__'", False),
        ("sys.platform == 'win32' or TYPE_CHECKING", False),
        ("DEBUG and TYPE_CHECKING", False),
        ("DEBUG or TYPE_CHECKING", None),
        ("os.environ.get('DEBUG')", None),
        ("True", True),
        ("x == (3, 1)", None),
    ],
)
def test_decides_what_holds_by_definition(text: str, value: bool | None) -> None:
    assert constants.truth(expression(text), SCOPE) is value


def test_a_script_is_main() -> None:
    scope = Scope(path="/app/main.py", version=(3, 12), is_main=True)
    assert constants.truth(expression("__name__ == '__main__'"), scope) is True
