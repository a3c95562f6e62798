from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.manifests import documents
from understudy.manifests.errors import ManifestError
from understudy.targets import project
from understudy.targets.project import Project

GOOD = """\
project: dashboard
images:
  dashboard:
    context: service
    dockerfile: service/Dockerfile
    repository: dashboard
    buildArgs: {A: b}
targets:
  local: {type: local, overlay: deploy/overlays/local}
devServer:
  image: dashboard
  app: dashboard.app:app
  source: service
watch:
  paths: [service]
"""


def parse(text: str) -> Project:
    [node] = documents.parse(text, file="understudy.yaml")
    return project.parse(node)


def test_reads_camel_case_and_defaults() -> None:
    found = parse(GOOD)
    assert found.images["dashboard"].build_args == {"A": "b"}
    assert found.dev_server is not None
    assert (found.dev_server.port, found.watch.paths, found.init_hooks) == (8000, ("service",), None)
    assert found.targets["local"].region == "us-east-1"


def test_the_project_s_own_file_is_right() -> None:
    root = Path(__file__).resolve().parents[3]
    found = project.load(root / project.FILE_NAME)
    assert found.images.keys() >= {"dashboard", "sse"}
    assert list(found.targets) == ["local", "localstack", "preprod"]
    assert found.targets["preprod"].production
    for target in found.targets.values():
        assert (root / target.overlay / "kustomization.yaml").is_file()


@pytest.mark.parametrize(
    ("old", "new", "code", "where", "hint"),
    [
        (
            "dockerfile:",
            "dockerFile:",
            "project-unknown-field",
            "understudy.yaml:5, images.dashboard.dockerFile",
            "rename it to dockerfile",
        ),
        (
            "buildArgs:",
            "build_args:",
            "project-unknown-field",
            "understudy.yaml:7, images.dashboard.build_args",
            "rename it to buildArgs",
        ),
        (
            "devServer:",
            "devserver:",
            "project-unknown-field",
            "understudy.yaml:10, devserver",
            "rename it to devServer",
        ),
        (
            "    repository: dashboard\n",
            "",
            "project-missing-field",
            "understudy.yaml:3, images.dashboard.repository",
            "add repository",
        ),
        (
            "project: dashboard",
            "project: 12",
            "project-value",
            "understudy.yaml:1, project",
            'write "12" in quotes',
        ),
        (
            "{A: b}",
            "{A: 1}",
            "project-value",
            "understudy.yaml:7, images.dashboard.buildArgs.A",
            'write "1" in quotes',
        ),
        (
            "type: local",
            "type: locl",
            "project-value",
            "understudy.yaml:9, targets.local.type",
            "write 'local', 'localstack' or 'aws'",
        ),
        (
            "context: service",
            "context: ../x",
            "project-value",
            "understudy.yaml:4, images.dashboard.context",
            "correct the value",
        ),
        (
            "dashboard.app:app",
            "dashboard.app",
            "project-value",
            "understudy.yaml:12, devServer.app",
            "correct the value",
        ),
        (
            "  image: dashboard",
            "  image: dashbord",
            "project-image",
            "understudy.yaml:11, devServer.image",
            "rename it to dashboard",
        ),
        (
            "{type: local, ",
            "{type: aws, role: admin, ",
            "project-value",
            "understudy.yaml:9, targets.local.role",
            "correct the value",
        ),
        ("[service]", "[/etc]", "project-value", "understudy.yaml:15, watch.paths.0", "correct the value"),
    ],
)
def test_problem_names_line_field_and_fix(old: str, new: str, code: str, where: str, hint: str) -> None:
    assert old in GOOD
    with pytest.raises(ManifestError) as caught:
        parse(GOOD.replace(old, new, 1))
    assert (caught.value.code, caught.value.where, caught.value.hint) == (code, where, hint)


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError) as caught:
        project.load(tmp_path / "understudy.yaml")
    assert caught.value.code == "project-missing"


def test_file_with_two_documents_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "understudy.yaml"
    path.write_text(f"{GOOD}---\n{GOOD}", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="not one YAML document"):
        project.load(path)


def test_a_budget_is_read_in_numbers() -> None:
    budget = "coldStart: {limit: 1.5s, regression: 10%}"
    found = parse(GOOD.replace("buildArgs: {A: b}", budget)).images["dashboard"].cold_start
    assert found is not None
    assert (found.limit_ms, found.regression_share) == (1500.0, 0.1)
    other = project.ColdStartSection(limit="800ms")
    assert (other.limit_ms, other.regression_share) == (800.0, None)


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("{limit: 15}", "images.dashboard.coldStart.limit is wrong"),
        ("{limit: 15 min}", "expected a time such as 800ms or 15s"),
        ("{regression: 0.1x}", "expected a share such as 10%"),
        ("{limt: 15s}", "images.dashboard.coldStart.limt is no field of the project file"),
    ],
)
def test_a_budget_that_says_nothing_is_refused(budget: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(GOOD.replace("buildArgs: {A: b}", f"coldStart: {budget}"))
    assert message in str(caught.value)
    if "limt" in budget:
        assert "limit" in caught.value.hint
