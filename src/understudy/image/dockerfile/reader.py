"""One raw instruction with the questions every rule asks of it."""

from __future__ import annotations

import difflib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from understudy.image.dockerfile import lines, words
from understudy.image.dockerfile.model import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.image.dockerfile.lines import RawInstruction


class Reader:
    """One raw instruction with what every rule needs of it."""

    def __init__(self, raw: RawInstruction, *, path: str, escape: str) -> None:
        self.raw = raw
        self._path = path
        self._escape = escape

    @property
    def keyword(self) -> str:
        """The instruction's name."""
        return self.raw.at.keyword

    def fail(self, message: str, hint: str) -> lines.DockerfileError:
        """Returns the error about this instruction."""
        return lines.error(self._path, self.raw.at.line, message, hint)

    def after(self, word: str) -> Reader:
        """Returns the same instruction with its rest after `word`."""
        rest = self.raw.rest[len(word) :].strip()
        return Reader(replace(self.raw, rest=rest), path=self._path, escape=self._escape)

    def words(self) -> list[str]:
        """Returns the rest cut at blanks outside quotes, at least one word.

        Raises:
            DockerfileError: there is none.
        """
        found = words.split(self.raw.rest, escape=self._escape)
        if not found:
            raise self.fail(f"{self.keyword} has no value", f"write one after {self.keyword}")
        return found

    def json_list(self) -> list[str] | None:
        """Returns the rest as a JSON array of texts; None when it is none, as Docker reads it then."""
        if not self.raw.rest.startswith("["):
            return None
        try:
            value = json.loads(self.raw.rest)
        except ValueError:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return None
        return value

    def command(self) -> Command:
        """Returns the rest as a command in exec or shell form.

        Raises:
            DockerfileError: it is empty.
        """
        listed = self.json_list()
        if listed is not None:
            return Command(words=tuple(listed), in_shell=False)
        if not self.raw.rest:
            raise self.fail(f"{self.keyword} has no command", f"write one after {self.keyword}")
        return Command(words=(self.raw.rest,), in_shell=True)

    def flags(self, *known: str, repeated: tuple[str, ...] = ()) -> dict[str, list[str | None]]:
        """Returns the values per flag.

        Raises:
            DockerfileError: a flag is unknown, or is given twice and not in `repeated`.
        """
        values: dict[str, list[str | None]] = {}
        for flag in self.raw.flags:
            if flag.name not in (*known, *repeated):
                near = difflib.get_close_matches(flag.name, (*known, *repeated), n=1, cutoff=0.4)
                hint = f"write --{near[0]}" if near else f"remove --{flag.name}"
                raise self.fail(f"{self.keyword} flag --{flag.name} is not supported", hint)
            if flag.name in values and flag.name not in repeated:
                raise self.fail(f"{self.keyword} flag --{flag.name} is given twice", "keep one of them")
            values.setdefault(flag.name, []).append(flag.value)
        return values

    def text_flag(self, values: Mapping[str, list[str | None]], name: str) -> str | None:
        """Returns the value of a flag that needs one.

        Raises:
            DockerfileError: it has none.
        """
        if name not in values:
            return None
        value = values[name][0]
        if not value:
            raise self.fail(f"{self.keyword} flag --{name} has no value", f"write --{name}=VALUE")
        return value

    def boolean_flag(self, values: Mapping[str, list[str | None]], name: str, *, default: bool) -> bool:
        """Returns the value of a flag that is true when bare.

        Raises:
            DockerfileError: it is neither true nor false.
        """
        value = values.get(name, [str(default)])[0]
        if value is None or value.lower() in ("true", "1"):
            return True
        if value.lower() in ("false", "0"):
            return False
        raise self.fail(f"{self.keyword} flag --{name} is {value!r}, not true or false", f"write --{name}")

    def expand_quotes(self, word: str) -> str:
        """Returns `word` without the double quotes around it; what is inside stays as written."""
        quoted = len(word) >= 2 and word[0] == word[-1] == '"'
        return word[1:-1] if quoted else word
