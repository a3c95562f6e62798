"""What the user that Lambda runs as may do with a file: uid 993, gid 990, no capabilities.

Pure arithmetic over mode bits. Refuses ACLs and capabilities of files: Lambda's flattened root has none.
"""

import posixpath

from understudy.verify.model import Files, Node

USER_ID = 993
GROUP_ID = 990
READ, WRITE, EXECUTE = 4, 2, 1
_LINKS_MAX = 40


def allows(node: Node, wanted: int) -> bool:
    """Whether Lambda's user may do all that `wanted` asks with `node` itself; directories above not counted.

    Args:
        node: a file or directory, links already followed.
        wanted: sum of `READ`, `WRITE` and `EXECUTE`.
    """
    shift = 6 if node.uid == USER_ID else 3 if node.gid == GROUP_ID else 0
    return node.mode >> shift & wanted == wanted


def barrier(files: Files, path: str) -> Node | None:
    """The first directory on the way to `path` that Lambda's user may not pass; `None` when the way is open.

    Links are followed as the kernel does, so that a directory above a link's target counts too.
    """
    pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    reached, links = "/", 0
    while pending:
        here = files.get(reached)
        if here is None or here.kind != "dir":
            return None
        if not allows(here, EXECUTE):
            return here
        part = pending.pop()
        if part == "..":
            reached = posixpath.dirname(reached)
            continue
        node = files.get(posixpath.join(reached, part))
        if node is not None and node.kind == "symlink":
            links += 1
            if links > _LINKS_MAX:
                return None
            reached = "/" if node.link.startswith("/") else reached
            pending.extend(part for part in reversed(node.link.split("/")) if part not in ("", "."))
        else:
            reached = posixpath.join(reached, part)
    return None


def octal(node: Node) -> str:
    """The mode of `node` as chmod takes it, ``0640``."""
    return f"{node.mode:04o}"
