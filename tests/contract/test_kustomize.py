"""Our overlays against `kubectl kustomize`: the same resources, and the same refusals or more."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tools
from tests.kustomize import agreement, cases
from understudy.errors import UnderstudyError
from understudy.manifests import emit

ROOT = Path(__file__).resolve().parents[2]
STRICTER = {"overlay-no-match", "overlay-path", "overlay-patch"}
"""Codes of what is refused here although kustomize builds it; `cases.STRICTER` has one case of each."""


@pytest.fixture(scope="module")
def kubectl() -> str:
    return tools.require_kubectl()


@pytest.mark.parametrize("name", ["local", "localstack", "preprod"])
def test_every_overlay_of_deploy_is_what_kustomize_makes_of_it(name: str, kubectl: str) -> None:
    overlay = ROOT / "deploy" / "overlays" / name
    done = agreement.kustomize(kubectl, overlay)
    assert done.returncode == 0, done.stderr
    assert agreement.ours(overlay) == agreement.theirs(done.stdout)


@pytest.mark.parametrize("name", cases.AGREED)
def test_kustomize_makes_what_was_recorded(name: str, kubectl: str, tmp_path: Path) -> None:
    done = agreement.kustomize(kubectl, agreement.write(tmp_path, cases.AGREED[name]))
    assert agreement.theirs(done.stdout) == agreement.theirs(agreement.recorded()[name])


@pytest.mark.parametrize("name", cases.REFUSED)
def test_kustomize_refuses_what_is_refused_here(name: str, kubectl: str, tmp_path: Path) -> None:
    assert agreement.kustomize(kubectl, agreement.write(tmp_path, cases.REFUSED[name])).returncode != 0


@pytest.mark.parametrize("name", cases.STRICTER)
def test_kustomize_takes_what_is_stricter_here(name: str, kubectl: str, tmp_path: Path) -> None:
    assert agreement.kustomize(kubectl, agreement.write(tmp_path, cases.STRICTER[name][1])).returncode == 0


@pytest.mark.parametrize("text", cases.TEXT_HERE)
def test_scalar_that_readers_disagree_about_is_text_here_alone(
    text: str, kubectl: str, tmp_path: Path
) -> None:
    overlay = agreement.write(tmp_path, cases.overlay(base=f"{cases.FUNCTION}  zz: {text}\n"))
    [mine] = agreement.ours(overlay).values()
    [other] = agreement.theirs(agreement.kustomize(kubectl, overlay).stdout).values()
    assert mine["spec"]["zz"] == text != other["spec"]["zz"]


@pytest.mark.parametrize("text", cases.TEXT_IN_OPERATIONS)
def test_word_of_yaml_1_1_is_text_here_and_a_boolean_in_operations_of_kustomize(
    text: str, kubectl: str, tmp_path: Path
) -> None:
    overlay = agreement.write(tmp_path, cases.operations(f"{{op: add, path: /spec/zz, value: {text}}}"))
    [mine] = agreement.ours(overlay).values()
    [other] = agreement.theirs(agreement.kustomize(kubectl, overlay).stdout).values()
    assert mine["spec"]["zz"] == text
    assert other["spec"]["zz"][1] is bool


KEYS = st.sampled_from(["a", "b", "c", "x/y", "x~y"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.sampled_from(["", "t", "no", "12:30", "1e3", " s ", "a\nb\n"]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
SPECS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


def _directed(value: Any, directives: "list[str]") -> Any:
    """The same value with a directive in some of its maps."""
    if not isinstance(value, dict):
        return value
    found = {key: _directed(child, directives) for key, child in value.items()}
    return {"$patch": directives.pop(), **found} if directives and len(value) > 1 else found


@st.composite
def merges(draw: st.DrawFn) -> dict[str, Any]:
    """A strategic-merge patch of the function."""
    directives = draw(st.lists(st.sampled_from(["replace", "delete", "merge"]), max_size=1))
    spec = _directed({"k": draw(SPECS)}, directives)
    return {**yaml.safe_load(cases.IDENTITY), "spec": spec}


def _paths(value: Any, path: str) -> "list[str]":
    """Every path in a value, and one beyond each map and list."""
    found = [path]
    if isinstance(value, dict):
        for key, child in value.items():
            found += _paths(child, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
        found.append(f"{path}/new")
    if isinstance(value, list):
        for index, child in enumerate(value):
            found += _paths(child, f"{path}/{index}")
        found += [f"{path}/-", f"{path}/{len(value)}"]
    return found


@st.composite
def overlays_of(draw: st.DrawFn) -> Mapping[str, str]:
    """A base with one function, and up to three patches of either kind."""
    spec = {"name": "fn", "k": draw(SPECS)}
    base = {**yaml.safe_load(cases.IDENTITY), "spec": spec}
    paths = st.sampled_from(_paths(spec["k"], "/spec/k"))
    operation = st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "add", "remove", "replace", "test", "copy", "move"]),
            "path": paths,
            "from": paths,
            "value": VALUES,
        }
    )
    patches = draw(st.lists(st.one_of(merges(), st.lists(operation, min_size=1, max_size=2)), max_size=3))
    entries = [
        {"patch": json.dumps(patch), **({"target": {"kind": "Function"}} if isinstance(patch, list) else {})}
        for patch in patches
    ]
    return {
        "o/base.yaml": emit.dump([base]),
        "o/kustomization.yaml": emit.dump([{"resources": ["base.yaml"], "patches": entries}]),
    }


@given(files=overlays_of())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_agrees_on_generated_overlays(files: Mapping[str, str], kubectl: str) -> None:
    with TemporaryDirectory() as root:
        overlay = agreement.write(Path(root), files)
        done = agreement.kustomize(kubectl, overlay)
        try:
            mine, refusal = agreement.ours(overlay), ""
        except UnderstudyError as error:
            mine, refusal = {}, error.code
    if refusal:
        assert done.returncode != 0 or refusal in STRICTER
    else:
        assert done.returncode == 0, f"built here, and refused by kustomize: {done.stderr}"
        assert mine == agreement.theirs(done.stdout)
