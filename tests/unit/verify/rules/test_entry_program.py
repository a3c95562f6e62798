"""Why the kernel refuses a program, and that it takes every sound one."""

import pytest

from tests.fakes import image_files as fake
from understudy.verify.rules import entry_program as programs
from understudy.verify.rules.entry_program import Cause


def script(first: str, mode: int = 0o755) -> fake.Spec:
    return fake.Spec(content=f"{first}\necho\n", mode=mode)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(script("#!/bin/sh"), id="shell-script"),
        pytest.param(script("#!/bin/sh -eu"), id="with-options"),
        pytest.param(script("#! /usr/bin/bash"), id="space-after-the-mark"),
        pytest.param(script("#!/usr/bin/env bash"), id="env"),
        pytest.param(script("#!/usr/bin/env -S bash -eu"), id="env-split"),
        pytest.param(fake.shared_object(interpreter="/lib64/ld-linux-x86-64.so.2"), id="binary"),
        pytest.param(fake.shared_object(), id="static-binary"),
        pytest.param(fake.shared_object(mode=0o711), id="binary-that-cannot-be-read"),
        pytest.param(fake.link("/usr/bin/bash"), id="link"),
        pytest.param(fake.Spec(content="#!/bin/sh\n", mode=0o500, uid=993), id="owned-by-lambda"),
        pytest.param(fake.Spec(content="#!/bin/sh\n", mode=0o050, gid=990), id="group-of-lambda"),
    ],
)
def test_sound_programs_have_no_obstacle(spec: fake.Spec) -> None:
    subject = fake.subject({"/usr/bin/env": fake.shared_object(), "/entry": spec})
    assert programs.obstacle(subject, "/entry") is None


@pytest.mark.parametrize(
    ("spec", "cause", "reason", "exit_status"),
    [
        pytest.param(
            script("#!/bin/zsh"), Cause.INTERPRETER_MISSING, "no such file or directory", 0, id="no-zsh"
        ),
        pytest.param(
            script("#!/usr/bin/env python3.9"),
            Cause.INTERPRETER_MISSING,
            "no such file",
            127,
            id="env-misses",
        ),
        pytest.param(script("#!/bin/sh\r"), Cause.CARRIAGE_RETURN, "no such file or directory", 0, id="crlf"),
        pytest.param(
            script("#!/usr/bin/env bash\r"), Cause.CARRIAGE_RETURN, "no such file", 127, id="crlf-env"
        ),
        pytest.param(script("#!/bin/sh -e\r"), Cause.CARRIAGE_RETURN, "no such file", 2, id="crlf-option"),
        pytest.param(script("echo hi"), Cause.NO_SHEBANG, "exec format error", 0, id="no-shebang"),
        pytest.param(
            script("\ufeff#!/bin/sh"), Cause.NO_SHEBANG, "exec format error", 0, id="byte-order-mark"
        ),
        pytest.param(fake.Spec(mode=0o755), Cause.NO_SHEBANG, "exec format error", 0, id="empty"),
        pytest.param(script("#!"), Cause.NO_SHEBANG, "exec format error", 0, id="empty-shebang"),
        pytest.param(script("#!/bin/sh", 0o644), Cause.NOT_EXECUTABLE, "permission denied", 0, id="no-x"),
        pytest.param(
            script("#!/bin/sh", 0o700), Cause.NOT_EXECUTABLE, "permission denied", 0, id="root-only"
        ),
        pytest.param(
            script("#!/bin/sh", 0o711), Cause.NOT_EXECUTABLE, "permission denied", 126, id="unreadable"
        ),
        pytest.param(
            fake.Spec(content="#!/bin/sh\n", mode=0o075, uid=993),
            Cause.NOT_EXECUTABLE,
            "permission denied",
            0,
            id="owner-bits-count-for-the-owner",
        ),
        pytest.param(fake.directory(), Cause.NOT_EXECUTABLE, "permission denied", 0, id="directory"),
        pytest.param(fake.shared_object(machine="arm64"), Cause.MACHINE, "exec format error", 0, id="arm64"),
        pytest.param(
            fake.shared_object(interpreter="/lib/ld-musl-x86_64.so.1"),
            Cause.LOADER_MISSING,
            "no such file or directory",
            0,
            id="musl-on-glibc",
        ),
        pytest.param(fake.link("/nowhere"), Cause.MISSING, "no such file or directory", 0, id="dangling"),
    ],
)
def test_names_the_obstacle(spec: fake.Spec, cause: Cause, reason: str, exit_status: int) -> None:
    subject = fake.subject({"/usr/bin/env": fake.shared_object(), "/entry": spec})
    blocked = programs.obstacle(subject, "/entry")
    assert blocked is not None
    assert blocked.cause is cause
    assert blocked.reason.startswith(reason)
    assert blocked.exit_status == exit_status


def test_an_interpreter_of_a_script_is_judged_like_a_program() -> None:
    subject = fake.subject(
        {"/entry": script("#!/opt/tool"), "/opt/tool": fake.shared_object(machine="arm64")}
    )
    blocked = programs.obstacle(subject, "/entry")
    assert blocked is not None
    assert (blocked.cause, blocked.path) == (Cause.MACHINE, "/opt/tool")


def test_a_directory_above_a_link_target_counts() -> None:
    files = {
        "/root": fake.directory(0o700),
        "/root/bin/run": script("#!/bin/sh"),
        "/run": fake.link("root/bin/run"),
    }
    blocked = programs.obstacle(fake.subject(files), "/run")
    assert blocked is not None
    assert (blocked.cause, blocked.path) == (Cause.NOT_EXECUTABLE, "/root")


def test_a_file_of_another_case_is_named() -> None:
    blocked = programs.obstacle(fake.subject({"/Entry.sh": script("#!/bin/sh")}), "/entry.sh")
    assert blocked is not None
    assert blocked.text == "/entry.sh does not exist, /Entry.sh does"


def test_the_image_decides_about_the_machine_where_it_contradicts_the_function() -> None:
    """That the function is for another architecture is a finding of its own."""
    subject = fake.subject({"/entry": fake.shared_object()}, architecture="amd64")
    assert programs.machine(subject) == "x86_64"
    assert programs.obstacle(subject, "/entry") is None
