"""What a service's code needs around it: environment, tables, buckets, queues, topics, permissions; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from understudy.targets.init import actions, resources, usage, variables
from understudy.targets.init.keys import Key
from understudy.targets.init.model import Note, ResourceInput, Statement
from understudy.targets.init.modules import Code
from understudy.targets.init.usage import Usage, Used
from understudy.targets.init.variables import Value, Variable

# Set by Lambda or the image, or by the shell that a developer runs in.
_NOT_OURS = ("AWS_", "LAMBDA_", "_")
_HOSTS = frozenset(
    {"HOME", "PATH", "USER", "PWD", "PORT", "HOST", "TZ", "LANG", "PYTHONPATH", "CI", "TMPDIR"}
)
_SECRET = ("SECRET", "PASSWORD", "TOKEN", "KEY", "CREDENTIAL", "DSN")
_WORDS = {"Table": "TABLE", "Bucket": "BUCKET", "Queue": "QUEUE", "Topic": "TOPIC"}
_SHAPES = {"text": "local", "number": "1", "flag": "false"}
# What libraries parse as soon as a module is loaded; the first that a name ends in.
_FORMS = (
    (("DATABASE_URL", "DB_URL", "DATABASE_URI", "DB_URI", "DSN"), "postgresql://local:local@localhost/local"),
    (("URL", "URI", "ENDPOINT", "ORIGIN"), "http://localhost"),
    (("REGION",), "us-east-1"),
    (("LOG_LEVEL", "LOGLEVEL"), "INFO"),
    (("PORT",), "1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What is known besides the code.

    Attributes:
        set_by_image: environment variables that need no value.
        samples: values that the repository's example of an environment gives.
        tables: attributes of primary keys that the user states, by the table's name.
    """

    set_by_image: frozenset[str] = frozenset()
    samples: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What the code needs, as the manifests will say it; see `model.FunctionInput` for the fields."""

    variables: Mapping[str, str]
    local_variables: Mapping[str, str]
    resources: tuple[ResourceInput, ...]
    statements: tuple[Statement, ...]
    notes: tuple[Note, ...]


def bind(project: str, codes: Sequence[Code], needs: Needs) -> Bound:
    """What `codes` need around them.

    Args:
        project: name of the service, which names of resources begin with.
        codes: the modules that run.
        needs: what else is known.
    """
    read = tuple(one for one in variables.find(codes) if _is_ours(one.name))
    used = usage.find(codes, variables.Names(codes))
    wanted = tuple(_wanted(used, read))
    made = [resources.make(project, one, _keys(used, one, wanted), needs.tables) for one in wanted]
    values = {one.variable: one.text for one in made if one.variable}
    open_ones = [one for one in read if one.name not in values and one.name not in needs.set_by_image]
    local = {one.name: _sample(one, needs.samples) for one in open_ones if one.required}
    return Bound(
        variables=values,
        local_variables=local,
        resources=tuple(one.resource for one in made if one.resource is not None),
        statements=tuple(_statements(used, made)),
        notes=(
            *(note for one in made for note in one.notes),
            *_about_indexes(used),
            *_about_services(used, made),
            *(_about_variable(one, local) for one in open_ones),
        ),
    )


def _is_ours(name: str) -> bool:
    return not name.startswith(_NOT_OURS) and name not in _HOSTS


def _wanted(used: Usage, read: Sequence[Variable]) -> Iterator[Used]:
    """The resources that the code names, and those that only a variable's name tells of."""
    named = [one for one in used.used if one.value != Value()]
    yield from named
    bound = {one.value.variable for one in named}
    for variable in read:
        for kind, word in _WORDS.items():
            is_kind = word in variable.name.upper().split("_") and usage.SERVICES[kind] in used.services
            if is_kind and variable.name not in bound:
                value = Value(variable=variable.name, constant=variable.default or "")
                yield Used(kind=kind, value=value, where=variable.where)


def _keys(used: Usage, one: Used, wanted: Sequence[Used]) -> tuple[Key, ...]:
    """The primary key of a table; a key that the code writes to some table is that of the only one."""
    found = used.keys.get(one.value, ())
    is_only = sum(other.kind == "Table" for other in wanted) == 1
    return found or (used.keys.get(Value(), ()) if is_only else ())


def _statements(used: Usage, made: Sequence[resources.Made]) -> Iterator[Statement]:
    bound = {one.service for one in made}
    for one in made:
        wanted = actions.called(one.service, used.methods) or actions.USUAL[one.service]
        with_indexes = one.service == "dynamodb" and bool(used.indexes)
        arns = (one.arn, f"{one.arn}/index/*") if with_indexes else (one.arn,)
        yield from actions.statements(one.subject, one.service, wanted, *arns)
    for service in sorted(used.services - bound - set(actions.USUAL)):
        wanted = actions.called(service, used.methods)
        yield from actions.statements(service, service, wanted, "*")


def _about_indexes(used: Usage) -> Iterator[Note]:
    for name in sorted(used.indexes):
        yield Note(
            subject=name,
            text="the code asks an index and does not state its key: add globalSecondaryIndexes to the Table",
        )


def _about_services(used: Usage, made: Sequence[resources.Made]) -> Iterator[Note]:
    bound = {one.service for one in made}
    for service in sorted(used.services - bound):
        wanted = actions.called(service, used.methods)
        if service in actions.USUAL:
            yield Note(
                subject=service,
                text="the code makes a client of it and does not say of what: no resource and no permission "
                "was written",
            )
        elif wanted:
            listed = ", ".join(f"{actions.prefix(service)}:{action}" for action in wanted)
            yield Note(subject=service, text=f'{listed} allowed on "*": narrow it in the role')


def _about_variable(one: Variable, local: Mapping[str, str]) -> Note:
    if one.name in local:
        text = (
            f"{one.where} fails without it: targets on this machine set it to {local[one.name]!r}, preprod "
            "sets nothing; write its value into that overlay's Function"
        )
    else:
        text = (
            f"{one.where} does without it"
            + (f", taking {one.default!r}" if one.default else "")
            + ": not set"
        )
    return Note(subject=one.name, text=text)


def _sample(one: Variable, samples: Mapping[str, str]) -> str:
    """A value that the code can start with; never one of somebody's real secrets."""
    is_secret = any(word in one.name.upper() for word in _SECRET)
    given = "" if is_secret else samples.get(one.name, "")
    form = next((text for ends, text in _FORMS if one.name.upper().endswith(ends)), "")
    return given or (form if one.shape == "text" and form else _SHAPES[one.shape])
