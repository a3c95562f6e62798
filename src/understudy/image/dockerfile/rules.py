"""One rule per instruction: what it takes and which flags it knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from understudy.image.dockerfile import lines, mounts
from understudy.image.dockerfile.model import (
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    HealthcheckInstruction,
    Instruction,
    Label,
    Maintainer,
    Run,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from understudy.image.dockerfile.reader import Reader

_STAGE_NAME = re.compile(r"[a-z][a-z0-9._-]*")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNIT_NS: Final[Mapping[str, int]] = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


def _from(reader: Reader) -> Instruction:
    flags = reader.flags("platform")
    words = reader.words()
    name = None
    if len(words) == 3 and words[1].upper() == "AS":
        name = words[2].lower()
        if _STAGE_NAME.fullmatch(name) is None:
            raise reader.fail(
                f"stage name {words[2]!r} is not a letter followed by letters, digits, '.', '_' or '-'",
                "rename the stage, for example AS build",
            )
    elif len(words) != 1:
        raise reader.fail(f"FROM has {len(words)} words", "write FROM IMAGE or FROM IMAGE AS NAME")
    return From(at=reader.raw.at, image=words[0], name=name, platform=reader.text_flag(flags, "platform"))


def _arg(reader: Reader) -> Instruction:
    reader.flags()
    pairs: list[tuple[str, str | None]] = []
    for word in reader.words():
        name, equals, value = word.partition("=")
        if not name:
            raise reader.fail(f"ARG {word!r} has no name", "write ARG NAME or ARG NAME=DEFAULT")
        pairs.append((name, value if equals else None))
    return Arg(at=reader.raw.at, pairs=tuple(pairs))


def _pairs(reader: Reader) -> tuple[tuple[str, str], ...]:
    """ENV and LABEL: `k=v k=v`, or the old `k the whole rest`."""
    reader.flags()
    words = reader.words()
    if "=" not in words[0]:
        if len(words) == 1:
            raise reader.fail(
                f"{reader.keyword} {words[0]} has no value", f"write {reader.keyword} {words[0]}=VALUE"
            )
        return ((words[0], reader.raw.rest[len(words[0]) :].strip()),)
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise reader.fail(
                f"{reader.keyword} word {word!r} is not NAME=VALUE", "put the value between double quotes"
            )
        pairs.append((name, value))
    return tuple(pairs)


def _env(reader: Reader) -> Instruction:
    return Env(at=reader.raw.at, pairs=_pairs(reader))


def _label(reader: Reader) -> Instruction:
    return Label(at=reader.raw.at, pairs=_pairs(reader))


def _workdir(reader: Reader) -> Instruction:
    return Workdir(at=reader.raw.at, path=_line(reader))


def _line(reader: Reader) -> str:
    """The whole rest as one word, blanks and all, as WORKDIR, USER and STOPSIGNAL take it."""
    reader.flags()
    if not reader.raw.rest:
        raise reader.fail(f"{reader.keyword} has no value", f"write one after {reader.keyword}")
    return reader.raw.rest


def _copy(reader: Reader) -> Instruction:
    if reader.keyword == "ADD":
        flags = reader.flags("chown", "chmod", "link", "checksum", "unpack", repeated=("exclude",))
    else:
        flags = reader.flags("chown", "chmod", "link", "from", repeated=("exclude",))
    listed = reader.json_list()
    words = listed if listed is not None else reader.raw.rest.split()
    if len(words) < 2:
        raise reader.fail(
            f"{reader.keyword} has {len(words)} words, expected a source and a destination",
            f"write {reader.keyword} SOURCE DESTINATION",
        )
    *sources, destination = words
    plain = tuple(word for word in sources if lines.heredoc_word(word) is None)
    if listed is not None:
        plain = tuple(sources)
    many = len(sources) > 1
    if many and not destination.endswith("/") and destination not in (".", "..") and "$" not in destination:
        raise reader.fail(
            f"{reader.keyword} has {len(sources)} sources, so its destination {destination!r} is a directory",
            f"write {destination}/",
        )
    reader.boolean_flag(flags, "link", default=False)
    return Copy(
        at=reader.raw.at,
        sources=plain,
        destination=destination,
        heredocs=reader.raw.heredocs,
        from_stage=reader.text_flag(flags, "from"),
        chown=reader.text_flag(flags, "chown"),
        chmod=reader.text_flag(flags, "chmod"),
        exclude=tuple(value for value in flags.get("exclude", []) if value),
        unpack=reader.keyword == "ADD" and reader.boolean_flag(flags, "unpack", default=True),
        checksum=reader.text_flag(flags, "checksum"),
    )


def _run(reader: Reader) -> Instruction:
    flags = reader.flags("network", "security", repeated=("mount",))
    network = reader.text_flag(flags, "network") or "default"
    if network not in ("default", "host", "none"):
        raise reader.fail(f"RUN flag --network is {network!r}", "write default, host or none")
    security = reader.text_flag(flags, "security") or "sandbox"
    if security != "sandbox":
        raise reader.fail(f"RUN flag --security={security} is not supported", "remove --security")
    return Run(
        at=reader.raw.at,
        command=reader.command(),
        heredocs=reader.raw.heredocs,
        mounts=tuple(mounts.parse(reader, value or "") for value in flags.get("mount", [])),
        network="none" if network == "none" else "default",
    )


def _entrypoint(reader: Reader) -> Instruction:
    reader.flags()
    return Entrypoint(at=reader.raw.at, command=reader.command())


def _cmd(reader: Reader) -> Instruction:
    reader.flags()
    return Cmd(at=reader.raw.at, command=reader.command())


def _shell(reader: Reader) -> Instruction:
    reader.flags()
    words = reader.json_list()
    if not words:
        raise reader.fail("SHELL is not a JSON array of texts", 'write SHELL ["/bin/bash", "-c"]')
    return Shell(at=reader.raw.at, words=tuple(words))


def _user(reader: Reader) -> Instruction:
    return User(at=reader.raw.at, user=_line(reader))


def _stop_signal(reader: Reader) -> Instruction:
    return StopSignal(at=reader.raw.at, signal=_line(reader))


def _maintainer(reader: Reader) -> Instruction:
    return Maintainer(at=reader.raw.at, author=_line(reader))


def _expose(reader: Reader) -> Instruction:
    reader.flags()
    return Expose(at=reader.raw.at, ports=tuple(reader.words()))


def _volume(reader: Reader) -> Instruction:
    reader.flags()
    listed = reader.json_list()
    return Volume(at=reader.raw.at, paths=tuple(listed if listed is not None else reader.words()))


def _healthcheck(reader: Reader) -> Instruction:
    durations = ("interval", "timeout", "start-period", "start-interval")
    flags = reader.flags(*durations, "retries")
    words = reader.raw.rest.split(maxsplit=1)
    if not words or words[0].upper() not in ("NONE", "CMD"):
        raise reader.fail("HEALTHCHECK is neither NONE nor CMD", "write HEALTHCHECK CMD COMMAND")
    retries = reader.text_flag(flags, "retries") or "0"
    if not retries.isdigit():
        raise reader.fail(f"HEALTHCHECK flag --retries is {retries!r}, not a number", "write --retries=3")
    times = {name: _duration(reader, name, reader.text_flag(flags, name)) for name in durations}
    return HealthcheckInstruction(
        at=reader.raw.at,
        command=None if words[0].upper() == "NONE" else reader.after(words[0]).command(),
        interval_ns=times["interval"],
        timeout_ns=times["timeout"],
        start_period_ns=times["start-period"],
        start_interval_ns=times["start-interval"],
        retries=int(retries),
    )


def _duration(reader: Reader, name: str, text: str | None) -> int:
    if text is None:
        return 0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise reader.fail(f"HEALTHCHECK flag --{name} is {text!r}, not a duration", f"write --{name}=30s")
    return sum(round(float(number) * _UNIT_NS[unit]) for number, unit in parts)


RULES: Final[Mapping[str, Callable[[Reader], Instruction]]] = {
    "ADD": _copy,
    "ARG": _arg,
    "CMD": _cmd,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
