"""Strategic-merge and JSON 6902 patches, with kustomize's results for custom resources.

Held against kustomize 5.5.0 by tests: maps merge deeply, `null` deletes a key, any list is replaced whole,
`$patch: delete` drops the resource or the key, and `$patch: replace` replaces a map. Stricter than kustomize:
a patch that matches nothing, `replace` or `test` of a path that is not there, negative indices are errors.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from understudy.manifests import errors
from understudy.manifests.errors import ManifestError
from understudy.manifests.model import Node

_DIRECTIVE = "$patch"
_LIST_DIRECTIVES = ("$setElementOrder", "$deleteFromPrimitiveList", "$retainKeys")
_OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which documents a patch is for; an absent field matches everything.

    `group`, `version`, `kind` and `name` are anchored regular expressions.
    """

    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    labels: Mapping[str, str] | None = None

    def matches(self, document: Node) -> bool:
        """Whether `document` is meant."""
        group, _, version = _text(document, "apiVersion").rpartition("/")
        facts = (
            (self.group, group),
            (self.version, version),
            (self.kind, _text(document, "kind")),
            (self.name, _text(document, "metadata", "name")),
            (self.namespace, _text(document, "metadata", "namespace") or "default"),
        )
        if any(pattern and not re.fullmatch(pattern, fact) for pattern, fact in facts):
            return False
        given = {name: _text(document, "metadata", "labels", name) for name in self.labels or {}}
        return given == dict(self.labels or {})


def merge(document: Node, patch: Node) -> Node | None:
    """The document after a strategic-merge patch; None when the patch deletes it.

    Raises:
        ManifestError: the patch uses a directive outside the subset, or puts a map where a list is.
    """
    directive = _directive(patch)
    if directive == "delete":
        return None
    if directive == "replace":
        raise _refused("$patch: replace of a whole resource", patch, "write it below spec")
    return _merge(document, patch, "")


def _merge(base: Node, patch: Node, path: str) -> Node:
    if not isinstance(patch.value, Mapping):
        return patch
    keep = {} if _directive(patch) == "replace" else dict(base.entries)
    for key, value in patch.entries.items():
        if key == _DIRECTIVE:
            continue
        if key.startswith(_LIST_DIRECTIVES):
            raise _refused(key, value, "write the whole list: lists are replaced")
        below = f"{path}.{key}" if path else key
        if value.value is None or _directive(value) == "delete":
            keep.pop(key, None)
        elif key in keep and keep[key].value is not None:
            keep[key] = _merge(_like(keep[key], value, below), value, below)
        else:
            keep[key] = _merge(Node(value={}, at=value.at), value, below)
    return Node(value=keep, at=base.at)


def _like(base: Node, patch: Node, path: str) -> Node:
    """The base, which a patch of another form cannot change."""
    forms = [_form(node) for node in (base, patch)]
    if forms[0] != forms[1]:
        raise errors.problem(
            "overlay-patch",
            f"{path} is a {forms[0]}, and a {forms[1]} in the patch",
            hint="write the same form, or set it to null and add it with op: add",
            at=patch.at,
            path=path,
        )
    return base


def _form(node: Node) -> str:
    if isinstance(node.value, Mapping):
        return "map"
    return "list" if isinstance(node.value, tuple) else "scalar"


def _directive(patch: Node) -> str:
    directive = patch.entries.get(_DIRECTIVE)
    if directive is not None and directive.text not in ("delete", "replace", "merge"):
        raise _refused(f"$patch: {directive.value}", directive, "use replace or delete")
    return (directive.text or "") if directive else ""


def _refused(what: str, node: Node, hint: str) -> ManifestError:
    return errors.problem(
        "overlay-patch", f"{what} is no patch that understudy applies", hint=hint, at=node.at
    )


def apply(document: Node, operations: Node) -> Node:
    """The document after a list of JSON 6902 operations.

    Raises:
        ManifestError: an operation is malformed, its path is missing, or its test fails.
    """
    if not isinstance(operations.value, tuple) or not operations.value:
        raise _refused("value", operations, "write a list of operations, each with op and path")
    for operation in operations.items:
        document = _operation(document, operation)
    return document


def _operation(document: Node, operation: Node) -> Node:
    name, path = _text(operation, "op"), _text(operation, "path")
    if name not in _OPERATIONS or not path.startswith("/"):
        raise _refused(
            f"op {name!r} with path {path!r}", operation, f"use one of {', '.join(_OPERATIONS)} and /a/path"
        )
    steps = _steps(path)
    if name in ("move", "copy"):
        source = _steps(_text(operation, "from"))
        value = _find(document, source, operation)
        document = _edit(document, source, _remove, operation) if name == "move" else document
        return _edit(document, steps, _adder(value), operation)
    if name == "remove":
        return _edit(document, steps, _remove, operation)
    value = operation.entries.get("value", Node(value=None, at=operation.at))
    if name == "add":
        return _edit(document, steps, _adder(value), operation)
    current = _find(document, steps, operation)
    if name == "replace":
        return _edit(_edit(document, steps, _remove, operation), steps, _adder(value), operation)
    if current.plain() != value.plain():
        raise errors.problem(
            "overlay-test",
            f"test of {path} found {current.plain()!r}, expected {value.plain()!r}",
            hint="correct the value that the patch expects",
            at=operation.at,
            path=path,
        )
    return document


_Edit = Callable[[Node, str, Node], Node]


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:])


def _find(document: Node, steps: Sequence[str], operation: Node) -> Node:
    found = document
    for step in steps:
        if isinstance(found.value, tuple) and _is_index(step, len(found.value)):
            found = found.value[int(step)]
        elif step in found.entries:
            found = found.entries[step]
        else:
            raise _no_path(steps, operation)
    return found


def _edit(document: Node, steps: Sequence[str], edit: _Edit, operation: Node) -> Node:
    head, *rest = steps
    if not rest:
        return edit(document, head, operation)
    child = _edit(_find(document, [head], operation), rest, edit, operation)
    if isinstance(document.value, tuple):
        index = int(head)
        return replace(document, value=(*document.value[:index], child, *document.value[index + 1 :]))
    return replace(document, value={**document.entries, head: child})


def _adder(value: Node) -> _Edit:
    def add(parent: Node, step: str, operation: Node) -> Node:
        if isinstance(parent.value, tuple):
            index = len(parent.value) if step == "-" else -1
            if index < 0 and _is_index(step, len(parent.value) + 1):
                index = int(step)
            if index < 0:
                raise _no_path([step], operation)
            return replace(parent, value=(*parent.value[:index], value, *parent.value[index:]))
        if not isinstance(parent.value, Mapping):
            raise _no_path([step], operation)
        return replace(parent, value={**parent.value, step: value})

    return add


def _remove(parent: Node, step: str, operation: Node) -> Node:
    _find(parent, [step], operation)
    if isinstance(parent.value, tuple):
        index = int(step)
        return replace(parent, value=(*parent.value[:index], *parent.value[index + 1 :]))
    return replace(parent, value={key: child for key, child in parent.entries.items() if key != step})


def _is_index(step: str, length: int) -> bool:
    return step.isdecimal() and int(step) < length


def _no_path(steps: Sequence[str], operation: Node) -> ManifestError:
    return errors.problem(
        "overlay-path",
        f"path {_text(operation, 'path')} does not exist: nothing is at {steps[-1]}",
        hint="correct the path, or use op: add",
        at=operation.at,
    )


def _text(node: Node, *path: str) -> str:
    found: Node | None = node
    for step in path:
        found = found.entries.get(step) if found else None
    return (found.text or "") if found else ""
