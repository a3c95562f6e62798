"""Environment variables that the user's code cannot be imported without.

Only what is certain counts: ``os.environ["X"]`` that every import evaluates, and required fields of a
settings class of pydantic that is made at module level. Refuses to judge what a ``.env`` file or a source of
the user's own may provide.
"""

import ast
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.python import constants
from understudy.verify.rules import configuration_rules as rules
from understudy.verify.rules import entry_code, entry_user_code
from understudy.verify.rules.entry_user_code import UserModule
from understudy.verify.rules.found import found

# Set by Lambda for image functions (lambda-contract B2); AWS_EXECUTION_ENV and the like are among them.
SET_BY_LAMBDA = frozenset(
    {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR", "TZ", "PATH", "PWD",
    }
)  # fmt: skip
# AWS's bootstrap and entry script export these on top.
_SET_BY_BASE = frozenset({"_HANDLER", "PYTHONPATH", "LANG", "LD_LIBRARY_PATH", "SHLVL", "_X_AMZN_TRACE_ID"})
_LOADERS = frozenset({"dotenv", "environs", "decouple", "dynaconf", "starlette.config"})
_SETTINGS = frozenset({"pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic.v1.BaseSettings"})
_OPEN_CONFIG = frozenset({"secrets_dir", "env_nested_delimiter", "json_file", "yaml_file", "toml_file"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """A variable that an import needs; any one of `names` will do."""

    names: tuple[str, ...]
    module: UserModule
    line: int
    text: str
    any_case: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """A settings class: its required fields with the variables that fill each, or that nobody can tell."""

    name: str
    module: UserModule
    fields: tuple[tuple[str, tuple[str, ...]], ...]
    known: bool
    any_case: bool
    env_files: tuple[str, ...] = ()


def check(subject: Subject) -> Iterator[Finding]:
    """Yields the variables that the handler's import needs and that nothing sets."""
    modules = [module for module in entry_user_code.modules(subject) if module.sure]
    if not any(module.has(b"environ", b"BaseSettings") for module in modules):
        return
    if any(_loads_files(module) for module in modules):
        return
    present = {*subject.launch.environment, *SET_BY_LAMBDA, *_SET_BY_BASE}
    present |= {name for module in modules for name in _assigned(module)}
    folded = {name.lower() for name in present}
    reported: set[tuple[str, ...]] = set()
    for need in _needs(subject, modules):
        names = {name.lower() for name in need.names} if need.any_case else set(need.names)
        if not names.isdisjoint(folded if need.any_case else present) or need.names in reported:
            continue
        reported.add(need.names)
        yield _finding(subject, need)


def _finding(subject: Subject, need: _Need) -> Finding:
    name, known = need.names[0], bool(subject.launch.function_name)
    return found(
        rules.MISSING,
        places=[subject.place(need.module.path, line=need.line)],
        message=f"{need.module.name} needs the environment variable {name} when it is imported, "
        "and neither image nor function sets it",
        fix=f"add {name} to the function's environment variables"
        + ("" if known else f", and verify with --function NAME or --env {name}=VALUE"),
        aws_text=need.text,
        severity=None if known else Severity.MAY_FAIL,
    )


def _needs(subject: Subject, modules: Iterable[UserModule]) -> Iterator[_Need]:
    folder = subject.launch.working_dir or "/"
    classes = {
        item.name: item
        for module in modules
        for item in _settings_classes(module)
        if not any(subject.files.resolve(posixpath.join(folder, path)) for path in item.env_files)
    }
    for module in modules:
        if not (module.has(b"environ") or any(module.has(name.encode()) for name in classes)):
            continue
        for item in module.executed:
            if not item.sure:
                continue
            node = item.node
            if isinstance(node, ast.Subscript) and not item.survives("KeyError", "LookupError"):
                yield from _looked_up(module, node)
            elif isinstance(node, ast.Call) and not item.survives("ValidationError", "ValueError"):
                yield from _made(module, node, classes)


def _looked_up(module: UserModule, node: ast.Subscript) -> Iterator[_Need]:
    name = entry_code.constant(node.slice)
    if (
        name
        and isinstance(node.ctx, ast.Load)
        and entry_code.full_name(node.value, module.names) in ("os.environ", "os.environb")
    ):
        yield _Need(names=(name,), module=module, line=node.lineno, text=f"KeyError: '{name}'")


def _made(module: UserModule, node: ast.Call, classes: dict[str, _Settings]) -> Iterator[_Need]:
    """The fields that ``Settings()`` needs; arguments may fill any of them."""
    made = classes.get(constants.dotted(node.func).rpartition(".")[2])
    if made is None or not made.known or node.args or node.keywords:
        return
    for field, variables in made.fields:
        text = (
            f"ValidationError: 1 validation error for {made.name}\n{field}\n"
            "  Field required [type=missing, input_value={}, input_type=dict]"
        )
        yield _Need(names=variables, module=module, line=node.lineno, text=text, any_case=made.any_case)


def _loads_files(module: UserModule) -> bool:
    """Whether the module reads variables from files that the rules do not see."""
    if not module.has(*(name.encode() for name in _LOADERS)):
        return False
    tops = {name.partition(".")[0] for name in module.names.values()}
    return not tops.isdisjoint(_LOADERS) or "starlette.config.Config" in module.names.values()


def _assigned(module: UserModule) -> Iterator[str]:
    """Variables that the code itself sets."""
    names = module.names if module.has(b"environ", b"putenv") else {}
    for node in module.nodes if names else ():
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            if entry_code.full_name(node.value, names) == "os.environ":
                yield entry_code.constant(node.slice)
        elif isinstance(node, ast.Call):
            called = entry_code.full_name(node.func, names)
            if called in ("os.environ.setdefault", "os.putenv"):
                yield entry_code.constant(node.args[0] if node.args else None)
            elif called == "os.environ.update":
                yield from (keyword.arg for keyword in node.keywords if keyword.arg)
                keys = (argument.keys for argument in node.args if isinstance(argument, ast.Dict))
                yield from (entry_code.constant(key) for group in keys for key in group)


def _settings_classes(module: UserModule) -> Iterator[_Settings]:
    for node in module.tree.body if module.has(b"BaseSettings") else ():
        if not isinstance(node, ast.ClassDef):
            continue
        bases = {entry_code.full_name(base, module.names) for base in node.bases}
        if bases & _SETTINGS and len(node.bases) == 1:
            yield _settings(module, node)


def _settings(module: UserModule, node: ast.ClassDef) -> _Settings:
    config = _config(node)
    prefix = config.get("env_prefix", "")
    any_case = config.get("case_sensitive", "False") == "False"
    env_file = config.get("env_file", "None")
    open_ended = _OPEN_CONFIG & config.keys() or prefix is None or env_file is None
    customised = any(
        isinstance(item, ast.FunctionDef) and "customise_sources" in item.name for item in node.body
    )
    required = (_required(item, prefix or "", upper=any_case) for item in node.body)
    fields = [field for field in required if field is not None]
    return _Settings(
        name=node.name,
        module=module,
        fields=tuple(fields),
        known=not open_ended and not customised and all(variables for _, variables in fields),
        any_case=any_case,
        env_files=(env_file,) if env_file not in (None, "None") else (),
    )


def _config(node: ast.ClassDef) -> dict[str, str | None]:
    """Keywords of ``model_config`` or of the inner class ``Config``; `None` for what is no constant."""
    found: dict[str, str | None] = {}
    for item in node.body:
        if isinstance(item, ast.ClassDef) and item.name == "Config":
            for inner in item.body:
                if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
                    found[inner.targets[0].id] = _text(inner.value)
        elif isinstance(item, ast.Assign) and constants.dotted(item.targets[0]) == "model_config":
            if isinstance(item.value, ast.Call):
                found |= {word.arg: _text(word.value) for word in item.value.keywords if word.arg}
            elif isinstance(item.value, ast.Dict):
                pairs = zip(item.value.keys, item.value.values, strict=True)
                found |= {entry_code.constant(key): _text(value) for key, value in pairs}
    return found


def _text(node: ast.expr) -> str | None:
    return str(node.value) if isinstance(node, ast.Constant) else None


def _required(item: ast.stmt, prefix: str, *, upper: bool) -> tuple[str, tuple[str, ...]] | None:
    """A required field with the variables that fill it, none when they cannot be told."""
    if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
        return None
    name = item.target.id
    if name.startswith("_") or name == "model_config" or "ClassVar" in ast.unparse(item.annotation):
        return None
    plain = f"{prefix}{name}".upper() if upper else f"{prefix}{name}"
    if item.value is None or _is_ellipsis(item.value):
        return name, (plain,)
    return _required_field(name, plain, item.value)


def _required_field(name: str, plain: str, value: ast.expr) -> tuple[str, tuple[str, ...]] | None:
    """The same for a field whose value is ``Field(...)``; anything else is a default."""
    if not isinstance(value, ast.Call) or constants.dotted(value.func).rpartition(".")[2] != "Field":
        return None
    keywords = {word.arg: word.value for word in value.keywords}
    first = value.args[0] if value.args else keywords.get("default")
    if "default_factory" in keywords or None in keywords or (first is not None and not _is_ellipsis(first)):
        return None
    names = [keywords[key] for key in ("validation_alias", "alias", "env") if key in keywords]
    alias = entry_code.constant(names[0]) if names else plain
    return name, (alias,) if alias else ()


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis
