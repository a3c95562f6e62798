"""Owners and modes where this process may not set owners.

Unprivileged, every extracted file belongs to the invoking user, and in the sandbox's user namespace that
user *is* Lambda's 993:990. On Lambda the same process is "other" for a root-owned file, so the owner's
permission bits are replaced with the bits that 993:990 would meet there; a file of mode 0600 is unreadable in
both places. What the image really says is kept in the attribute `user.understudy.stat`, which overlayfs
carries along when it copies a file up: a step's layer then records the true owner and mode again (`restore`).
"""

from dataclasses import dataclass

XATTR = "user.understudy.stat"
_LAMBDA_UID = 993
_LAMBDA_GID = 990


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """User, group and mode as the image declares them."""

    uid: int
    gid: int
    mode: int


def masked(owner: Owner) -> int:
    """Returns the mode that gives the file's owner here what Lambda's user has there."""
    if owner.uid == _LAMBDA_UID:
        return owner.mode
    shift = 3 if owner.gid == _LAMBDA_GID else 0
    seen = (owner.mode >> shift) & 0o7
    return (owner.mode & ~0o700) | seen << 6


def record(owner: Owner) -> bytes:
    """Returns `owner` as the attribute's value."""
    return f"{owner.uid}:{owner.gid}:{owner.mode:o}".encode()


def restore(value: bytes, mode: int) -> Owner | None:
    """Returns the owner in `value` with the mode that the file has now.

    Args:
        value: the attribute.
        mode: permission bits on disk; a build step that changed them meant it.
    """
    try:
        uid, gid, original = value.decode("ascii").split(":")
        owner = Owner(uid=int(uid), gid=int(gid), mode=int(original, 8))
    except ValueError:
        return None
    if mode == masked(owner):
        return owner
    return Owner(uid=owner.uid, gid=owner.gid, mode=mode)
