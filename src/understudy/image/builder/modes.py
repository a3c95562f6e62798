"""`--chmod`: octal (`755`) and symbolic (`u=rwX,go=rX`) modes."""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"([ugoa]*)([=+-])([rwxXst]*)")
_BITS = {"r": 4, "w": 2, "x": 1}
_SHIFT = {"u": 6, "g": 3, "o": 0}


class ModeInvalidError(ValueError):
    """A text is no mode."""


def check(text: str) -> None:
    """Refuses what `apply` cannot use.

    Raises:
        ModeInvalidError: `text` is no mode.
    """
    apply(text, 0o644, is_folder=False)


def apply(text: str, mode: int, *, is_folder: bool) -> int:
    """Returns the mode after `chmod text`.

    Raises:
        ModeInvalidError: `text` is no mode.
    """
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8)
    for clause in text.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise ModeInvalidError(text)
        mode = _changed(mode, match, is_folder=is_folder)
    return mode


def _changed(mode: int, match: re.Match[str], *, is_folder: bool) -> int:
    who, operator, letters = match.groups()
    classes = "ugo" if not who or "a" in who else who
    bits = 0
    for letter in letters:
        bits |= _BITS.get(letter, 0)
        if letter == "X" and (is_folder or mode & 0o111):
            bits |= 1
    wanted = 0
    covered = 0
    for name in classes:
        wanted |= bits << _SHIFT[name]
        covered |= 0o7 << _SHIFT[name]
        if "s" in letters and name in "ug":
            wanted |= 0o4000 if name == "u" else 0o2000
    if "t" in letters:
        wanted |= 0o1000
    if operator == "+":
        return mode | wanted
    if operator == "-":
        return mode & ~wanted
    return mode & ~covered | wanted
