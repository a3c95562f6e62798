"""`RUN --mount=...`: bind, cache, secret and tmpfs, as BuildKit's `commands_runmount.go` reads them."""

from __future__ import annotations

import csv
import difflib
from typing import TYPE_CHECKING, Final, Literal, cast

from understudy.image.dockerfile.model import RunMount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.image.dockerfile.reader import Reader

_ALIASES: Final = {
    "src": "source",
    "dst": "target",
    "destination": "target",
    "ro": "readonly",
    "rw": "readwrite",
}
_COMMON: Final = frozenset({"type", "target", "readonly", "readwrite"})
_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "bind": _COMMON | {"source", "from"},
    "cache": _COMMON | {"source", "from", "id", "sharing", "mode", "uid", "gid"},
    "secret": _COMMON | {"source", "id", "required", "mode", "uid", "gid", "env"},
    "tmpfs": _COMMON | {"size"},
}
_BARE: Final = frozenset({"readonly", "readwrite", "required"})


def parse(reader: Reader, text: str) -> RunMount:
    """Returns the mount that one `--mount` value names.

    Raises:
        DockerfileError: its type or a field is unknown, or a needed field is missing.
    """
    values = _values(reader, text)
    kind = values.get("type", "bind")
    known = _KNOWN.get(kind)
    if known is None:
        raise reader.fail(
            f"RUN --mount type is {kind!r}", f"write one of {', '.join(sorted(_KNOWN))} after type="
        )
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            raise reader.fail(
                f"RUN --mount=type={kind} has no field {name!r}",
                f"write {near[0]}" if near else f"remove {name}",
            )
    target = values.get("target", "")
    identity = values.get("id", "")
    if kind == "secret":
        identity = identity or values.get("source", "").rpartition("/")[2] or target.rpartition("/")[2]
        if not identity:
            raise reader.fail("RUN --mount=type=secret has no id", "write --mount=type=secret,id=NAME")
        if not target and "env" not in values:
            target = f"/run/secrets/{identity}"
    elif not target:
        raise reader.fail(f"RUN --mount=type={kind} has no target", "add target=/path")
    return RunMount(
        kind=cast("Literal['bind', 'cache', 'secret', 'tmpfs']", kind),
        target=target,
        source=values.get("source", ""),
        from_stage=values.get("from"),
        identity=identity or (target if kind == "cache" else ""),
        env=values.get("env"),
        read_only=_read_only(reader, kind, values),
        required=_boolean(reader, "required", values.get("required", "false")),
        mode=_number(reader, "mode", values.get("mode"), base=8),
        uid=_number(reader, "uid", values.get("uid")) or 0,
        gid=_number(reader, "gid", values.get("gid")) or 0,
    )


def _values(reader: Reader, text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for field in next(csv.reader([reader.expand_quotes(text)]), []):
        name, equals, value = field.partition("=")
        name = _ALIASES.get(name.lower(), name.lower())
        if not equals and name not in _BARE:
            raise reader.fail(f"RUN --mount field {field!r} has no value", f"write {name}=VALUE")
        values[name] = value if equals else "true"
    return values


def _read_only(reader: Reader, kind: str, values: Mapping[str, str]) -> bool:
    if "readwrite" in values:
        return not _boolean(reader, "readwrite", values["readwrite"])
    default = "true" if kind in ("bind", "secret") else "false"
    return _boolean(reader, "readonly", values.get("readonly", default))


def _boolean(reader: Reader, name: str, value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise reader.fail(f"RUN --mount field {name} is {value!r}, not true or false", f"write {name}=true")
    return value.lower() in ("true", "1")


def _number(reader: Reader, name: str, value: str | None, *, base: int = 10) -> int | None:
    if value is None:
        return None
    try:
        return int(value, base)
    except ValueError as exc:
        raise reader.fail(f"RUN --mount field {name} is {value!r}, not a number", f"write {name}=0") from exc
