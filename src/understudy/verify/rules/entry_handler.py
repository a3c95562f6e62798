"""Whether the runtime client can be imported and finds the handler it is given.

Follows `_get_handler` of awslambdaric's bootstrap.py step by step, with its words. Silent when an entry
script of the image's own may change handler or working directory, and about modules that exist only at run
time.
"""

import ast
import posixpath
from collections.abc import Iterator

from understudy.verify.model import Finding, Subject
from understudy.verify.python import analysis
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.modules import Module
from understudy.verify.rules import (
    entry_launch,
    entry_rules,
    entry_runtime,
    entry_suggestions,
    entry_user_code,
)
from understudy.verify.rules.entry_launch import Kind, Start
from understudy.verify.rules.found import found

_CLIENT = "awslambdaric"
_EXIT = "Runtime.ExitError: Runtime exited with error: exit status 1"
# Linked into every CPython on Linux (Modules/Setup.bootstrap.in and config.c.in).
_BUILT_IN = frozenset(
    {
        "atexit", "builtins", "errno", "faulthandler", "gc", "itertools", "marshal", "posix", "pwd", "sys",
        "time", "_abc", "_ast", "_codecs", "_collections", "_functools", "_imp", "_io", "_locale",
        "_operator", "_signal", "_sre", "_stat", "_string", "_symtable", "_thread", "_tracemalloc", "_typing",
        "_warnings", "_weakref",
    }
)  # fmt: skip
_USUAL = ("lambda_handler", "handler", "main", "app")


def check(subject: Subject, start: Start) -> Iterator[Finding]:
    """Yields what keeps the runtime client from calling the handler."""
    if start.kind not in (Kind.AWS, Kind.CLIENT):
        return
    known = analysis.of(subject)
    if known is None:
        return
    blocked = list(_client(subject, start, known))
    yield from blocked
    if not start.exact or blocked:
        return
    if start.kind is Kind.CLIENT and not start.arguments:
        yield _unset(subject)
    elif start.arguments[:2] == ("/bin/sh", "-c") and start.kind is Kind.CLIENT:
        yield entry_runtime.shell_form(subject, start.arguments, _malformed("/bin/sh"))
    elif start.handler:
        yield from _handler(subject, start, known)


def _unset(subject: Subject) -> Finding:
    launch = subject.launch
    if launch.command and launch.entrypoint[:2] == ("/bin/sh", "-c"):
        return found(
            entry_rules.HANDLER_UNSET,
            places=[entry_launch.config_place(subject, "ENTRYPOINT")],
            message=f"ENTRYPOINT is in shell form, which drops CMD {launch.command[0]}",
            fix=f"ENTRYPOINT {entry_launch.usual_entrypoint(subject)}",
        )
    return found(
        entry_rules.HANDLER_UNSET,
        places=[entry_launch.config_place(subject, "CMD")],
        message="python -m awslambdaric gets no handler: CMD is empty",
        fix=f'{entry_launch.setting(subject)} ["app.handler"]',
    )


def _client(subject: Subject, start: Start, known: Analysis) -> Iterator[Finding]:
    finder, python = known.finder, known.python
    if start.kind is Kind.AWS:
        finder = finder.with_path((*python.search_path, "/var/runtime"))
    client = finder.find(_CLIENT)
    if client is None:
        module = start.kind is Kind.CLIENT
        yield found(
            entry_rules.CLIENT_MISSING,
            places=[entry_launch.program_place(subject)],
            message=f"{python.executable} cannot import awslambdaric, looked for in "
            + ", ".join(path for path in python.search_path if subject.files.names(path)),
            fix=f"RUN {python.executable} -m pip install awslambdaric",
            aws_text=f"{python.executable}: No module named awslambdaric\n{_EXIT}"
            if module
            else f"ModuleNotFoundError: No module named 'awslambdaric'\n{_EXIT}",
        )
        return
    release = _release(subject, client)
    if not release or start.kind is Kind.AWS:
        return
    if release < (1, 1) and python.version >= (3, 12):
        what = f"needs the module imp, which Python {python.version_text} does not have"
        text = entry_rules.CLIENT_OLD.aws_text
    elif release < (1, 2) and "/" in start.handler:
        module_name = start.handler.rpartition(".")[0]
        what = f"does not take {start.handler}, which has a slash"
        text = (
            f"Runtime.ImportModuleError: Unable to import module '{module_name}': "
            f"No module named '{module_name}'"
        )
    else:
        return
    yield found(
        entry_rules.CLIENT_OLD,
        places=[subject.place(client.path)],
        message=f"awslambdaric {'.'.join(map(str, release))} {what}",
        fix=f"RUN {python.executable} -m pip install --upgrade awslambdaric",
        aws_text=text,
    )


def _release(subject: Subject, client: Module) -> tuple[int, ...]:
    """The version of the installed client; empty when its metadata does not tell."""
    folder = posixpath.dirname(posixpath.dirname(client.path))
    prefix = f"{_CLIENT}-"
    names = (name for name in subject.files.names(folder) if name.startswith(prefix))
    name = next((name for name in names if name.endswith((".dist-info", ".egg-info"))), "")
    parts = name.removeprefix(prefix).split(".")[:3]
    return tuple(int(part) for part in parts) if parts and all(part.isdecimal() for part in parts) else ()


def _handler(subject: Subject, start: Start, known: Analysis) -> Iterator[Finding]:
    handler = start.handler
    malformed = _malformed(handler)
    if malformed:
        yield _wrong_name(subject, handler, malformed)
        return
    module_name = handler.rpartition(".")[0]
    if module_name.split(".")[0] in _BUILT_IN:
        yield found(
            entry_rules.BUILT_IN,
            places=[entry_launch.config_place(subject, "CMD")],
            message=f"handler {handler}: {module_name} is built into Python",
            fix=_own_module(subject, known, handler),
            aws_text="Runtime.BuiltInModuleConflict: "
            f"Cannot use built-in module {module_name} as a handler module",
        )
        return
    name = module_name.replace("/", ".")
    module = known.finder.find(name)
    if module is None:
        yield from _absent(subject, known, handler)
    else:
        yield from _attribute(subject, known, module, handler)


def _own_module(subject: Subject, known: Analysis, handler: str) -> str:
    """The edit for a handler in a module of Python's own, whether or not the user has a file of that name."""
    module_name, _, attribute = handler.rpartition(".")
    setting = entry_launch.setting(subject)
    if subject.files.get(f"{known.python.task_root}/{module_name}.py") is not None:
        return f"rename {module_name}.py, and {setting} with it"
    return f'{setting} ["MODULE.{attribute}"], with the module of the image that defines {attribute}'


def _malformed(handler: str) -> str:
    """The runtime client's words for a handler that it cannot split or import; empty when it can."""
    module, dot, attribute = handler.rpartition(".")
    if not dot:
        return (
            f"Runtime.MalformedHandlerName: Bad handler '{handler}': "
            "not enough values to unpack (expected 2, got 1)"
        )
    dotted = module.replace("/", ".")
    if not dotted:
        return "ValueError: Empty module name"
    if dotted.startswith("."):
        return f"TypeError: the 'package' argument is required to perform a relative import for '{dotted}'"
    if any(mark in module for mark in ":'\"[] "):
        quote = '"' if "'" in dotted else "'"
        first = dotted.split(".")[0]
        return (
            f"Runtime.ImportModuleError: Unable to import module '{module}': "
            f"No module named {quote}{first}{quote}"
        )
    if not attribute.isidentifier():
        return f"Runtime.HandlerNotFound: Handler '{attribute}' missing on module '{module}'"
    return ""


