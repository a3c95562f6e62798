import pytest

from tests.fakes.image_files import Content, Spec, subject
from tests.fakes.python_images import slim_subject
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import python_syntax

BROKEN = "import json\ndef f(:\n    pass\n"
MATCH = "match x:\n    case 1: pass\n"


def check(files: dict[str, Content]) -> tuple[Finding, ...]:
    return tuple(python_syntax.check(subject({f"/var/task/{path}": text for path, text in files.items()})))


def test_names_the_line_and_the_way_to_it() -> None:
    (found,) = check({"handler.py": "import app.db\n", "app/__init__.py": "", "app/db.py": BROKEN})
    assert (found.rule, found.severity) == ("syntax-error", Severity.FAILS)
    assert found.message.startswith("handler (handler.py:1) -> app.db: ")
    assert found.aws_text.startswith("Runtime.UserCodeSyntaxError: Syntax error in module 'handler': ")
    assert found.aws_text.endswith("(db.py, line 2)")
    assert found.fix == "correct line 2 of /var/task/app/db.py"
    assert (found.places[0].path, found.places[0].line) == ("/var/task/app/db.py", 2)


@pytest.mark.parametrize(
    "files",
    [
        {"handler.py": "", "other.py": BROKEN},
        {"handler.py": "", "tests/test_x.py": BROKEN},
        {"handler.py": 'type X = int\ndef f[T](x: T): return f"{x["a"]}"\n'},
        {"handler.py": "try:\n    import app\nexcept Exception:\n    app = None\n", "app.py": BROKEN},
        {
            "handler.py": BROKEN,
            "__pycache__/handler.cpython-313.pyc": b"\xf3\r\r\n\x01\0\0\0" + b"\0" * 8,
        },
        {"handler.py": "import lib\n", "lib/__init__.py": BROKEN, "lib-1.dist-info/METADATA": "Name: lib\n"},
    ],
    ids=["not imported", "tests", "new syntax", "caught", "unchecked bytecode", "installed"],
)
def test_is_silent_about_what_starts(files: dict[str, Content]) -> None:
    assert check(files) == ()


def test_an_except_for_imports_does_not_catch_it() -> None:
    (found,) = check(
        {"handler.py": "try:\n    import app\nexcept ImportError:\n    app = 1\n", "app.py": BROKEN}
    )
    assert found.severity is Severity.FAILS


def test_bytecode_that_is_checked_does_not_help() -> None:
    timed: Content = b"\xf3\r\r\n\0\0\0\0" + b"\0" * 8
    assert len(check({"handler.py": BROKEN, "__pycache__/handler.cpython-313.pyc": timed})) == 1


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("def handler(event, context):\n    import app\n", Severity.MAY_FAIL),
        ("if x:\n    import app\n", Severity.INFO),
    ],
)
def test_is_as_sure_as_the_import_is(text: str, severity: Severity) -> None:
    (found,) = check({"handler.py": text, "app.py": BROKEN})
    assert found.severity is severity


def test_syntax_that_the_images_python_is_too_old_for_is_told_apart() -> None:
    (found,) = python_syntax.check(slim_subject({"/app/app.py": MATCH}, version="3.9"))
    assert found.rule == "syntax-newer-than-python"
    assert found.fix.endswith("of /app/app.py for Python 3.9, or take a newer base image")
    assert "Syntax error in module 'app': invalid syntax (app.py, line " in found.aws_text
    assert tuple(python_syntax.check(slim_subject({"/app/app.py": MATCH}, version="3.10"))) == ()


def test_a_script_reports_nothing_to_lambda() -> None:
    image = slim_subject({"/app/run.py": Spec(content=BROKEN)}, entrypoint=("python", "run.py"), cmd=())
    (found,) = python_syntax.check(image)
    assert found.aws_text.startswith("SyntaxError: ")
    assert found.aws_text.endswith("Runtime.ExitError: Runtime exited with error: exit status 1")


def test_is_silent_where_there_is_no_python() -> None:
    assert tuple(python_syntax.check(subject({"/x": ""}, base=False))) == ()
