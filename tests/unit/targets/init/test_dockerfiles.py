import pytest

from tests.fakes.repository import DOCKERFILE, tree
from understudy.targets.init import dockerfiles
from understudy.targets.init.dockerfiles import LambdaImage


def _read(text: str, **others: str) -> LambdaImage | None:
    return dockerfiles.read(tree({"Dockerfile": text, **others}), "Dockerfile")


@pytest.mark.parametrize(
    ("text", "handler"),
    [
        (DOCKERFILE, "app.main.handler"),
        (
            "ARG V=3.13\nFROM public.ecr.aws/lambda/python:${V} AS base\nFROM base\nCMD app.handler\n",
            "app.handler",
        ),
        (
            'FROM python:3.13\nENTRYPOINT ["python", "-m", "awslambdaric"]\nCMD ["app.handler"]\n',
            "app.handler",
        ),
        ('FROM registry.example.com/lambda-python:3.13\nCMD ["app.handler"]\n', "app.handler"),
        (
            "FROM python:3.13\nCOPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:1 /a /opt/extensions/a\n"
            'CMD ["uvicorn", "main:app"]\n',
            "",
        ),
    ],
    ids=["aws base", "stages", "runtime client", "base of one's own", "web adapter"],
)
def test_finds_the_handler_of_an_image_for_lambda(text: str, handler: str) -> None:
    image = _read(text)

    assert image is not None
    assert image.handler == handler


def test_a_server_s_image_is_none_for_lambda() -> None:
    assert _read('FROM python:3.13\nCMD ["uvicorn", "main:app"]\n') is None


def test_the_context_is_the_nearest_folder_that_holds_what_is_copied() -> None:
    texts = {"docker/Dockerfile": DOCKERFILE, "requirements.txt": "", "app/main.py": ""}

    image = dockerfiles.read(tree(texts), "docker/Dockerfile")

    assert image is not None
    assert image.context == "."


def test_variables_and_architecture_are_read_as_the_builder_would() -> None:
    image = _read(
        "FROM --platform=linux/arm64 public.ecr.aws/lambda/python:3.13\n"
        'ENV STAGE=dev\nWORKDIR /app\nCOPY src code\nCMD [ "main.handler" ]\n'
    )

    assert image is not None
    assert (image.variables, image.architecture) == (frozenset({"STAGE"}), "arm64")
