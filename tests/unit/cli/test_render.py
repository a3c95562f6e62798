import json
from pathlib import Path

import pytest
import yaml

from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.errors import EnvironmentProblemError
from understudy.targets.workspace import Workspace

DOWN = EnvironmentProblemError("target-down", "nothing answers", hint="./understudy up")


def test_what_the_target_chose_is_filled_in(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    digest = projects.image(project).digest
    reach(projects.exists(digest))

    done = understudy("render")

    assert (done.exit_code, done.stderr) == (0, "")
    repository, function = yaml.safe_load_all(done.stdout)
    assert repository["kind"] == "Repository"
    assert function["spec"]["code"]["imageURI"] == f"{projects.URI}@{digest}"


def test_json_is_one_list_that_kubectl_takes(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach(projects.exists(projects.image(project).digest))

    found = json.loads(understudy("render", "-o", "json").stdout)

    assert (found["apiVersion"], found["kind"]) == ("v1", "List")
    assert [item["kind"] for item in found["items"]] == ["Repository", "Function"]


@pytest.mark.parametrize("arguments", [("--offline",), ()], ids=["offline", "nothing answers"])
def test_without_the_target_what_it_chooses_stays_open_and_is_told(
    arguments: tuple[str, ...], understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    digest = projects.image(project).digest
    fake = reach(down=DOWN).fake

    done = understudy("render", *arguments)

    assert done.exit_code == 0
    assert "known after apply: ${Repository.shop.repositoryURI} in Function/shop\n" in done.stderr
    assert ("rendered without the target" in done.stderr) == (not arguments)
    assert f"imageURI: ${{Repository.shop.repositoryURI}}@{digest}" in done.stdout
    assert fake.calls == []


def test_the_registry_of_aws_itself_is_known_without_asking(
    understudy: Understudy, project: Workspace
) -> None:
    digest = projects.image(project).digest

    done = understudy("render", "--target", "preprod", "--offline")

    assert (done.exit_code, done.stderr) == (0, "")
    _, function = yaml.safe_load_all(done.stdout)
    registry = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
    assert function["spec"]["code"]["imageURI"] == f"{registry}/shop@{digest}"


def test_what_exists_is_annotated_for_hand_over(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    there = _only(projects.exists("sha256:x"), "DescribeRepositories", "ListTagsForResource")
    reach({**projects.NOTHING_EXISTS, **there})
    projects.image(project)

    done = understudy("render", "--adoption-annotations")

    repository, function = yaml.safe_load_all(done.stdout)
    assert repository["metadata"]["annotations"] == {
        "services.k8s.aws/adoption-policy": "adopt-or-create",
        "services.k8s.aws/adoption-fields": '{"name": "shop"}',
    }
    assert "annotations" not in function["metadata"]


def test_a_hand_over_needs_the_target(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    projects.image(project)
    reach(down=DOWN)

    assert understudy("render", "--adoption-annotations").exit_code == 3
    assert understudy("render", "--adoption-annotations", "--offline").exit_code == 2


def test_an_image_that_was_not_built_comes_with_the_command(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach({})

    done = understudy("render", "--offline")

    assert done.exit_code == 1
    assert "hint:  ./understudy build shop" in done.stderr


def test_a_misspelt_field_is_told_with_file_line_path_and_the_nearest_name(
    understudy: Understudy, project: Workspace
) -> None:
    projects.image(project)
    stack = Path("deploy/stack.yaml")
    stack.write_text(stack.read_text().replace("imageURI", "imageUri"))

    done = understudy("render", "--offline")

    assert done.exit_code == 1
    assert "where: deploy/stack.yaml:12, spec.code.imageUri" in done.stderr
    assert "hint:  rename it to imageURI" in done.stderr


def _only(answers: dict[str, object], *names: str) -> dict[str, object]:
    return {name: answers[name] for name in names}
