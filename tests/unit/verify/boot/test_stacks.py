"""Whose code a stack is about."""

import pytest

from understudy.verify.boot import stacks


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/var/task/app.py", True),
        ("/var/lang/lib/python3.13/site-packages/requests/api.py", True),
        ("/usr/lib/python3/dist-packages/six.py", True),
        ("/var/lang/lib/python3.13/importlib/__init__.py", False),
        ("<frozen importlib._bootstrap>", False),
        ("/var/runtime/awslambdaric/bootstrap.py", False),
        ("/usr/local/lib/python3.12/site-packages/awslambdaric/bootstrap.py", False),
    ],
)
def test_own_code_is_told_from_pythons_and_the_clients(path: str, own: bool) -> None:
    assert stacks.is_own(path) is own


def test_places_are_innermost_first_and_own() -> None:
    stack = [
        '  File "/var/lang/lib/python3.13/importlib/__init__.py", line 88, in import_module',
        '  File "/var/task/app.py", line 3, in <module>',
        '  File "/var/task/settings.py", line 9, in load',
        '  File "<frozen os>", line 1, in __getitem__',
    ]
    assert stacks.places(stack) == [("/var/task/settings.py", 9), ("/var/task/app.py", 3)]
    assert stacks.places(stack[:1]) == [("/var/lang/lib/python3.13/importlib/__init__.py", 88)]