def _wrong_name(subject: Subject, handler: str, text: str) -> Finding:
    meant = handler.strip("'\"[] ").replace(":", ".").removeprefix("./").strip("./").replace("()", "")
    if "." not in meant:
        meant = f"{meant or 'app'}.handler"
    why = "has a colon, as uvicorn writes it" if ":" in handler else "is not written as MODULE.FUNCTION"
    return found(
        entry_rules.MALFORMED,
        places=[entry_launch.config_place(subject, "CMD")],
        message=f"handler {handler} {why}",
        fix=f'{entry_launch.setting(subject)} ["{meant}"]',
        aws_text=text,
    )


def _absent(subject: Subject, known: Analysis, handler: str) -> Iterator[Finding]:
    module_name = handler.rpartition(".")[0]
    name = module_name.replace("/", ".")
    missing = known.finder.missing_part(name)
    above = missing.rpartition(".")[0]
    parent = known.finder.find(above) if above else None
    if parent is not None and parent.kind != "source" and known.finder.makes_modules(parent):
        return
    if parent is None and (known.python.hooks or not known.python.traced):
        return
    reason = f"No module named '{missing}'"
    if parent is not None and not parent.is_package:
        reason += f"; '{above}' is not a package"
    if parent is not None:
        places = [subject.place(parent.path or parent.locations[0])]
        expected = f"a module {missing}"
    else:
        places = [entry_launch.config_place(subject, "CMD")]
        expected = f"{known.python.task_root}/{missing}.py"
    hint = entry_suggestions.of(subject, known, handler, missing, parent)
    yield found(
        entry_rules.HANDLER_MISSING,
        places=places,
        message=f"the handler's module {module_name} is not in the image, expected {expected}"
        + (f"; there is {hint.other}" if hint.other else ""),
        fix=hint.fix,
        aws_text=f"Runtime.ImportModuleError: Unable to import module '{module_name}': {reason}",
    )


def _attribute(subject: Subject, known: Analysis, module: Module, handler: str) -> Iterator[Finding]:
    shown, _, attribute = handler.rpartition(".")
    names = _names(subject, known, module)
    if names is None or attribute in names:
        return
    below = known.finder.find(f"{module.name}.{attribute}") if module.is_package else None
    if below is not None and (below.path in known.closure.visits or not below.path):
        return
    usual = [name for name in _USUAL if name in names]
    candidates = usual or [name for name in sorted(names) if name.lower() == attribute.lower()]
    where = module.path or module.locations[0]
    fix = f"def {attribute}(event, context) in {where}"
    if below is not None:
        fix = f'{entry_launch.setting(subject)} ["{handler}.handler"]'
    elif candidates or attribute == "py":
        fix = f'{entry_launch.setting(subject)} ["{shown}.{(candidates or ["handler"])[0]}"]'
    told = f", it defines {', '.join(candidates)}" if candidates else ""
    if below is not None:
        told = f"; {below.path} is a module of its own, which nothing imports"
    yield found(
        entry_rules.ATTRIBUTE,
        places=[subject.place(where)],
        message=f"{where} does not define {attribute}{told}",
        fix=fix,
        aws_text=f"Runtime.HandlerNotFound: Handler '{attribute}' missing on module '{shown}'",
    )


def _names(subject: Subject, known: Analysis, module: Module) -> set[str] | None:
    """The names that the handler's module has after its import; `None` when it may have any."""
    if module.kind == "namespace":
        return set()
    facts = known.closure.facts.get(module.path)
    if facts is None or facts.open_ended or facts.registers:
        return None
    return facts.defines - _deleted(subject, module)


def _deleted(subject: Subject, module: Module) -> set[str]:
    """Names that the last word of the module on them takes away."""
    deleted: set[str] = set()
    user = next((item for item in entry_user_code.modules(subject) if item.path == module.path), None)
    for statement in user.tree.body if user is not None and user.has(b"del ") else ():
        if isinstance(statement, ast.Delete):
            deleted.update(target.id for target in statement.targets if isinstance(target, ast.Name))
        else:
            bound = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            deleted.difference_update(node.id for node in bound if isinstance(node.ctx, ast.Store))
            deleted.discard(getattr(statement, "name", ""))
    return deleted
