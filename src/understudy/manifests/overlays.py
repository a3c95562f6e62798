"""Loads a directory with a `kustomization.yaml`: the subset `resources`, `patches` and `labels`.

Every other key is refused by name, so that an overlay means here what it means to kustomize. Metadata
names stay the same in all overlays: there are no prefixes and suffixes, which leave references dangling.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
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
    return resources.read(documents_of(directory, root=root))


def documents_of(directory: Path, *, root: Path | None = None) -> tuple[Node, ...]:
    """The documents of an overlay, patched and labelled and not yet checked: what `kubectl kustomize` prints.

    Raises:
        ManifestError: the overlay uses something outside the subset, or a patch does not fit.
        UnderstudyError: a file or directory is missing.
    """
    return tuple(_Loader(root).directory(directory, ()))


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
        return [_without_empty_annotations(document) for document in found]

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
        if not is_list:
            _check_identity(patch)
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
            if after is not None:
                _check_same(document, after, patch)
                result.append(after)
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
            nodes = _inline(inline)
        else:
            raise errors.problem(
                "overlay-patch", "patch has not one of path and patch", hint="give one", at=entry.at
            )
        if len(nodes) != 1:
            raise errors.problem("overlay-patch", "patch is not one document", hint="split it", at=entry.at)
        return nodes[0]


def _inline(patch: Node) -> tuple[Node, ...]:
    """The documents of an inline patch, without the space around it, as kustomize reads them."""
    whole = patch.text or ""
    text = whole.strip()
    blank = whole[: len(whole) - len(whole.lstrip())].count("\n")
    nodes = documents.parse(text, file=patch.at.file, lines_before=patch.at.line + blank)
    if text.startswith("["):
        try:
            json.loads(text)
        except ValueError as exc:
            raise errors.problem(
                "overlay-patch",
                "patch starts with [ and is no JSON; kustomize refuses it",
                hint="write it as JSON, or one operation per line, each starting with -",
                at=patch.at,
            ) from exc
    return nodes


def _items(kustomization: Node, name: str) -> tuple[Node, ...]:
    found = kustomization.entries.get(name)
    return found.items if found else ()


def _own_target(patch: Node) -> Target:
    """The one resource that a strategic-merge patch names itself."""
    key = resources.key_of(patch)
    group, _, version = (patch.entries["apiVersion"].text or "").rpartition("/")
    return Target(
        group=re.escape(group), version=re.escape(version), kind=re.escape(key.kind), name=re.escape(key.name)
    )


def _check_identity(patch: Node) -> None:
    """Refuses a strategic-merge patch that is no resource, even where a target chooses; so does kustomize."""
    resources.key_of(patch)
    if "apiVersion" not in patch.entries:
        raise errors.problem(
            "manifest-missing-field",
            "apiVersion is missing in the patch",
            hint="add apiVersion, kind and metadata.name; a target overrides them",
            at=patch.at,
            path="apiVersion",
        )


def _check_same(before: Node, after: Node, patch: Node) -> None:
    """Refuses a patch that makes another resource of one: references and later patches name the old one."""
    versions = [
        node.entries["apiVersion"].value if "apiVersion" in node.entries else None for node in (before, after)
    ]
    if versions[0] != versions[1] or resources.key_of(before) != resources.key_of(after):
        raise errors.problem(
            "overlay-patch",
            f"patch makes {resources.key_of(after)} of {resources.key_of(before)}",
            hint="keep apiVersion, kind and metadata.name; spec holds the AWS name",
            at=patch.at,
        )


def _target(selector: Node) -> Target:
    given = {name: str(value.value) for name, value in selector.entries.items()}
    wanted = _labels(given.pop("labelSelector", ""), selector)
    for name, pattern in given.items():
        if not _is_pattern(pattern):
            raise errors.problem(
                "overlay-target",
                f"target.{name} {pattern!r} is no regular expression of the subset",
                hint="use letters, digits and . * + ? | ( ) [ ]",
                at=selector.entries[name].at,
            )
    return Target(labels=wanted, **given)


def _is_pattern(pattern: str) -> bool:
    """Whether Go and Python read the expression alike."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return "(?" not in pattern and not re.search(r"\\[^.\-]", pattern)


def _labels(selector: str, at: Node) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for term in filter(None, (part.strip() for part in selector.split(","))):
        name, equals, value = term.partition("=")
        if not equals or name.endswith("!"):
            raise errors.problem(
                "overlay-selector",
                f"labelSelector {term!r} is not name=value",
                hint="use name=value",
                at=at.at,
            )
        wanted[name.strip()] = value.lstrip("=").strip()
    return wanted


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


def _without_empty_annotations(document: Node) -> Node:
    """The document as kustomize prints it: it leaves out empty annotations."""
    metadata = document.entries.get("metadata")
    given = metadata.entries.get("annotations") if metadata else None
    if metadata is None or given is None or given.value != {}:
        return document
    rest = {name: node for name, node in metadata.entries.items() if name != "annotations"}
    return replace(document, value={**document.entries, "metadata": replace(metadata, value=rest)})


def _labelled(document: Node, pairs: Node) -> Node:
    added = Node(value={"metadata": Node(value={"labels": pairs}, at=pairs.at)}, at=pairs.at)
    return patches.merge(document, added) or document
