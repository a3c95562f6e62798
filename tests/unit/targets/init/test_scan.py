import pytest

from tests.fakes.repository import DOCKERFILE, MAIN, ORDERS, tree
from understudy.errors import UnderstudyError
from understudy.targets.init import scan
from understudy.targets.init.model import DevServer, ImageInput, Options, ServiceInput


def _service(texts: dict[str, str], **options: str) -> ServiceInput:
    return scan.service(tree(texts), Options(**options))


def test_a_dockerfile_and_its_code_become_a_function_with_what_it_uses() -> None:
    service = _service(ORDERS)

    (function,) = service.functions
    assert function.image == ImageInput(context=".", dockerfile="Dockerfile")
    assert dict(function.variables) == {
        "ORDERS_TABLE": "${Table.orders-table.name}",
        "RECEIPTS_BUCKET": "${Bucket.orders-receipts.name}",
    }
    assert dict(function.local_variables) == {"STAGE": "local"}
    assert [(one.kind, one.name) for one in service.resources] == [
        ("Table", "orders-table"),
        ("Bucket", "orders-receipts"),
    ]
    assert {(*one.actions, *one.resources) for one in function.statements} == {
        ("dynamodb:GetItem", "${Table.orders-table.arn}"),
        ("s3:PutObject", "${Bucket.orders-receipts.arn}/*"),
    }
    assert service.dev_server == DevServer(app="app.main:app", source=".")
    assert service.generated == {}


def test_what_the_handler_never_loads_sets_nothing() -> None:
    assert "NEVER_ON_LAMBDA" not in str(_service(ORDERS))


def test_an_application_without_dockerfile_gets_one_and_a_handler_beside_its_code() -> None:
    service = _service({"main.py": "from fastapi import FastAPI\napi = FastAPI()\n"})

    assert sorted(service.generated) == [".dockerignore", "Dockerfile", "understudy_handler.py"]
    assert "from main import api" in service.generated["understudy_handler.py"]
    dockerfile = service.generated["Dockerfile"]
    assert 'CMD ["understudy_handler.handler"]' in dockerfile
    assert "mangum" in dockerfile


def test_a_handler_of_its_own_is_used_and_mangum_not_installed_twice() -> None:
    service = _service({"app.py": MAIN.replace("from app.store", "# "), "requirements.txt": "mangum\n"})

    assert 'CMD ["app.handler"]' in service.generated["Dockerfile"]
    assert "mangum" not in service.generated["Dockerfile"]


def test_a_dockerfile_of_a_server_stays_and_lambda_gets_its_own() -> None:
    server = 'FROM python:3.13-slim\nCOPY . .\nCMD ["uvicorn", "main:api"]\n'
    service = _service({"Dockerfile": server, "main.py": "from fastapi import FastAPI\napi = FastAPI()\n"})

    assert service.functions[0].image.dockerfile == "Dockerfile.lambda"
    assert "Dockerfile" not in service.generated


def test_code_below_src_is_copied_to_the_root_that_it_is_imported_from() -> None:
    texts = {"src/shop/__init__.py": "", "src/shop/main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}
    service = _service(texts)

    assert "COPY src/ ${LAMBDA_TASK_ROOT}/" in service.generated["Dockerfile"]
    assert "from shop.main import app" in service.generated["src/understudy_handler.py"]


def test_several_dockerfiles_ask_for_one() -> None:
    texts = {f"services/{name}/Dockerfile": DOCKERFILE for name in ("a", "b")}

    with pytest.raises(UnderstudyError) as caught:
        _service(texts)

    assert caught.value.code == "init-several"
    assert caught.value.hint == "name one: understudy init services/a/Dockerfile"
    (function,) = _service(texts, dockerfile="services/b/Dockerfile").functions
    assert (function.name, function.image.context) == ("b", "services/b")


def test_nothing_for_lambda_is_told() -> None:
    with pytest.raises(UnderstudyError) as caught:
        _service({"README.md": "hello"})

    assert caught.value.code == "init-nothing"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"requirements.txt": "fastapi\n"}, "uvicorn is not among the requirements"),
        ({"Dockerfile": DOCKERFILE.replace("install", "install -t .")}, "packages lie beside the code"),
    ],
    ids=["no uvicorn", "packages beside the code"],
)
def test_no_development_server_where_none_could_run(change: dict[str, str], reason: str) -> None:
    service = _service({**ORDERS, **change})

    assert service.dev_server is None
    assert any(reason in note.text for note in service.notes)


def test_an_application_behind_a_handler_of_one_s_own_is_found() -> None:
    handler = "from mangum import Mangum\nfrom app.web import api\ndef handler(event, context): ...\n"
    service = _service(
        {**ORDERS, "app/main.py": handler, "app/web.py": "from fastapi import FastAPI\napi = FastAPI()\n"}
    )

    assert service.dev_server == DevServer(app="app.web:api", source=".")
