"""Whether Lambda can start what ENTRYPOINT, CMD and WORKDIR say, and whether that asks Lambda for events.

The family's door: its `check` goes from the kernel's view (does the program start) over the runtime's (is a
client there, what does it get) to Python's (is the handler there). Refuses to judge programs that are neither
Python nor AWS's base: a compiled bootstrap may speak to the Runtime API in its own way.
"""

import posixpath
from collections.abc import Iterator

from understudy.verify.model import Finding, Rule, Subject
from understudy.verify.python import analysis, startup
from understudy.verify.rules import entry_handler, entry_launch, entry_rules, entry_runtime
from understudy.verify.rules import entry_program as programs
from understudy.verify.rules import filesystem_access as access
from understudy.verify.rules.entry_launch import Kind, Start
from understudy.verify.rules.entry_program import Cause, Obstacle
from understudy.verify.rules.found import found

RULES = entry_rules.RULES

_RULE_OF = {
    Cause.MISSING: entry_rules.PROGRAM_MISSING,
    Cause.NOT_EXECUTABLE: entry_rules.NOT_EXECUTABLE,
    Cause.INTERPRETER_MISSING: entry_rules.SHEBANG_MISSING,
    Cause.LOADER_MISSING: entry_rules.LOADER_MISSING,
    Cause.CARRIAGE_RETURN: entry_rules.CRLF,
    Cause.NO_SHEBANG: entry_rules.NO_SHEBANG,
    Cause.MACHINE: entry_rules.WRONG_MACHINE,
}


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what is wrong between Lambda's first exec and the handler's first line."""
    yield from _working_dir(subject)
    start = entry_launch.start(subject)
    # A web server that nobody adapts to Lambda is the cause, whether or not its program is found.
    if start.kind is not Kind.SERVER or entry_launch.extensions(subject):
        yield from _program(subject)
    yield from _interpreter(subject, start)
    yield from entry_runtime.check(subject, start)
    yield from entry_handler.check(subject, start)


def _working_dir(subject: Subject) -> Iterator[Finding]:
    path = subject.launch.working_dir or "/"
    place = entry_launch.config_place(subject, "WORKDIR")
    if not path.startswith("/"):
        yield found(
            entry_rules.WORKING_DIR,
            places=[place],
            message=f"working directory {path} is relative, expected an absolute path",
            fix=f"WORKDIR /{path}",
            aws_text=f"Runtime.InvalidWorkingDir: the working directory '{path}' is invalid, "
            "it needs to be an absolute path",
        )
        return
    node, reason = subject.files.resolve(path), ""
    if node is None:
        reason = "no such file or directory"
    elif node.kind != "dir":
        reason = "not a directory"
    elif access.barrier(subject.files, path) or not access.allows(node, access.EXECUTE):
        reason = "permission denied"
    if reason:
        fix = f"RUN chmod 755 {path}" if reason == "permission denied" else f"WORKDIR {path}"
        if subject.launch.working_dir_overridden and reason == "no such file or directory":
            fix = f"remove ImageConfig.WorkingDirectory, or RUN mkdir -p {path}"
        yield found(
            entry_rules.WORKING_DIR,
            places=[place],
            message=f"working directory {path}: {reason}",
            fix=fix,
            aws_text=f"Runtime.InvalidWorkingDir: chdir {path}: {reason}",
        )


def _program(subject: Subject) -> Iterator[Finding]:
    launch = subject.launch
    argv = (*launch.entrypoint, *launch.command)
    place = entry_launch.program_place(subject)
    if not argv:
        yield found(
            entry_rules.PROGRAM_MISSING,
            places=[place],
            message="the image has neither ENTRYPOINT nor CMD",
            aws_text="Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): []",
        )
        return
    path = startup.which(subject.files, argv[0], launch.environment, launch.working_dir)
    if path is None:
        yield _absent(subject, argv)
        return
    blocked = programs.obstacle(subject, path)
    if blocked is not None:
        yield _blocked(subject, path, blocked)
    node, target = subject.files.get(path), subject.files.resolve(path)
    if blocked is None and node is not None and (node.kind == "symlink" or not argv[0].startswith("/")):
        what = f"a link to {node.link}" if node.kind == "symlink" else f"looked up, and leads to {path}"
        yield found(
            entry_rules.SYMLINK,
            places=[place],
            message=f"{argv[0]} is {what}",
            fix=f'ENTRYPOINT ["{target.path if target else path}", ...]',
        )


def _interpreter(subject: Subject, start: Start) -> Iterator[Finding]:
    """The Python that a script starts; one that is started directly is the program itself."""
    launch = subject.launch
    known = analysis.of(subject)
    if known is None or not known.python.traced or start.kind not in (Kind.AWS, Kind.CLIENT):
        return
    path = known.python.executable
    program = (*launch.entrypoint, *launch.command)[0]
    if startup.which(subject.files, program, launch.environment, launch.working_dir) == path:
        return
    blocked = programs.obstacle(subject, path)
    if blocked is not None and programs.obstacle(subject, program) is None:
        shown = "Permission denied" if blocked.cause is Cause.NOT_EXECUTABLE else "cannot execute"
        rule = _RULE_OF[blocked.cause]
        yield found(
            rule,
            places=[subject.place(blocked.path)],
            message=blocked.text,
            fix=fix_of(rule, subject, blocked),
            aws_text=f"{path}: {shown}\nRuntime.ExitError: Runtime exited with error: exit status "
            f"{127 if blocked.reason.startswith('no such') else 126}",
        )


def _absent(subject: Subject, argv: tuple[str, ...]) -> Finding:
    launch, program = subject.launch, argv[0]
    place = entry_launch.program_place(subject)
    if "/" in program:
        path = posixpath.join(launch.working_dir or "/", program)
        blocked = programs.obstacle(subject, path)
        if blocked is not None:
            return _blocked(subject, path, blocked)
    text = f"Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [{program}]"
    overridden = launch.entrypoint_overridden or (launch.command_overridden and not launch.entrypoint)
    if overridden:
        start = entry_launch.usual_entrypoint(subject)
        return found(
            entry_rules.OVERRIDE,
            places=[place],
            message=f"{place.path} makes Lambda execute {program}, which is no program of the image",
            fix=f"set ImageConfig.EntryPoint to {start}"
            + (f' and ImageConfig.Command to ["{program}"]' if launch.entrypoint_overridden else ""),
            aws_text=f"{text} Entrypoint: [{' '.join(launch.entrypoint)}] "
            f"Cmd: [{' '.join(launch.command)}] WorkingDir: [{launch.working_dir}]",
        )
    message = f"{place.path} starts {program}, which is not on PATH"
    fix = f'{place.path} ["/absolute/path/of/{program}", ...]'
    if not launch.entrypoint and entry_launch.looks_like_handler(program):
        start = entry_launch.usual_entrypoint(subject)
        message, fix = f"the image has no ENTRYPOINT, so CMD {program} is executed", f"ENTRYPOINT {start}"
    return found(entry_rules.PROGRAM_MISSING, places=[place], message=message, fix=fix, aws_text=text)


def _blocked(subject: Subject, path: str, blocked: Obstacle) -> Finding:
    rule = _RULE_OF[blocked.cause]
    place = subject.place(blocked.path)
    if blocked.cause is Cause.MISSING:
        place = entry_launch.program_place(subject)
    return found(
        rule,
        places=[place],
        message=blocked.text,
        fix=fix_of(rule, subject, blocked),
        aws_text=blocked.aws_text(path),
    )


def fix_of(rule: Rule, subject: Subject, blocked: Obstacle) -> str:
    """The rule's fix with the names of this image."""
    path = blocked.path
    if blocked.cause is Cause.MACHINE:
        platform = {"x86_64": "amd64", "arm64": "arm64"}.get(programs.machine(subject), "amd64")
        return f"docker buildx build --platform linux/{platform} --provenance=false ."
    fixes = {
        Cause.MISSING: f"COPY {posixpath.basename(path)} {path}",
        Cause.NOT_EXECUTABLE: f"RUN chmod 755 {path}",
        Cause.INTERPRETER_MISSING: f"change the first line of {path}, or install {blocked.wanted}",
        Cause.CARRIAGE_RETURN: f"RUN sed -i 's/\\r$//' {path}",
        Cause.NO_SHEBANG: f"make #!/bin/sh the first line of {path}",
    }
    return fixes.get(blocked.cause, rule.fix)
