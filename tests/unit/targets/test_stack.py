from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.fakes import several
from understudy.errors import UnderstudyError
from understudy.manifests.errors import ManifestError
from understudy.manifests.model import ResourceKey, Stack
from understudy.reconcile import release
from understudy.targets import project, stack, target

ROOT = Path(__file__).resolve().parents[3]


def test_stack_of_the_project_holds_the_digest_that_was_built() -> None:
    found = project.load(ROOT / project.FILE_NAME)
    digest = f"sha256:{'d' * 64}"
    digests = dict.fromkeys(found.images, digest)
    loaded = stack.load(ROOT, found, target.find(found, "local"), digests, tags=("latest", "abc"))
    function = loaded.get(ResourceKey("Function", "dashboard"))
    assert function is not None
    assert digest in str(function.spec["code"])
    assert loaded.images[0].tags == ("latest", "abc")
    assert sum(resource.key.name.startswith("dashboard") for resource in loaded.resources) == 12


def test_check_needs_no_build() -> None:
    found = project.load(ROOT / project.FILE_NAME)
    stack.check(ROOT, found, target.find(found, "local"))


def test_check_finds_a_wrong_manifest(tmp_path: Path) -> None:
    found = projects.make(tmp_path / "project")
    path = found.root / "deploy" / "stack.yaml"
    path.write_text(projects.MANIFESTS.replace("${image.shop}", "${image.shap}"))
    with pytest.raises(ManifestError) as caught:
        stack.check(found.root, found.project, target.find(found.project, "local"))
    assert (caught.value.where or "").startswith("deploy/stack.yaml:12")


def test_image_that_was_not_built_is_told() -> None:
    found = project.load(ROOT / project.FILE_NAME)
    with pytest.raises(UnderstudyError) as caught:
        stack.load(ROOT, found, target.find(found, "local"), {})
    assert caught.value.hint == f"./understudy build {min(found.images)}"


def loaded(root: Path) -> Stack:
    found = project.load(root / project.FILE_NAME)
    return stack.load(root, found, target.find(found, "preprod"), several.DIGESTS)


def test_each_function_of_several_runs_the_digest_of_its_own_image(tmp_path: Path) -> None:
    found = loaded(several.write(tmp_path))
    images = {
        resource.spec["name"]: resource.spec["code"]["imageURI"]  # type: ignore[call-overload,index]
        for resource in found.of_kind("Function")
    }
    assert images == {
        "shop-dashboard": f"${{Repository.dashboard.repositoryURI}}@{several.DIGESTS['dashboard']}",
        "shop-worker": f"${{Repository.dashboard.repositoryURI}}@{several.DIGESTS['dashboard']}",
        "shop-analysis": f"${{Repository.analysis.repositoryURI}}@{several.DIGESTS['analysis']}",
        "shop-events": f"${{Repository.sse.repositoryURI}}@{several.DIGESTS['sse']}",
    }
    assert {image.name: image.repository for image in found.images} == {
        name: name for name in several.DIGESTS
    }


def test_a_function_waits_for_its_own_image_alone(tmp_path: Path) -> None:
    waits = {
        resource.key.name: [key.name for key in resource.dependencies if key.kind == "Image"]
        for resource in loaded(several.write(tmp_path)).of_kind("Function")
    }
    assert waits == {
        "dashboard": ["dashboard"],
        "worker": ["dashboard"],
        "analysis": ["analysis"],
        "events": ["sse"],
    }


def test_a_new_digest_is_released_to_every_function_of_its_image(tmp_path: Path) -> None:
    found = loaded(several.write(tmp_path))
    assert [one.function for one in release.of_image(found, "dashboard")] == ["shop-dashboard", "shop-worker"]
    assert [one.function for one in release.of_image(found, "sse")] == ["shop-events"]


FUNCTIONS, API, OVERLAY, PROJECT = (
    "deploy/functions.yaml",
    "deploy/api.yaml",
    "deploy/kustomization.yaml",
    "understudy.yaml",
)


