from pathlib import Path
from typing import Any

import yaml

from tests.fakes import project
from understudy.manifests.model import Stack
from understudy.targets import launches, stack, target
from understudy.verify.subject import LaunchOverrides


def stack_of(folder: Path, **spec: Any) -> Stack:
    workspace = project.make(folder)
    path = folder / "deploy" / "stack.yaml"
    documents = list(yaml.safe_load_all(path.read_text()))
    documents[1]["spec"].update(spec)
    path.write_text(yaml.safe_dump_all(documents))
    found = target.find(workspace.project, "local")
    return stack.load(folder, workspace.project, found, {"shop": f"sha256:{'0' * 64}"})


def test_function_sets_what_it_says_and_lambda_the_rest(tmp_path: Path) -> None:
    (found,) = launches.of_image(stack_of(tmp_path), "shop", size_budget_bytes=5)
    assert (found.image, found.function) == ("shop", "shop")
    assert found.where.startswith("deploy/stack.yaml:")
    assert found.overrides == LaunchOverrides(
        function_env={"STAGE": "local"},
        architecture="x86_64",
        memory_mb=256,
        timeout_s=3,
        function_name="shop",
        size_budget_bytes=5,
    )


def test_image_config_and_limits_are_taken_over(tmp_path: Path) -> None:
    found = launches.of_image(
        stack_of(
            tmp_path,
            imageConfig={"command": ["app.handler"], "entryPoint": ["/bin/x"], "workingDirectory": "/srv"},
            architectures=["arm64"],
            timeout=900,
            ephemeralStorage={"size": 2048},
            snapStart={"applyOn": "PublishedVersions"},
            environment={"variables": {"LITERAL": "$${not.a.reference}"}},
        ),
        "shop",
        size_budget_bytes=5,
    )[0].overrides
    assert (found.command, found.entrypoint, found.working_dir) == (("app.handler",), ("/bin/x",), "/srv")
    assert (found.architecture, found.timeout_s, found.ephemeral_mb) == ("arm64", 900, 2048)
    assert found.snap_start
    assert found.function_env == {"LITERAL": "${not.a.reference}"}


def test_an_image_that_no_function_runs_is_launched_with_defaults(tmp_path: Path) -> None:
    (found,) = launches.of_image(stack_of(tmp_path), "worker", size_budget_bytes=5)
    assert (found.function, found.where) == ("", "")
    assert found.overrides == LaunchOverrides(size_budget_bytes=5)
