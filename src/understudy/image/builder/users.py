"""Names of users and groups as the image's own files know them; the host's are never asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.image.builder import tree

if TYPE_CHECKING:
    from understudy.image.builder.tree import Tree


class UserUnknownError(Exception):
    """A name is in neither `/etc/passwd` nor `/etc/group`; the caller adds file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the image."""

    uid: int
    gid: int
    home: str = "/"


def account(image: Tree, text: str) -> Account:
    """Returns the user that `user[:group]` means, by name or number; a bare number is its own group.

    Raises:
        UserUnknownError: a name is not in the image.
    """
    user, _, group = text.partition(":")
    found = _user(image, user or "0")
    if not group:
        return found
    return Account(uid=found.uid, gid=_group(image, group), home=found.home)


def _user(image: Tree, text: str) -> Account:
    for line in _lines(image, "etc/passwd", 7):
        if text in (line[0], line[2]) and line[2].isdigit() and line[3].isdigit():
            gid = int(text) if text.isdigit() else int(line[3])
            return Account(uid=int(line[2]), gid=gid, home=line[5] or "/")
    if text.isdigit():
        return Account(uid=int(text), gid=int(text))
    if text == "root":
        return Account(uid=0, gid=0, home="/root")
    raise UserUnknownError(f"user {text!r} is not in the image's /etc/passwd")


def _group(image: Tree, text: str) -> int:
    if text.isdigit():
        return int(text)
    for line in _lines(image, "etc/group", 4):
        if line[0] == text and line[2].isdigit():
            return int(line[2])
    if text == "root":
        return 0
    raise UserUnknownError(f"group {text!r} is not in the image's /etc/group")


def _lines(image: Tree, path: str, fields: int) -> list[list[str]]:
    node = image.node(tree.resolve(image, path))
    if node is None:
        return []
    lines = node.place.read_text("utf-8", "replace").splitlines()
    return [parts for line in lines if len(parts := line.split(":")) >= fields]
