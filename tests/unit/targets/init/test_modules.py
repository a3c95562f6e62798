from understudy.targets.init import modules

TREES = modules.parse(
    {
        "src/app/__init__.py": "from . import settings",
        "src/app/main.py": "from app.routes import users\ndef f():\n    import app.lazy\n",
        "src/app/routes/__init__.py": "",
        "src/app/routes/users.py": "from ..store import table",
        "src/app/store.py": "",
        "src/app/settings.py": "",
        "src/app/lazy.py": "",
        "src/app/unused.py": "",
        "broken.py": "def",
    }
)


def test_what_the_handler_loads_is_followed_through_every_kind_of_import() -> None:
    found = {code.name for code in modules.reached("src/app/main.py", TREES, "src")}

    assert found == {
        "app",
        "app.main",
        "app.routes",
        "app.routes.users",
        "app.store",
        "app.settings",
        "app.lazy",
    }


def test_a_module_is_found_by_the_end_of_its_path_and_says_where_it_is_imported_from() -> None:
    path = modules.find("app.main", TREES, ".")

    assert path == "src/app/main.py"
    assert modules.root_of(path, "app.main") == "src"
    assert modules.find("app.gone", TREES, ".") is None
    assert modules.find("app", TREES, ".") == "src/app/__init__.py"
    assert modules.root_of("src/app/__init__.py", "app") == "src"
