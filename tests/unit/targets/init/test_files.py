from pathlib import Path

import pytest

from tests.fakes.repository import ORDERS, tree
from tests.unit.targets.init.test_sam import TEMPLATE
from understudy.manifests.model import Stack
from understudy.targets import local, project, stack
from understudy.targets.init import files, sam, scan, writing
from understudy.targets.init.model import Options


def _stack(root: Path, texts: dict[str, str]) -> Stack:
    found = tree(texts)
    writing.write(root, files.of(scan.service(found, Options()), found))
    parsed = project.load(root / "understudy.yaml")
    target = local.LocalTarget.of("local", parsed.targets["local"])
    return stack.load(root, parsed, target, stack.any_digests(parsed))


def test_the_files_are_a_project_whose_manifests_are_valid(tmp_path: Path) -> None:
    found = _stack(tmp_path, ORDERS)

    kinds = [one.key.kind for one in found]
    assert sorted(kinds) == sorted(
        [
            *("Repository", "LogGroup", "Role", "Function", "Version", "Alias"),
            *("API", "Integration", "Route", "Stage", "Table", "Bucket"),
        ]
    )
    (function,) = found.of_kind("Function")
    environment = function.spec["environment"]["variables"]  # type: ignore[index, call-overload]
    assert environment == {
        "ORDERS_TABLE": "orders-table",
        "RECEIPTS_BUCKET": "orders-receipts",
        "STAGE": "local",
    }


@pytest.mark.parametrize("name", ["localstack", "preprod"])
def test_every_overlay_can_be_rendered(name: str, tmp_path: Path) -> None:
    _stack(tmp_path, ORDERS)
    parsed = project.load(tmp_path / "understudy.yaml")
    section = parsed.targets[name].model_copy(update={"overlay": f"deploy/overlays/{name}"})
    renamed = parsed.model_copy(update={"targets": {"local": section}})
    target = local.LocalTarget.of("local", parsed.targets["local"])

    found = stack.load(tmp_path, renamed, target, stack.any_digests(parsed))

    (bucket,) = found.of_kind("Bucket")
    assert ("000000000000" in str(bucket.spec["name"])) == (name == "preprod")


def test_state_and_manifests_are_never_watched() -> None:
    found = tree({**ORDERS, ".env.example": "", "deploy/base/x.yaml": "", "tests/test_x.py": ""})

    text = files.of(scan.service(found, Options()), found)["understudy.yaml"]

    watched = text[text.index("watch:") :]
    assert watched == ("watch:\n  paths:\n  - Dockerfile\n  - app\n  - requirements.txt\n  - scripts\n")


def test_an_imported_stack_of_several_routes_is_valid_too(tmp_path: Path) -> None:
    found = tree({"app/Dockerfile": ""})
    service = sam.service(TEMPLATE, "template.yaml", found, Options())
    writing.write(tmp_path, files.of(service, found))
    parsed = project.load(tmp_path / "understudy.yaml")
    target = local.LocalTarget.of("local", parsed.targets["local"])

    rendered = stack.load(tmp_path, parsed, target, stack.any_digests(parsed))

    assert [one.spec["routeKey"] for one in rendered.of_kind("Route")] == ["$default", "GET /old"]
    assert len(list(rendered.of_kind("Integration"))) == 2
    assert parsed.images["orders-api"].platform == "linux/arm64"
