"""What the runtime gets and needs before it imports the handler: arguments, client, wrapper, extensions.

Refuses to look at images without a Python runtime, but for extensions, which Lambda starts in any image.
"""

import posixpath
import re
from collections.abc import Iterator

from understudy.verify.model import Finding, Subject
from understudy.verify.python import analysis
from understudy.verify.rules import entry_launch, entry_rules
from understudy.verify.rules import entry_program as programs
from understudy.verify.rules import filesystem_access as access
from understudy.verify.rules.entry_launch import BOOTSTRAP, Kind, Start
from understudy.verify.rules.entry_program import Cause
from understudy.verify.rules.found import found

_PYTHON = re.compile(rb"/var/lang/bin/python3\.[0-9]+")
_SCRIPT_BYTES_MAX = 65_536
_SHELL_FORM = ("/bin/sh", "-c")
_EXIT = "Runtime.ExitError: Runtime exited with error: exit status"


def check(subject: Subject, start: Start) -> Iterator[Finding]:
    """Yields what is wrong with the runtime that `start` says there is."""
    yield from _extensions(subject)
    if start.kind is Kind.SERVER:
        yield from _server(subject, start)
    elif start.kind is Kind.AWS:
        yield from _bootstrap(subject)
        yield from _wrapper(subject)
        yield from _arguments(subject, start)


def _arguments(subject: Subject, start: Start) -> Iterator[Finding]:
    """AWS's entry script takes one argument."""
    arguments = start.arguments
    if len(arguments) == 1:
        return
    place = entry_launch.config_place(subject, "CMD")
    text = entry_rules.ARGUMENTS.aws_text
    if arguments[:2] == _SHELL_FORM:
        yield shell_form(subject, arguments, text)
        return
    if arguments and posixpath.basename(arguments[0]) in entry_launch.SERVERS:
        yield found(
            entry_rules.SERVER,
            places=[place],
            message=f"CMD starts {arguments[0]}, but AWS's entry script takes a handler and nothing else",
            fix="wrap the application with Mangum in app.py and set " + entry_rules.ARGUMENTS.fix,
            aws_text=text,
        )
        return
    handler = next((item for item in arguments if entry_launch.looks_like_handler(item)), "app.handler")
    shown = " ".join(arguments) or "nothing"
    yield found(
        entry_rules.ARGUMENTS,
        places=[place],
        message=f"AWS's entry script gets {shown}, expected the handler alone",
        fix=f'{entry_launch.setting(subject)} ["{handler}"]',
        aws_text=text,
    )


def shell_form(subject: Subject, arguments: tuple[str, ...], aws_text: str) -> Finding:
    """The finding about a CMD that became ``/bin/sh -c TEXT``."""
    written = " ".join(arguments[2:3])
    meant = written.strip("[] '\"") or "app.handler"
    return found(
        entry_rules.SHELL_FORM,
        places=[entry_launch.config_place(subject, "CMD")],
        message=f"CMD {written} is in shell form, so the runtime takes /bin/sh for the handler",
        fix=f'CMD ["{meant}"]',
        aws_text=aws_text,
    )


def _server(subject: Subject, start: Start) -> Iterator[Finding]:
    if entry_launch.extensions(subject):
        return
    program = (*subject.launch.entrypoint, *subject.launch.command)[0]
    yield found(
        entry_rules.SERVER,
        places=[entry_launch.program_place(subject)],
        message=f"{start.server} is started without a runtime client and without Lambda Web Adapter",
        aws_text=None
        if start.python
        else f"Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [{program}]",
    )


def _bootstrap(subject: Subject) -> Iterator[Finding]:
    blocked = programs.obstacle(subject, BOOTSTRAP)
    if blocked is None:
        yield from _client_script(subject)
        return
    missing = blocked.cause is Cause.MISSING
    shown = "No such file or directory" if missing else "Permission denied"
    yield found(
        entry_rules.BOOTSTRAP,
        places=[subject.place(blocked.path)],
        message=blocked.text,
        fix="FROM public.ecr.aws/lambda/python:3.13" if missing else f"RUN chmod 755 {blocked.path}",
        aws_text=f"/lambda-entrypoint.sh: line 14: {BOOTSTRAP}: {shown}\n{_EXIT} {127 if missing else 126}",
    )


