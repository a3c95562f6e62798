import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.repository import tree
from understudy.image import dockerfile
from understudy.targets.init import generated


def _dockerfile(texts: dict[str, str]) -> str:
    text, _ = generated.dockerfile(tree(texts), ".", "main.handler", with_mangum=True)
    return text


@pytest.mark.parametrize(
    "texts",
    [
        {"requirements.txt": "fastapi\n"},
        {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["fastapi"]\n'},
        {},
    ],
    ids=["requirements", "pyproject", "neither"],
)
def test_what_is_written_is_a_dockerfile_on_aws_s_base(texts: dict[str, str]) -> None:
    parsed = dockerfile.parse(_dockerfile(texts))

    assert parsed.global_args[0].pairs == (("BASE_IMAGE", "public.ecr.aws/lambda/python:3.13"),)
    assert len(parsed.stages) == 1


def test_dependencies_of_a_project_are_read_line_by_line(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "x"\ndependencies = ["fastapi>=0.1", "boto3"]\n')
    written = re.search(
        r"python3 -c '(import tomllib.*?)'", _dockerfile({"pyproject.toml": project.read_text()}), re.S
    )
    assert written is not None
    code = written[1].replace("\\\n", " ").replace("/tmp/pyproject.toml", str(project))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "fastapi>=0.1\nboto3\n"


def test_without_requirements_it_says_what_it_installs() -> None:
    text, notes = generated.dockerfile(tree({}), ".", "main.handler", with_mangum=True)

    assert "fastapi 'mangum" in text
    assert "the Dockerfile installs fastapi and mangum alone" in notes[0].text


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"requirements.txt": "uvicorn==0.1\n"}, True),
        ({"requirements.txt": "fastapi[standard]>=0.1\n"}, True),
        ({"pyproject.toml": 'dependencies = ["fastapi", "uvicorn>=1"]'}, True),
        ({"requirements.txt": "uvicorn-worker\n# uvicorn\n"}, False),
        ({"app.py": "fastapi[standard]"}, False),
    ],
    ids=["by name", "an extra", "a project", "another package", "only code"],
)
def test_a_server_is_found_among_the_requirements(texts: dict[str, str], expected: bool) -> None:
    assert generated.serves(tree(texts)) is expected
