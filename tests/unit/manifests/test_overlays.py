from pathlib import Path

import pytest

from tests.kustomize import agreement, cases
from understudy.errors import UnderstudyError
from understudy.manifests import overlays
from understudy.manifests.model import Json

GROUP = """\
apiVersion: cloudwatchlogs.services.k8s.aws/v1alpha1
kind: LogGroup
metadata: {name: logs}
spec: {name: /aws/lambda/x, retentionDays: 14}
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


IDENTITY = "{apiVersion: cloudwatchlogs.services.k8s.aws/v1alpha1, kind: LogGroup, metadata: {name: logs}"


def project(root: Path, overlay: str) -> Path:
    write(
        root,
        {
            "base/kustomization.yaml": "resources: [logs.yaml]\nlabels: [{pairs: {app: x}}]\n",
            "base/logs.yaml": GROUP,
            "local/kustomization.yaml": f"resources: [../base]\n{overlay}",
        },
    )
    return root / "local"


def spec(root: Path, overlay: str) -> Json:
    [found] = overlays.load(project(root, overlay), root=root)
    return found.spec.plain()


def test_patch_by_its_own_identity(tmp_path: Path) -> None:
    overlay = f"patches:\n  - patch: |\n      {IDENTITY}, spec: {{retentionDays: 3}}}}\n"
    assert spec(tmp_path, overlay) == {"name": "/aws/lambda/x", "retentionDays": 3}


def test_patch_by_target_from_a_file(tmp_path: Path) -> None:
    write(tmp_path, {"local/patch.yaml": "- {op: remove, path: /spec/retentionDays}\n"})
    overlay = "patches: [{path: patch.yaml, target: {kind: LogGroup, labelSelector: app=x}}]\n"
    assert spec(tmp_path, overlay) == {"name": "/aws/lambda/x"}


def test_patch_by_target_ignores_the_identity_in_it(tmp_path: Path) -> None:
    overlay = (
        "patches:\n  - target: {kind: LogGroup}\n    patch: |\n      apiVersion: v1\n      kind: any\n"
        "      metadata: {name: other, annotations: {a: b}}\n      spec: {retentionDays: 1}\n"
    )
    [found] = overlays.load(project(tmp_path, overlay), root=tmp_path)
    assert (found.key.name, found.annotations) == ("logs", {"a": "b"})


def test_labels_are_added_to_metadata_only(tmp_path: Path) -> None:
    [found] = overlays.load(project(tmp_path, "labels: [{pairs: {stage: local}}]\n"), root=tmp_path)
    assert found.document.entries["metadata"].entries["labels"].plain() == {"app": "x", "stage": "local"}


def test_delete_patch_drops_the_resource(tmp_path: Path) -> None:
    overlay = f"patches: [{{patch: '{IDENTITY}, $patch: delete}}'}}]\n"
    assert overlays.load(project(tmp_path, overlay), root=tmp_path) == ()


def test_error_in_an_inline_patch_points_into_the_kustomization(tmp_path: Path) -> None:
    overlay = (
        "patches:\n  - target: {kind: LogGroup}\n    patch: |-\n      apiVersion: v1\n      kind: any\n"
        "      metadata: {name: any}\n      spec:\n        retentionDay: 3\n"
    )
    with pytest.raises(UnderstudyError) as caught:
        overlays.load(project(tmp_path, overlay), root=tmp_path)
    assert caught.value.where == "local/kustomization.yaml:9, spec.retentionDay"
    assert caught.value.hint == "rename it to retentionDays"


@pytest.mark.parametrize(
    ("overlay", "code"),
    [
        ("namePrefix: x-\n", "manifest-unknown-field"),
        ("images: []\n", "manifest-unknown-field"),
        ("configMapGenerator: []\n", "manifest-unknown-field"),
        ("patchesStrategicMerge: []\n", "manifest-unknown-field"),
        ("kind: Component\n", "overlay-header"),
        (f"patches: [{{patch: '{IDENTITY}}}', target: {{kind: Role}}}}]\n", "overlay-no-match"),
        ("patches: [{patch: '- {op: add, path: /a, value: 1}'}]\n", "overlay-target"),
        ("patches: [{patch: '[{op: add, path: /a, value: 1}]', target: {kind: L}}]\n", "overlay-patch"),
        ("patches: [{patch: 'spec: {}', target: {kind: LogGroup}}]\n", "manifest-missing-field"),
        (
            "patches: [{patch: '{kind: a, metadata: {name: a}}', target: {kind: L}}]\n",
            "manifest-missing-field",
        ),
        ("patches: [{patch: '- {op: add, path: /a, value: 1}', target: {name: '(l'}}]\n", "overlay-target"),
        (
            "patches: [{patch: '- {op: add, path: /a, value: 1}', target: {name: '(?i)L'}}]\n",
            "overlay-target",
        ),
        (
            "patches: [{patch: '- {op: replace, path: /metadata/name, value: a}', target: {name: logs}}]\n",
            "overlay-patch",
        ),
        ("patches: [{patch: '- {op: remove, path: /apiVersion}', target: {name: logs}}]\n", "overlay-patch"),
        ("patches: [{target: {kind: LogGroup}}]\n", "overlay-patch"),
        ("patches: [{patch: '', target: {kind: LogGroup}}]\n", "overlay-patch"),
        ("patches: [{path: none.yaml, target: {kind: LogGroup}}]\n", "overlay-missing"),
        ("patches: [{patch: 'kind: LogGroup'}]\n", "manifest-missing-field"),
        (
            f"patches: [{{patch: '{IDENTITY}}}', target: {{labelSelector: 'app in (x)'}}}}]\n",
            "overlay-selector",
        ),
        ("labels: [{pairs: {a: b}, includeSelectors: true}]\n", "manifest-unknown-field"),
        ("patches: [{patch: 'a: 1', options: {}}]\n", "manifest-unknown-field"),
    ],
)
def test_everything_outside_the_subset_is_refused(tmp_path: Path, overlay: str, code: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        overlays.load(project(tmp_path, overlay), root=tmp_path)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a/kustomization.yaml": "resources: [none.yaml]\n"}, "overlay-missing"),
        ({"a/kustomization.yaml": "resources: [https://example.com/x.yaml]\n"}, "overlay-remote"),
        ({"a/kustomization.yaml": "resources: [../logs.yaml]\n", "logs.yaml": GROUP}, "overlay-outside"),
        ({"a/kustomization.yaml": "resources: [../a]\n"}, "overlay-cycle"),
        ({"a/kustomization.yaml": "resources: []\n---\nresources: []\n"}, "overlay-document"),
        ({"a/other.yaml": ""}, "overlay-missing"),
    ],
)
def test_refuses_resources_that_kustomize_refuses(tmp_path: Path, files: dict[str, str], code: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        overlays.load(write(tmp_path, files) / "a", root=tmp_path)
    assert caught.value.code == code


def test_resource_without_a_version_is_told_though_it_is_patched(tmp_path: Path) -> None:
    folder = project(
        tmp_path, "patches: [{patch: '- {op: add, path: /spec/x, value: 1}', target: {name: logs}}]\n"
    )
    write(tmp_path, {"base/logs.yaml": GROUP.partition("\n")[2]})
    with pytest.raises(UnderstudyError) as caught:
        overlays.load(folder, root=tmp_path)
    assert caught.value.code == "manifest-api-version"


RECORDED = agreement.recorded()


@pytest.mark.parametrize("name", cases.AGREED)
def test_makes_of_an_overlay_what_kustomize_was_recorded_to_make(name: str, tmp_path: Path) -> None:
    overlay = agreement.write(tmp_path, cases.AGREED[name])
    assert agreement.ours(overlay) == agreement.theirs(RECORDED[name])


@pytest.mark.parametrize("name", cases.REFUSED)
def test_refuses_what_kustomize_refuses(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError):
        overlays.documents_of(agreement.write(tmp_path, cases.REFUSED[name]))


@pytest.mark.parametrize("name", cases.STRICTER)
def test_refuses_by_name_what_only_kustomize_takes(name: str, tmp_path: Path) -> None:
    code, files = cases.STRICTER[name]
    with pytest.raises(UnderstudyError) as caught:
        overlays.documents_of(agreement.write(tmp_path, files))
    assert caught.value.code == code
