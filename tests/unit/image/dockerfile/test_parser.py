"""What a Dockerfile's text means, line by line."""

import pytest

from understudy.image import dockerfile
from understudy.image.dockerfile.lines import DockerfileError
from understudy.image.dockerfile.model import (
    Cmd,
    Copy,
    Env,
    Expose,
    HealthcheckInstruction,
    Instruction,
    Run,
    Shell,
    Volume,
)


def only(text: str) -> Instruction:
    stage = dockerfile.parse(f"FROM scratch\n{text}\n").stages[0]
    assert len(stage.instructions) == 1
    return stage.instructions[0]


def run(text: str) -> Run:
    found = only(text)
    assert isinstance(found, Run)
    return found


def copy(text: str) -> Copy:
    found = only(text)
    assert isinstance(found, Copy)
    return found


def test_reads_stages_with_names_and_lines() -> None:
    parsed = dockerfile.parse(
        "# syntax=docker/dockerfile:1\nARG V=1\n\n"
        "FROM --platform=linux/amd64 a:$V AS Build\nRUN x\nFROM build\n"
    )
    assert [stage.name for stage in parsed.stages] == ["build", "1"]
    assert parsed.stages[0].base.platform == "linux/amd64"
    assert parsed.stages[0].base.image == "a:$V"
    assert parsed.global_args[0].pairs == (("V", "1"),)
    assert parsed.stages[0].instructions[0].at.line == 5


def test_joins_continuations_and_skips_comments_between_them() -> None:
    found = run("RUN a && \\\n  # no\n\n  b \\\n    c")
    assert found.command.words == ("a &&   b     c",)
    assert found.at.source == "RUN a && b c"


@pytest.mark.parametrize(
    ("text", "words", "in_shell"),
    [
        ('RUN ["a", "b c"]', ("a", "b c"), False),
        ("RUN ['a']", ("['a']",), True),
        ("RUN echo  'two  blanks'", ("echo  'two  blanks'",), True),
        ("RUN echo \\\\", ("echo \\\\",), True),
    ],
    ids=["exec", "single-quotes", "blanks-kept", "double-backslash-is-no-continuation"],
)
def test_reads_command_forms(text: str, words: tuple[str, ...], in_shell: bool) -> None:
    command = run(text).command
    assert (command.words, command.in_shell) == (words, in_shell)


def test_honours_the_escape_directive() -> None:
    parsed = dockerfile.parse("# escape=`\nFROM scratch\nRUN a `\nb\\\n")
    assert parsed.escape == "`"
    command = parsed.stages[0].instructions[0]
    assert isinstance(command, Run)
    assert command.command.words == ("a b\\",)


@pytest.mark.parametrize(
    ("text", "name", "body", "expand"),
    [
        ("RUN <<EOF\necho $A\n# kept\nEOF", "EOF", "echo $A\n# kept\n", True),
        ("RUN <<'EOF'\na\nEOF", "EOF", "a\n", False),
        ('RUN <<-"E"\n\ta\n\tE', "E", "a\n", False),
        ("RUN python3 <<EOF > /x\nprint(1)\nEOF", "EOF", "print(1)\n", True),
    ],
    ids=["plain", "quoted", "tabs", "to-a-command"],
)
def test_reads_heredocs(text: str, name: str, body: str, expand: bool) -> None:
    heredoc = run(text).heredocs[0]
    assert (heredoc.name, heredoc.text, heredoc.expand) == (name, body, expand)


def test_a_shell_here_string_or_shift_is_no_heredoc() -> None:
    assert run("RUN cat <<<word && echo $((1<<2))").heredocs == ()


def test_reads_copy_with_flags_and_two_heredocs() -> None:
    found = copy("COPY --chown=a:b --chmod=640 <<A <<B x /d/\n1\nA\n2\nB")
    assert (found.chown, found.chmod, found.destination) == ("a:b", "640", "/d/")
    assert found.sources == ("x",)
    assert [heredoc.text for heredoc in found.heredocs] == ["1\n", "2\n"]


def test_reads_copy_in_json_form() -> None:
    found = copy('COPY --from=build ["a b", "c", "/d d/"]')
    assert (found.sources, found.destination, found.from_stage) == (("a b", "c"), "/d d/", "build")


