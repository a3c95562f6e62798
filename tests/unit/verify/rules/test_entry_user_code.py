"""Which modules of the user's rules look into, and that no text of theirs breaks a rule."""

import pytest

from tests.fakes import image_files as fake
from understudy.verify.rules import configuration, entry, entry_user_code, filesystem

TASK = fake.TASK


def test_modules_of_the_handler_and_how_sure_they_are() -> None:
    subject = fake.subject(
        {
            f"{TASK}/handler.py": "import sure, requests\ntry:\n    import maybe\nexcept Exception: ...\n",
            f"{TASK}/sure.py": "",
            f"{TASK}/maybe.py": "",
            f"{TASK}/unused.py": "",
            f"{fake.SITE_PACKAGES}/requests/__init__.py": "",
        }
    )
    modules = {module.name: module.sure for module in entry_user_code.modules(subject)}
    assert modules == {"handler": True, "sure": True, "maybe": False}


def test_the_answer_for_an_image_is_kept() -> None:
    subject = fake.subject({f"{TASK}/handler.py": ""})
    assert entry_user_code.modules(subject) is entry_user_code.modules(subject)


def test_images_without_python_have_none() -> None:
    subject = fake.subject({"/app": fake.shared_object()}, base=False, entrypoint=("/app",), command=())
    assert entry_user_code.modules(subject) == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "x = open(" + " + ".join(["'a'"] * 3000) + ", 'w')\nimport os\nos.environ['X']", id="deep"
        ),
        pytest.param("def handler(:\n    open('x', 'w')", id="syntax-error"),
        pytest.param("\0", id="null"),
        pytest.param("open('\\ud800', 'w')\nimport os\nos.environ['\\udfff']", id="surrogates"),
        pytest.param("\ufeffimport multiprocessing\nmultiprocessing.Lock()", id="byte-order-mark"),
        pytest.param("class C(C): open('x', 'w')\nC()", id="itself"),
    ],
)
def test_no_text_breaks_a_rule(text: str) -> None:
    subject = fake.subject({f"{TASK}/handler.py": text})
    for family in (entry, filesystem, configuration):
        list(family.check(subject))


@pytest.mark.parametrize(
    ("entrypoint", "command"),
    [
        pytest.param(("",), (), id="empty-word"),
        pytest.param(("/",), ("",), id="root"),
        pytest.param(("/lambda-entrypoint.sh",), ("",), id="empty-handler"),
        pytest.param(("/lambda-entrypoint.sh",), ("..",), id="dots"),
        pytest.param(("/lambda-entrypoint.sh",), ("\0.x",), id="null"),
        pytest.param(("env",), (), id="env-alone"),
        pytest.param(("/bin/sh", "-c"), (), id="shell-without-text"),
        pytest.param(("/bin/sh", "-c", "'"), (), id="open-quote"),
    ],
)
def test_no_command_line_breaks_a_rule(entrypoint: tuple[str, ...], command: tuple[str, ...]) -> None:
    subject = fake.subject({f"{TASK}/handler.py": ""}, entrypoint=entrypoint, command=command)
    for family in (entry, filesystem, configuration):
        list(family.check(subject))
