from tests.fakes.image_files import SITE_PACKAGES, STDLIB, Content, ImageFiles, aws_base, directory, subject
from understudy.verify.python import analysis

HANDLER: dict[str, Content] = {
    "/var/task/handler.py": "import app\n",
    "/var/task/app.py": "",
    f"{STDLIB}/logging/__init__.py": "",
    f"{STDLIB}/__pycache__/os.cpython-313.pyc": b"",
    f"{SITE_PACKAGES}/__pycache__/six.cpython-313.pyc": b"",
    "/var/runtime/bootstrap.py": "import logging\n",
}


def of(files: dict[str, Content]) -> analysis.Analysis:
    found = analysis.of(subject(ImageFiles({**aws_base(), **HANDLER, **files})))
    assert found is not None
    return found


def test_reads_the_users_code_alone_while_nothing_is_odd() -> None:
    found = of({f"{SITE_PACKAGES}/fastapi/__init__.py": ""})
    assert set(found.closure.facts) == {"/var/task/handler.py", "/var/task/app.py"}
    files = found.files
    assert isinstance(files, ImageFiles)
    assert {path for path in files.reads if path.endswith(".py")} <= set(found.closure.facts)
    assert files.prefetched >= set(found.closure.facts)


def test_asks_what_is_loaded_before_only_when_names_meet() -> None:
    assert "logging" not in of({}).loaded
    assert "logging" in of({"/var/task/logging.py": ""}).loaded


def test_code_is_the_users_unless_a_distribution_lists_it() -> None:
    info: dict[str, Content] = {
        "/var/task/lib-1.dist-info/METADATA": "Name: lib\nVersion: 1\n",
        "/var/task/lib-1.dist-info/RECORD": "lib/__init__.py,,\n",
        "/var/task/lib/__init__.py": "",
        f"{SITE_PACKAGES}/other.py": "",
        f"{SITE_PACKAGES}/mine/__init__.py": "",
        f"{SITE_PACKAGES}/mine-1.dist-info/METADATA": "Name: mine\n",
        f"{SITE_PACKAGES}/mine-1.dist-info/direct_url.json": '{"url": "file:///src", "dir_info": {}}',
    }
    found = of(info)
    own = {
        name: found.is_own(module)
        for name in ("app", "lib", "other", "mine", "logging")
        if (module := found.finder.find(name)) is not None
    }
    assert own == {"app": True, "lib": False, "other": False, "mine": True, "logging": False}


def test_keeps_the_last_analysis() -> None:
    image = subject(HANDLER)
    assert analysis.of(image) is analysis.of(image)
    assert analysis.of(subject({"/x": directory()}, base=False)) is None