@pytest.mark.parametrize(
    ("file", "old", "new", "where", "hint"),
    [
        (
            FUNCTIONS,
            "imageURI",
            "imageUri",
            "deploy/functions.yaml:14, spec.code.imageUri",
            "rename it to imageURI",
        ),
        (
            FUNCTIONS,
            "memorySize: 256",
            "memorySize: 64",
            "deploy/functions.yaml:12, spec.memorySize",
            "write 128 or more",
        ),
        (
            FUNCTIONS,
            "memorySize: 256",
            "memorySize: '256'",
            "deploy/functions.yaml:12, spec.memorySize",
            "write an integer",
        ),
        (FUNCTIONS, "Image\n", "Imag\n", "deploy/functions.yaml:11, spec.packageType", "write Image"),
        (
            FUNCTIONS,
            "name: lambda}\n  image",
            "name: lamda}\n  image",
            "deploy/functions.yaml:16, spec.roleRef.from.name",
            "rename it to lambda",
        ),
        (
            FUNCTIONS,
            "${image.dashboard}",
            "${image.dashbord}",
            "deploy/functions.yaml:14, spec.code.imageURI",
            "rename it to image.dashboard",
        ),
        (
            FUNCTIONS,
            "kind: Function",
            "kind: Functon",
            "deploy/functions.yaml:7, kind",
            "rename it to Function",
        ),
        (
            FUNCTIONS,
            "iam.services",
            "iamm.services",
            "deploy/functions.yaml:1, apiVersion",
            "write apiVersion: iam.services.k8s.aws/v1alpha1",
        ),
        (
            FUNCTIONS,
            "assumeRolePolicyDocument",
            "asumeRolePolicyDocument",
            "deploy/functions.yaml:4, spec.asumeRolePolicyDocument",
            "rename it to assumeRolePolicyDocument",
        ),
        (
            FUNCTIONS,
            "[dashboard.handler]",
            "dashboard.handler",
            "deploy/functions.yaml:18, spec.imageConfig.command",
            "write a list",
        ),
        (
            API,
            "${Function.dashboard.arn}",
            "${Function.dashbord.arn}",
            "deploy/api.yaml:26, spec.integrationURI",
            "rename it to dashboard",
        ),
        (
            API,
            "${Function.dashboard.arn}",
            "${Function.dashboard.ARN}",
            "deploy/api.yaml:26, spec.integrationURI",
            "rename it to arn",
        ),
        (
            API,
            "${Function.dashboard.arn}",
            "${Functon.dashboard.arn}",
            "deploy/api.yaml:26, spec.integrationURI",
            "rename it to Function",
        ),
        (
            API,
            "protocolType: HTTP",
            "protocolType: HTPP",
            "deploy/api.yaml:4, spec.protocolType",
            "write HTTP",
        ),
        (
            API,
            "name: login}\n  target",
            "name: logn}\n  target",
            "deploy/api.yaml:37, spec.authorizerRef.from.name",
            "rename it to login",
        ),
        (
            OVERLAY,
            "patches:",
            "patchs:",
            "deploy/kustomization.yaml:5, kustomization.yaml.patchs",
            "rename it to patches",
        ),
        (
            OVERLAY,
            "functions.yaml",
            "function.yaml",
            "deploy/kustomization.yaml:3",
            "create deploy/function.yaml",
        ),
        (
            OVERLAY,
            "kind: Function",
            "kind: Functon",
            "deploy/kustomization.yaml:8",
            "correct kind and name of its target",
        ),
        (
            OVERLAY,
            "path: /spec/memorySize",
            "path: /spec/memorySiz",
            "deploy/kustomization.yaml:8",
            "correct the path, or use op: add",
        ),
        (PROJECT, "images:", "imags:", "understudy.yaml:2, imags", "rename it to images"),
        (
            PROJECT,
            "repository: analysis",
            "repository: analyses",
            "understudy.yaml, images.analysis.repository",
            "rename it to analysis",
        ),
        (PROJECT, "type: local", "type: locl", "understudy.yaml:7, targets.local.type", "local"),
    ],
)
def test_a_mistake_is_told_with_file_line_path_and_what_was_meant(
    file: str, old: str, new: str, where: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(UnderstudyError) as caught:
        loaded(several.write(tmp_path, {file: (old, new)}))
    assert caught.value.where == where
    assert hint in caught.value.hint
