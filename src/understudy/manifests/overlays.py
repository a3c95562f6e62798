"""Loads a directory with a `kustomization.yaml`: the subset `resources`, `patches` and `labels`.

Every other key is refused by name, so that an overlay means here what it means to kustomize. Metadata
names stay the same in all overlays: there are no prefixes and suffixes, which leave references dangling.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from understudy.errors import UnderstudyError
from understudy.manifests import check, documents, errors, patches, resources
from understudy.manifests.errors import ManifestError
from understudy.manifests.model import Node, Position, Resource
from understudy.manifests.patches import Target
from understudy.manifests.schema import Field

FILE_NAME = "kustomization.yaml"

_TEXT = Field(type="string")
_TEXTS = Field(type="map", element=_TEXT)
_TARGET = Field(
    type="object",
    members=dict.fromkeys(("group", "version", "kind", "name", "namespace", "labelSelector"), _TEXT),
)
_PATCH = Field(type="object", members={"path": _TEXT, "patch": _TEXT, "target": _TARGET})
_LABELS = Field(type="object", members={"pairs": _TEXTS}, required=("pairs",))
_KUSTOMIZATION: Mapping[str, Field] = MappingProxyType(
    {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "resources": Field(type="array", element=_TEXT),
        "patches": Field(type="array", element=_PATCH),
        "labels": Field(type="array", element=_LABELS),
    }
)
_HEADER = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_REMOTE = re.compile(r"[a-z+]+://|git@|github\.com[:/]|.*\?ref=")


def load(directory: Path, *, root: Path | None = None) -> tuple[Resource, ...]:
    """The checked resources of an overlay, patched and labelled, in the order of their files.

    Args:
        directory: holds a `kustomization.yaml`.
        root: errors name files relative to it.

    Raises:
        ManifestError: with every problem found.
        UnderstudyError: a file or directory is missing.
    """
    return resources.read(_Loader(root).directory(directory, ()))


class _Loader:
    """Reads directories; keeps where names in errors are relative to."""

    def __init__(self, root: Path | None) -> None:
        self._root = root.resolve() if root else None

    def directory(self, directory: Path, above: tuple[Path, ...]) -> list[Node]:
        """The documents of one directory after its patches and labels."""
        folder = directory.resolve()
        kustomization = self._kustomization(folder)
        if folder in above:
            raise errors.problem(
                "overlay-cycle",
                f"{self._name(folder)} includes itself through its resources",
                hint="remove the entry that leads back",
                at=kustomization.at,
            )
        found: list[Node] = []
        for entry in _items(kustomization, "resources"):
            found.extend(self._resource(folder, entry, (*above, folder)))
        for patch in _items(kustomization, "patches"):
            found = self._patched(found, folder, patch)
        for labels in _items(kustomization, "labels"):
            found = [_labelled(document, labels.entries["pairs"]) for document in found]
        return found

    def _name(self, path: Path) -> str:
        if self._root and path.is_relative_to(self._root):
            return str(path.relative_to(self._root))
        return str(path)

    def _file(self, path: Path) -> tuple[Node, ...]:
        return documents.load(path, name=self._name(path))

    def _kustomization(self, folder: Path) -> Node:
        path = folder / FILE_NAME
        if not path.is_file():
            raise UnderstudyError(
                "overlay-missing",
                f"{self._name(folder)} holds no {FILE_NAME}",
                hint=f"create {self._name(path)}, or correct the path of the overlay",
            )
        nodes = self._file(path)
        if len(nodes) != 1:
            at = nodes[1].at if nodes else Position(file=self._name(path), line=1)
            raise errors.problem(
                "overlay-document", f"{FILE_NAME} is not one document", hint="keep one", at=at
            )
        problems = list(check.only(nodes[0], FILE_NAME, _KUSTOMIZATION))
        if problems:
            raise ManifestError(problems)
        for name, expected in _HEADER.items():
            given = nodes[0].entries.get(name)
            if given is not None and given.text != expected:
                raise errors.problem(
                    "overlay-header",
                    f"{name} is {given.value!r}, expected {expected}",
                    hint=f"write {expected}",
                    at=given.at,
                )
        return nodes[0]

    def _resource(self, folder: Path, entry: Node, above: tuple[Path, ...]) -> list[Node]:
        text = entry.text or ""
        if _REMOTE.match(text):
            raise errors.problem(
                "overlay-remote",
                f"resource {text} is not local",
                hint="copy it into the repository",
                at=entry.at,
            )
        path = (folder / text).resolve()
        if path.is_dir():
            return self.directory(path, above)
        self._inside(folder, path, entry)
        return list(self._file(path))

    def _inside(self, folder: Path, path: Path, entry: Node) -> None:
        if not path.is_file():
            raise errors.problem(
                "overlay-missing",
                f"{entry.text} does not exist",
                hint=f"create {self._name(path)}",
                at=entry.at,
            )
        if not path.is_relative_to(folder):
            raise errors.problem(
                "overlay-outside",
                f"{entry.text} is outside {self._name(folder)}; kustomize refuses it",
                hint="move the file, or name its directory as a resource",
                at=entry.at,
            )

    def _patched(self, found: list[Node], folder: Path, entry: Node) -> list[Node]:
        patch = self._patch(folder, entry)
        selector = entry.entries.get("target")
        is_list = isinstance(patch.value, tuple)
        if selector is None and is_list:
            raise errors.problem(
                "overlay-target",
                "list of operations has no target",
                hint="add target with kind and name",
                at=entry.at,
            )
        target = _target(selector) if selector else _own_target(patch)
        result: list[Node] = []
        matched = False
        for document in found:
            if not target.matches(document):
                result.append(document)
                continue
            matched = True
            after = (
                patches.apply(document, patch) if is_list else patches.merge(document, _body(patch, selector))
            )
            result.extend([after] if after is not None else [])
        if not matched:
            raise errors.problem(
                "overlay-no-match",
                "patch matches no resource",
                hint="correct kind and name of its target",
                at=patch.at,
            )
        return result

    def _patch(self, folder: Path, entry: Node) -> Node:
        path, inline = entry.entries.get("path"), entry.entries.get("patch")
        if path is not None and inline is None:
            file = (folder / (path.text or "")).resolve()
            self._inside(folder, file, path)
            nodes = self._file(file)
        elif inline is not None and path is None:
            nodes = documents.parse(inline.text or "", file=inline.at.file, lines_before=inline.at.line)
        else:
            raise errors.problem(
                "overlay-patch", "patch has not one of path and patch", hint="give one", at=entry.at
            )
        if len(nodes) != 1:
            raise errors.problem("overlay-patch", "patch is not one document", hint="split it", at=entry.at)
        return nodes[0]


def _items(kustomization: Node, name: str) -> tuple[Node, ...]:
    found = kustomization.entries.get(name)
    return found.items if found else ()


def _own_target(patch: Node) -> Target:
    """The one resource that a strategic-merge patch names itself."""
    key = resources.key_of(patch)
    version = patch.entries.get("apiVersion")
    group, _, number = (version.text or "").rpartition("/") if version else ("", "", "")
    return Target(
        group=re.escape(group), version=re.escape(number), kind=re.escape(key.kind), name=re.escape(key.name)
    )


def _target(selector: Node) -> Target:
    given = {name: str(value.value) for name, value in selector.entries.items()}
    wanted: dict[str, str] = {}
    for term in filter(None, (part.strip() for part in given.pop("labelSelector", "").split(","))):
        name, equals, value = term.partition("=")
        if not equals or name.endswith("!"):
            raise errors.problem(
                "overlay-selector",
                f"labelSelector {term!r} is not name=value",
                hint="use name=value",
                at=selector.at,
            )
        wanted[name.strip()] = value.lstrip("=").strip()
    return Target(labels=wanted, **given)


def _body(patch: Node, selector: Node | None) -> Node:
    """The patch without its own identity, when a target chooses the resources."""
    if selector is None:
        return patch
    metadata = patch.entries.get("metadata", Node(value={}, at=patch.at))
    rest = {key: value for key, value in metadata.entries.items() if key != "name"}
    body = {
        key: value for key, value in patch.entries.items() if key not in ("apiVersion", "kind", "metadata")
    }
    return Node(value={**body, "metadata": Node(value=rest, at=metadata.at)} if rest else body, at=patch.at)


def _labelled(document: Node, pairs: Node) -> Node:
    added = Node(value={"metadata": Node(value={"labels": pairs}, at=pairs.at)}, at=pairs.at)
    return patches.merge(document, added) or document