def _client_script(subject: Subject) -> Iterator[Finding]:
    """AWS's bootstrap has Python run the script beside it."""
    node = subject.files.resolve(BOOTSTRAP)
    is_text = node is not None and node.size_bytes <= _SCRIPT_BYTES_MAX
    text = subject.files.read(BOOTSTRAP) if is_text else b""
    # An interpreter that is known is judged as the one that the entry point leads to.
    python = _PYTHON.search(text) if analysis.of(subject) is None else None
    blocked = programs.obstacle(subject, python[0].decode()) if python is not None else None
    if blocked is not None:
        yield found(
            entry_rules.BOOTSTRAP,
            places=[subject.place(blocked.path)],
            message=f"{BOOTSTRAP} runs {blocked.text}",
            fix="FROM public.ecr.aws/lambda/python:3.13"
            if blocked.cause is not Cause.NOT_EXECUTABLE
            else f"RUN chmod 755 {blocked.path}",
            aws_text=f"{BOOTSTRAP}: {blocked.path}: {blocked.reason}\n{_EXIT} {blocked.exit_status or 126}",
        )
        return
    path = f"{BOOTSTRAP}.py"
    if path.encode() not in text:
        return
    script = subject.files.resolve(path)
    if script is None:
        reason, fix = "[Errno 2] No such file or directory", "FROM public.ecr.aws/lambda/python:3.13"
    elif not access.allows(script, access.READ):
        reason, fix = "[Errno 13] Permission denied", f"RUN chmod o+r {script.path}"
    else:
        return
    yield found(
        entry_rules.BOOTSTRAP,
        places=[subject.place(path if script is None else script.path)],
        message=f"{BOOTSTRAP} runs {path}: {reason}",
        fix=fix,
        aws_text=f"can't open file '{path}': {reason}\n{_EXIT} 2",
    )


def _wrapper(subject: Subject) -> Iterator[Finding]:
    """AWS's bootstrap tests the wrapper with ``-f`` and ``-x`` and then executes it."""
    wrapper = subject.launch.environment.get("AWS_LAMBDA_EXEC_WRAPPER", "")
    if not wrapper:
        return
    path = posixpath.join(subject.launch.working_dir or "/", wrapper)
    blocked = programs.obstacle(subject, path)
    if blocked is None:
        return
    name = posixpath.basename(path)
    place = subject.place(path)
    if subject.files.get(path) is None:
        place = entry_launch.variable_place(subject, "AWS_LAMBDA_EXEC_WRAPPER")
    if blocked.cause is Cause.MISSING:
        text, fix = f"{wrapper}: does not exist\n{_EXIT} 127", f"COPY --chmod=755 {name} {wrapper}"
    elif blocked.cause is Cause.NOT_EXECUTABLE:
        text, fix = f"{wrapper}: is not an executable\n{_EXIT} 126", f"RUN chmod 755 {blocked.path}"
    else:
        status = blocked.exit_status or 126
        text, fix = f"{BOOTSTRAP}: {wrapper}: cannot execute\n{_EXIT} {status}", entry_rules.WRAPPER.fix
        if blocked.cause is Cause.CARRIAGE_RETURN:
            fix = f"RUN sed -i 's/\\r$//' {wrapper}"
    yield found(
        entry_rules.WRAPPER,
        places=[place],
        message=f"AWS_LAMBDA_EXEC_WRAPPER: {blocked.text}",
        fix=fix,
        aws_text=text,
    )


def _extensions(subject: Subject) -> Iterator[Finding]:
    for path in entry_launch.extensions(subject):
        blocked = programs.obstacle(subject, path)
        if blocked is None:
            continue
        text = f"Extension.LaunchError: fork/exec {path}: {blocked.reason}"
        place = subject.place(path)
        if blocked.cause is Cause.MACHINE:
            wanted = programs.machine(subject)
            fix = f"copy the {wanted} build of {posixpath.basename(path)} to {path}"
            yield found(
                entry_rules.EXTENSION_MACHINE, places=[place], message=blocked.text, fix=fix, aws_text=text
            )
            continue
        fix = f"RUN chmod 755 {blocked.path}"
        if blocked.cause is not Cause.NOT_EXECUTABLE:
            fix = f"RUN rm {path}, or replace it by a program that the image can execute"
        yield found(entry_rules.EXTENSION_MODE, places=[place], message=blocked.text, fix=fix, aws_text=text)
