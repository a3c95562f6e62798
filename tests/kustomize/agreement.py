"""Builds overlays with kustomize and with ours, as data that can be compared.

`python -m tests.kustomize.agreement kubectl` records anew what kustomize makes of the cases.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.kustomize import cases
from understudy.manifests import documents, emit, overlays
from understudy.manifests.model import JsonMap, Node

RECORDED = Path(__file__).parent / "recorded.yaml"
Resources = Mapping[tuple[str, str, str], Any]


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Writes the files of a case and returns the folder of its overlay."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / "o"


def kustomize(kubectl: str, overlay: Path) -> "subprocess.CompletedProcess[str]":
    """What `kubectl kustomize` says of an overlay; no cluster and no configuration is looked at."""
    return subprocess.run(
        [kubectl, "kustomize", str(overlay)], capture_output=True, text=True, check=False, timeout=60
    )


def theirs(output: str) -> Resources:
    """The resources that kustomize printed."""
    return _by_identity(documents.parse(output, file="kustomize"))


def ours(overlay: Path) -> Resources:
    """The resources of the same overlay, built here and not yet checked against a schema."""
    return _by_identity(overlays.documents_of(overlay))


def _by_identity(nodes: tuple[Node, ...]) -> Resources:
    return {_identity(node): _strict(node.plain()) for node in nodes}


def _identity(node: Node) -> tuple[str, str, str]:
    version, kind, metadata = (node.entries[name] for name in ("apiVersion", "kind", "metadata"))
    return str(version.value), str(kind.value), str(metadata.entries["name"].value)


def _strict(value: Any) -> Any:
    """The same value, with true and false distinct from 1 and 0 as they are in JSON."""
    if isinstance(value, bool):
        return str(value), bool
    if isinstance(value, dict):
        return {key: _strict(child) for key, child in value.items()}
    return [_strict(child) for child in value] if isinstance(value, list) else value


def recorded() -> Mapping[str, str]:
    """What kustomize printed for each case that both build, as it was recorded."""
    found: dict[str, str] = yaml.safe_load(RECORDED.read_text(encoding="utf-8"))
    return found


def record(kubectl: str) -> str:
    """What `RECORDED` has to hold: kustomize's output of every case that both build."""
    found: dict[str, JsonMap | str] = {}
    for name, files in cases.AGREED.items():
        with tempfile.TemporaryDirectory() as root:
            done = kustomize(kubectl, write(Path(root), files))
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr}")
        found[name] = done.stdout
    return emit.dump([found])


if __name__ == "__main__":
    RECORDED.write_text(record(sys.argv[1]), encoding="utf-8")
