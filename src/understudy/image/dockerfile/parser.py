"""Reads a Dockerfile: text in, frozen instructions with line numbers out.

Reads what `docker build` reads (BuildKit's `frontend/dockerfile/instructions`). Everything it does not
support is an error that names file, line and the nearest valid name: a silently ignored line would build
another image than Docker does. Does no I/O.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from understudy.image.dockerfile import lines, reader, rules
from understudy.image.dockerfile.model import (
    Arg,
    Cmd,
    Dockerfile,
    Entrypoint,
    From,
    Instruction,
    Remark,
    Stage,
)

if TYPE_CHECKING:
    from understudy.image.dockerfile.lines import RawInstruction


def parse(text: str, *, path: str = "Dockerfile") -> Dockerfile:
    """Returns the Dockerfile in `text`.

    Args:
        text: its content.
        path: how messages name it.

    Raises:
        DockerfileError: a line is malformed or not supported.
    """
    escape, raw_instructions = lines.cut(text, path)
    global_args: list[Arg] = []
    stages: list[tuple[From, list[Instruction]]] = []
    for raw in raw_instructions:
        instruction = _instruction(raw, path, escape)
        if isinstance(instruction, From):
            stages.append((instruction, []))
        elif stages:
            stages[-1][1].append(instruction)
        elif isinstance(instruction, Arg):
            global_args.append(instruction)
        else:
            raise lines.error(
                path,
                raw.at.line,
                f"{raw.at.keyword} stands before the first FROM; only ARG may",
                "move it below the FROM line",
            )
    if not stages:
        raise lines.error(
            path, 1, "Dockerfile has no FROM", "start it with FROM public.ecr.aws/lambda/python:3.13"
        )
    _check_names(stages, path)
    built = tuple(
        Stage(index=index, base=base, instructions=tuple(instructions))
        for index, (base, instructions) in enumerate(stages)
    )
    return Dockerfile(
        path=path,
        escape=escape,
        global_args=tuple(global_args),
        stages=built,
        warnings=tuple(_remarks(built)),
    )


def _instruction(raw: RawInstruction, path: str, escape: str) -> Instruction:
    rule = rules.RULES.get(raw.at.keyword)
    if rule is None:
        raise _unknown(raw, path)
    return rule(reader.Reader(raw, path=path, escape=escape))


def _unknown(raw: RawInstruction, path: str) -> lines.DockerfileError:
    if raw.at.keyword == "ONBUILD":
        return lines.error(
            path,
            raw.at.line,
            "ONBUILD is not supported: it runs in somebody else's build",
            "put the instruction into the Dockerfile that needs it",
        )
    near = difflib.get_close_matches(raw.at.keyword, rules.RULES, n=1, cutoff=0.5)
    known = ", ".join(sorted(rules.RULES))
    hint = f"write {near[0]}" if near else f"use one of {known}"
    return lines.error(path, raw.at.line, f"instruction {raw.at.keyword[:40]} is unknown", hint)


def _check_names(stages: list[tuple[From, list[Instruction]]], path: str) -> None:
    seen: dict[str, int] = {}
    for base, _ in stages:
        if base.name is None:
            continue
        if base.name in seen:
            raise lines.error(
                path,
                base.at.line,
                f"stage name {base.name!r} is taken by line {seen[base.name]}",
                "give this stage another name after AS",
            )
        seen[base.name] = base.at.line


def _remarks(stages: tuple[Stage, ...]) -> list[Remark]:
    """A CMD in single quotes looks like exec form and is none: Lambda then gets `['app.handler']`."""
    return [
        Remark(
            line=instruction.at.line,
            message=f"{instruction.at.keyword} looks like a JSON array but is none, so it runs in a shell; "
            "write it with double quotes",
        )
        for stage in stages
        for instruction in stage.instructions
        if isinstance(instruction, Cmd | Entrypoint)
        and instruction.command.in_shell
        and instruction.command.words[0].startswith("[")
    ]