def test_add_unpacks_unless_told() -> None:
    assert copy("ADD a.tar /").unpack
    assert not copy("ADD --unpack=false a.tar /").unpack
    assert not copy("COPY a.tar /").unpack


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ('ENV A=1 B="x y" C=a\\ b', (("A", "1"), ("B", '"x y"'), ("C", "a\\ b"))),
        ("ENV A one two", (("A", "one two"),)),
        ("LABEL a.b=c", (("a.b", "c"),)),
    ],
    ids=["many", "old-form", "label"],
)
def test_reads_pairs(text: str, pairs: tuple[tuple[str, str], ...]) -> None:
    found = only(text)
    assert isinstance(found, Env)
    assert found.pairs == pairs


def test_reads_run_mounts() -> None:
    mounts = run(
        "RUN --mount=type=cache,target=/c,id=k,mode=0700 --mount=type=secret,id=s,env=S "
        "--mount=source=a,dst=/b,rw --mount=type=tmpfs,target=/t --network=none x"
    ).mounts
    assert [(mount.kind, mount.target) for mount in mounts] == [
        ("cache", "/c"),
        ("secret", ""),
        ("bind", "/b"),
        ("tmpfs", "/t"),
    ]
    assert mounts[0].mode == 0o700
    assert mounts[1].env == "S"
    assert (mounts[2].source, mounts[2].read_only) == ("a", False)


def test_reads_a_healthcheck() -> None:
    found = only("HEALTHCHECK --interval=1m30s --retries=2 CMD curl -f x")
    assert isinstance(found, HealthcheckInstruction)
    assert found.command is not None
    assert found.command.words == ("curl -f x",)
    assert (found.interval_ns, found.retries) == (90 * 10**9, 2)
    none = only("HEALTHCHECK NONE")
    assert isinstance(none, HealthcheckInstruction)
    assert none.command is None


def test_reads_lists() -> None:
    expose, volume, shell = (
        only("EXPOSE 80 90/udp"),
        only('VOLUME ["/a b"]'),
        only('SHELL ["/bin/bash", "-c"]'),
    )
    assert isinstance(expose, Expose)
    assert isinstance(volume, Volume)
    assert isinstance(shell, Shell)
    assert (expose.ports, volume.paths, shell.words) == (("80", "90/udp"), ("/a b",), ("/bin/bash", "-c"))


def test_warns_of_a_command_that_only_looks_like_json() -> None:
    parsed = dockerfile.parse("FROM scratch\nCMD ['app.handler']\n")
    assert isinstance(parsed.stages[0].instructions[0], Cmd)
    assert parsed.warnings[0].line == 2
    assert "double quotes" in parsed.warnings[0].message


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("", 1, "no FROM", "FROM"),
        ("RUN x\nFROM a", 1, "before the first FROM", "move"),
        ("FROM a\n\nCOPPY a b", 3, "COPPY is unknown", "write COPY"),
        ("FROM a\nONBUILD RUN x", 2, "ONBUILD is not supported", "put"),
        ("FROM a\nCOPY --chmdo=1 a b", 2, "--chmdo", "write --chmod"),
        ("FROM a\nCOPY --parents a b", 2, "--parents", "remove"),
        ("FROM a\nRUN --mount=type=ssh x", 2, "'ssh'", "secret"),
        ("FROM a\nRUN --mount=type=cache,traget=/a x", 2, "'traget'", "write target"),
        ("FROM a\nRUN --mount=type=cache x", 2, "no target", "target"),
        ("FROM a\nRUN <<EOF\nx", 2, "not ended", "EOF"),
        ("FROM a b", 1, "2 words", "AS"),
        ("FROM a AS b\nFROM c AS b", 2, "taken by line 1", "another"),
        ("FROM a\nSHELL bash", 2, "JSON", "SHELL ["),
        ("FROM a\nCOPY a b c", 2, "directory", "c/"),
        ("FROM a\nENV A", 2, "no value", "A=VALUE"),
        ("FROM a\nHEALTHCHECK --interval=5 CMD x", 2, "not a duration", "30s"),
        ("# escape=x\nFROM a", 1, "escape", "escape"),
    ],
)
def test_refuses_with_line_and_hint(text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        dockerfile.parse(text, path="svc/Dockerfile")
    assert caught.value.where == f"svc/Dockerfile:{line}"
    assert message in caught.value.message
    assert hint in caught.value.hint
