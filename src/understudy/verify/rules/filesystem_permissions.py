"""Files and directories that the code needs and that uid 993 may not read.

What an import surely reaches fails; what it may reach, may fail; everything else of the image is its own
business: ``/root`` and ``/etc/shadow`` are private in every image.
"""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from understudy.verify.model import Finding, Node, Severity, Subject
from understudy.verify.python import analysis
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.modules import Module
from understudy.verify.rules import filesystem_access as access
from understudy.verify.rules import filesystem_rules as rules
from understudy.verify.rules.filesystem_needs import Needs
from understudy.verify.rules.found import found

_PLACES_MAX = 5
_OPEN_FILE, _OPEN_DIRECTORY = 0o004, 0o005
_CODE = (".py", ".so")
_NEVER_READ = ("/__pycache__/", ".dist-info/", ".egg-info/")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closed:
    """Something below the search path that Lambda's user may not read."""

    node: Node
    severity: Severity


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what is on the import path and cannot be read."""
    known = analysis.of(subject)
    if known is None:
        return
    needs = Needs(subject, known)
    roots: list[str] = []
    blocking: set[str] = set()
    for path in known.python.search_path:
        node = subject.files.resolve(path)
        if node is None or node.kind != "dir":
            continue
        blocked = access.barrier(subject.files, path)
        if blocked is None and access.allows(node, access.READ | access.EXECUTE):
            roots.append(node.path)
        elif (blocked or node).path not in blocking:
            blocking.add((blocked or node).path)
            yield from _path(subject, known, needs, path, blocked or node)
    files: list[_Closed] = []
    root = known.python.task_root
    for node in _closed(subject, roots, blocking):
        if node.kind == "dir":
            yield from _package(subject, known, needs, node)
        else:
            severity = _of_file(subject, known, needs, node)
            if severity is not Severity.INFO or node.path.endswith(_CODE) or _below(node.path, root):
                files.append(_Closed(node=node, severity=severity))
    yield from _files(subject, known, files)


def _closed(subject: Subject, roots: list[str], told: set[str]) -> Iterator[Node]:
    """What Lambda's user may not read below `roots`; the content of a closed directory counts with it.

    Args:
        subject: the image.
        roots: directories; some may lie in others.
        told: directories that there is a finding about already.
    """
    hidden = {f"{path}/" for path in told}
    outermost = [root for root in roots if not any(root != other and _below(root, other) for other in roots)]
    for root in dict.fromkeys(outermost):
        for node in subject.files.walk(root):
            wanted = _OPEN_DIRECTORY if node.kind == "dir" else _OPEN_FILE
            if node.mode & wanted == wanted and node.uid != access.USER_ID and node.gid != access.GROUP_ID:
                continue
            if node.path in told or any(node.path.startswith(place) for place in hidden):
                continue
            if node.kind == "dir" and not access.allows(node, access.READ | access.EXECUTE):
                hidden.add(f"{node.path}/")
                yield node
            elif node.kind == "file" and not access.allows(node, access.READ):
                yield node


def _below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/")


def _path(subject: Subject, known: Analysis, needs: Needs, path: str, blocked: Node) -> Iterator[Finding]:
    """A directory of `sys.path`: nothing in it exists for Python."""
    if not subject.files.names(path):
        return
    needed = needs.below(path)
    yield found(
        rules.PATH,
        message=f"{blocked.path} has mode {access.octal(blocked)}{_owner(blocked)}, so nothing in {path} "
        "can be imported",
        places=[subject.place(blocked.path)],
        fix=f"RUN chmod -R o+rX {blocked.path}",
        aws_text=_text_of_path(known, blocked, needed),
        severity=None if needed or _below(f"{known.python.stdlib}/", blocked.path) else Severity.INFO,
    )


def _text_of_path(known: Analysis, blocked: Node, needed: list[Module]) -> str:
    if _below(f"{known.python.stdlib}/", blocked.path):
        return (
            "Fatal Python error: init_fs_encoding: "
            "failed to get the Python codec of the filesystem encoding\n"
            "Runtime.ExitError: Runtime exited with error: exit status 1"
        )
    return known.import_error(f"No module named '{needed[0].name}'") if needed else ""


def _package(subject: Subject, known: Analysis, needs: Needs, node: Node) -> Iterator[Finding]:
    """A directory below one of `sys.path`: Python sees an empty namespace package, or no submodule."""
    if any(mark in f"{node.path}/" for mark in _NEVER_READ):
        return
    # A directory that can be passed but not listed still gives its own __init__, and nothing else.
    passable = access.allows(node, access.EXECUTE)
    if passable and set(subject.files.names(node.path)) <= {"__init__.py", "__pycache__"}:
        return
    severity = needs.severity(node.path)
    text = known.import_error("cannot import name 'X' from 'pkg' (unknown location)")
    for module in needs.below(node.path):
        own = posixpath.dirname(module.path) == node.path and module.is_package
        taken = needs.taken_from(module.name, node.path) if own and not passable else ""
        if own and not taken:
            continue
        reason = f"No module named '{module.name}'"
        if taken:
            reason = f"cannot import name '{taken}' from '{module.name}' (unknown location)"
        severity, text = Severity.FAILS, known.import_error(reason)
        break
    yield found(
        rules.PACKAGE,
        message=f"directory {node.path} has mode {access.octal(node)}{_owner(node)}, expected 0755",
        places=[subject.place(node.path)],
        fix=f"RUN chmod -R o+rX {node.path}",
        aws_text=text,
        severity=severity,
    )


def _of_file(subject: Subject, known: Analysis, needs: Needs, node: Node) -> Severity:
    path = node.path
    if any(mark in path for mark in _NEVER_READ):
        return Severity.INFO
    if path in needs.modules:
        return Severity.INFO if _compiled(subject, known, node) else Severity.FAILS
    if path.endswith(_CODE):
        return needs.severity(path)
    return Severity.MAY_FAIL if needs.mentions(path) else Severity.INFO


def _compiled(subject: Subject, known: Analysis, node: Node) -> bool:
    """Whether Python imports the module from bytecode and never opens the source."""
    folder, name = posixpath.split(node.path)
    tag = f"cpython-{known.python.version[0]}{known.python.version[1]}"
    path = f"{folder}/__pycache__/{name.removesuffix('.py')}.{tag}.pyc"
    compiled = subject.files.resolve(path)
    if not name.endswith(".py") or compiled is None or access.barrier(subject.files, path):
        return False
    head = subject.files.head(path)[:16]
    if not access.allows(compiled, access.READ) or len(head) < 16 or head[:4] != known.python.magic:
        return False
    flags = int.from_bytes(head[4:8], "little")
    if flags:
        return flags == 1
    stamp = int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little")
    return stamp == (node.mtime_s & 0xFFFFFFFF, node.size_bytes & 0xFFFFFFFF)


def _files(subject: Subject, known: Analysis, closed: Iterable[_Closed]) -> Iterator[Finding]:
    """One finding for each severity: many files with one cause are one finding."""
    by_severity: dict[Severity, list[Node]] = {}
    for item in closed:
        by_severity.setdefault(item.severity, []).append(item.node)
    for severity, nodes in by_severity.items():
        first = nodes[0]
        more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
        yield found(
            rules.FILE,
            places=[*(subject.place(node.path) for node in nodes[:_PLACES_MAX])],
            message=f"{first.path} has mode {access.octal(first)}{_owner(first)}, expected 0644{more}",
            fix=f"RUN chmod -R o+rX {_common(known, nodes)}",
            aws_text="" if severity is Severity.INFO else _text_of_file(known, first),
            severity=severity,
        )


def _text_of_file(known: Analysis, node: Node) -> str:
    if node.path.endswith(".so"):
        return known.import_error(f"{node.path}: cannot open shared object file: Permission denied")
    return f"PermissionError: [Errno 13] Permission denied: '{node.path}'"


def _common(known: Analysis, nodes: Iterable[Node]) -> str:
    """The directory of the search path that has all `nodes`, or the file when it is one."""
    paths = [node.path for node in nodes]
    if len(paths) == 1:
        return paths[0]
    shared = posixpath.commonpath([posixpath.dirname(path) for path in paths])
    roots = [root for root in known.python.search_path if _below(f"{shared}/", root)]
    return shared if roots else posixpath.commonpath(paths)


def _owner(node: Node) -> str:
    if node.uid in (0, access.USER_ID):
        return ""
    return f" and owner {node.uid} (Lambda ignores USER and runs as {access.USER_ID})"
