"""What a Dockerfile says about the function that runs its image: handler, context, variables; pure."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from understudy.image import dockerfile
from understudy.image.dockerfile import words
from understudy.image.dockerfile.model import (
    Arg,
    Cmd,
    Command,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    Instruction,
    Label,
    Run,
    Stage,
)
from understudy.targets.init.tree import Tree

_LAMBDA_BASES = ("public.ecr.aws/lambda/", "amazon/aws-lambda-", "docker.io/amazon/aws-lambda-")
_HANDLER = re.compile(r"[A-Za-z_$][\w./${}-]*\.[A-Za-z_]\w*")
_RUNTIME_CLIENT, _WEB_ADAPTER = "awslambdaric", "aws-lambda-adapter"


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaImage:
    """An image that Lambda can run, as its Dockerfile describes it.

    Attributes:
        path: of the Dockerfile, relative to the repository.
        context: folder that its COPY reads from, relative to the repository.
        handler: `module.attribute`; empty when CMD starts a program, as with the Lambda Web Adapter.
        variables: environment variables that it sets.
        packages_beside_code: whether packages are installed where the code lies.
        architecture: ``arm64`` when its base says so, else ``x86_64``.
    """

    path: str
    context: str
    handler: str
    variables: frozenset[str]
    packages_beside_code: bool
    architecture: str


def read(tree: Tree, path: str) -> LambdaImage | None:
    """The image of a Dockerfile; None when Lambda could not run it, as one that starts a server.

    Raises:
        DockerfileError: it is no valid Dockerfile.
    """
    parsed = dockerfile.parse(tree.texts[path], path=path)
    chain = _chain(parsed)
    arguments = _arguments(parsed)
    base = _expanded(chain[-1].base.image, arguments)
    written = [instruction for stage in reversed(chain) for instruction in stage.instructions]
    variables = _variables(written, arguments)
    entrypoint, command = _last(written, Entrypoint), _last(written, Cmd)
    has_adapter = any(_WEB_ADAPTER in (copy.from_stage or "") for copy in written if isinstance(copy, Copy))
    is_handler = not has_adapter and len(command) == 1 and _HANDLER.fullmatch(command[0]) is not None
    has_client = any(_RUNTIME_CLIENT in word for word in entrypoint)
    # A copy of AWS's base in a registry of one's own has another name and the same kind of CMD.
    if not (_is_lambda(base) or has_client or has_adapter or (is_handler and not entrypoint)):
        return None
    context = _context(tree, path, parsed)
    return LambdaImage(
        path=path,
        context=context,
        handler=_expanded(command[0], variables) if is_handler else "",
        variables=frozenset(_set(written)),
        packages_beside_code=_beside_code(parsed),
        architecture="arm64" if "arm64" in f"{base} {chain[-1].base.platform or ''}" else "x86_64",
    )


def _is_lambda(base: str) -> bool:
    return base.startswith(_LAMBDA_BASES)


def _chain(parsed: Dockerfile) -> list[Stage]:
    """The last stage and the ones that it is built from, last first."""
    named = {stage.name: stage for stage in parsed.stages}
    chain = [parsed.stages[-1]]
    while (before := named.get(chain[-1].base.image)) is not None and before not in chain:
        chain.append(before)
    return chain


def _arguments(parsed: Dockerfile) -> dict[str, str]:
    found: dict[str, str] = {}
    for argument in parsed.global_args:
        for name, value in argument.pairs:
            found[name] = _expanded(value or "", found)
    return found


def _variables(written: list[Instruction], arguments: Mapping[str, str]) -> dict[str, str]:
    """The variables that words see in the end: build arguments with a default, and what ENV sets."""
    known = dict(arguments)
    for instruction in written:
        if isinstance(instruction, Env) and not isinstance(instruction, Label):
            known |= {name: _expanded(value, known) for name, value in instruction.pairs}
        elif isinstance(instruction, Arg):
            known |= {name: _expanded(value, known) for name, value in instruction.pairs if value}
    return known


def _set(written: list[Instruction]) -> Iterator[str]:
    for instruction in written:
        if isinstance(instruction, Env) and not isinstance(instruction, Label):
            yield from (name for name, _ in instruction.pairs)


def _last(written: list[Instruction], kind: type[Entrypoint] | type[Cmd]) -> tuple[str, ...]:
    """The words of the last ENTRYPOINT or CMD, one in shell form cut at blanks."""
    command: Command | None = None
    for instruction in written:
        if isinstance(instruction, kind):
            command = instruction.command
    if command is None:
        return ()
    return tuple(command.words[0].split()) if command.in_shell else command.words


def _context(tree: Tree, path: str, parsed: Dockerfile) -> str:
    """The nearest folder, from the Dockerfile's own upwards, that holds all that COPY names."""
    wanted = [
        posixpath.normpath(source).lstrip("/")
        for stage in parsed.stages
        for copy in stage.instructions
        if isinstance(copy, Copy) and copy.from_stage is None
        for source in copy.sources
        if not any(letter in source for letter in "*?[$:")
    ]
    own = folder = posixpath.dirname(path)
    while True:
        if all(tree.has(posixpath.normpath(posixpath.join(folder, source))) for source in wanted):
            return folder or "."
        if not folder:
            return own or "."
        folder = posixpath.dirname(folder)


def _beside_code(parsed: Dockerfile) -> bool:
    """Whether a pip or uv of any stage installs into a folder of its own, as AWS's documents show it."""
    return any(
        word in ("-t", "--target") or word.startswith(("--target=", "-t="))
        for line in _lines(parsed)
        for word in line.split()
        if "install" in line
    )


def _lines(parsed: Dockerfile) -> Iterator[str]:
    for stage in parsed.stages:
        for instruction in stage.instructions:
            if isinstance(instruction, Run):
                yield instruction.at.source


def _expanded(word: str, variables: Mapping[str, str]) -> str:
    try:
        return words.expand(word, variables)
    except words.WordSyntaxError:
        return word
