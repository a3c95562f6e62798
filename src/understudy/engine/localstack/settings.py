"""Reads LocalStack's settings from the environment: each is honoured, met anyway, or refused by name.

``LOCALSTACK_X`` means ``X``, as LocalStack's container has it. An empty value means that the variable is
not set. Everything that is refused is told at once: who comes from LocalStack shall not have to start the
engine ten times.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from understudy.engine.localstack.services import resolve
from understudy.engine.localstack.table import SETTINGS, Reading
from understudy.errors import UnderstudyError

DEFAULT_PORT = 4566
_PREFIX = "LOCALSTACK_"
_OUR_PREFIXES = ("LAMBDA_", _PREFIX, "PROVIDER_OVERRIDE_")
# Lambda's own, where the engine runs inside one of its images.
_LAMBDAS_OWN = frozenset({"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"})
_LEVELS = {
    "trace": "debug",
    "trace-internal": "debug",
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
}
_TRUE = ("1", "true")
_FALSE = ("0", "false")
_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host, a port, or both, as LocalStack writes them: ``0.0.0.0:4566``, ``:4566``, ``[::1]``."""

    host: str | None
    port: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStackSettings:
    """What the environment asks of an engine in LocalStack's words; the defaults ask for nothing.

    Attributes:
        listen: addresses to listen on, all with one port or without.
        public: host and port that returned URLs name, where they are not the engine's own.
        log_level: of the engine's own log.
        services: the only services that answer, under LocalStack's names.
        origins: further web pages that may call the engine; ``*`` for all.
        executor: what isolates functions.
        keepalive_s: how long an idle execution environment is kept.
        concurrency: executions at once of an account in a region.
        inject_endpoint_url: whether functions get AWS_ENDPOINT_URL.
        retry_base_delay_s: before the first retry of an asynchronous invocation.
        met: names of settings that ask for what is so anyway, each with the reason, for the log.
    """

    listen: tuple[Address, ...] = ()
    public: Address | None = None
    log_level: str | None = None
    services: frozenset[str] | None = None
    origins: tuple[str, ...] = ()
    executor: str | None = None
    keepalive_s: float | None = None
    concurrency: int | None = None
    inject_endpoint_url: bool = True
    retry_base_delay_s: float | None = None
    met: tuple[str, ...] = ()


def read(
    environ: Mapping[str, str], *, any_service: bool = False, inherited: bool = False
) -> LocalStackSettings:
    """Returns what an environment asks for.

    Args:
        environ: all variables, LocalStack's among them.
        any_service: whether SERVICES may name what neither engine nor MiniStack has: another delegate may.
        inherited: whether it is a shell's, whose names may mean something else: what would be refused
            and has no ``LOCALSTACK_`` before it is told in `met` instead.

    Raises:
        UnderstudyError: it asks for what the engine does not do; the message names every such setting.
    """
    given = _named(environ)
    unmet = {name: _refusal(name, value) for name, value in given.items() if _refuses(name, value)}
    passed = {name for name in unmet if inherited and _PREFIX + name.removeprefix(_PREFIX) not in environ}
    refused = [told for name, told in unmet.items() if name not in passed]
    asked = {name: value for name, value in given.items() if name in SETTINGS and name not in unmet}
    try:
        settings = _settings(asked, any_service=any_service)
    except _BadValueError as exc:
        refused.append(str(exc))
    if refused:
        listed = "".join(f"\n  {line}" for line in sorted(refused))
        raise UnderstudyError(
            "localstack-setting",
            f"the environment asks for what this engine does not do:{listed}",
            hint="unset what is listed; docs/localstack-parity.md says what each setting does here",
        )
    return replace(settings, met=(*settings.met, *(f"{unmet[name]}; passed over" for name in sorted(passed))))


class _BadValueError(Exception):
    """The value of an honoured setting cannot be understood."""


def _named(environ: Mapping[str, str]) -> dict[str, str]:
    """LocalStack's settings by the names its runtime knows; ``LOCALSTACK_X`` wins over ``X`` there."""
    given: dict[str, str] = {}
    for name in sorted(environ, key=lambda name: name.startswith(_PREFIX)):
        if not environ[name].strip() or name in _LAMBDAS_OWN:
            continue
        short = name.removeprefix(_PREFIX)
        known = name if name in SETTINGS or short not in SETTINGS else short
        if known in SETTINGS or name.startswith(_OUR_PREFIXES):
            given[known] = environ[name].strip()
    return given


def _refuses(name: str, value: str) -> bool:
    return name not in SETTINGS or SETTINGS[name].refuses(value)


def _refusal(name: str, value: str) -> str:
    """Why a setting is refused; the value of one that is not known may be a secret, and is not repeated."""
    if name in SETTINGS:
        return f"{name}={value}: {SETTINGS[name].why}"
    if name.startswith("PROVIDER_OVERRIDE_"):
        return f"{name}: there is one provider of each service"
    return f"{name}: LocalStack 4.14.0 has no such setting"


def _settings(asked: Mapping[str, str], *, any_service: bool) -> LocalStackSettings:
    keepalive_ms, origins = _number(asked, "LAMBDA_KEEPALIVE_MS"), asked.get("EXTRA_CORS_ALLOWED_ORIGINS", "")
    concurrency = _number(asked, "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS")
    return LocalStackSettings(
        listen=_listen(asked.get("GATEWAY_LISTEN")),
        public=_address("LOCALSTACK_HOST", asked["LOCALSTACK_HOST"]) if "LOCALSTACK_HOST" in asked else None,
        log_level=_log_level(asked),
        services=_services(asked, any_service=any_service),
        origins=("*",) if _is_on(asked, "DISABLE_CORS_CHECKS") else _listed(origins),
        executor=_executor(asked),
        keepalive_s=None if keepalive_ms is None else keepalive_ms / 1000,
        concurrency=None if concurrency is None else int(concurrency),
        inject_endpoint_url=not _is_on(asked, "LAMBDA_DISABLE_AWS_ENDPOINT_URL"),
        retry_base_delay_s=_number(asked, "LAMBDA_RETRY_BASE_DELAY"),
        met=tuple(
            f"{name}: {SETTINGS[name].why}"
            for name in sorted(asked)
            if SETTINGS[name].reading is not Reading.HONOURED
        ),
    )


def _is_on(asked: Mapping[str, str], name: str) -> bool:
    return asked.get(name, "").lower() in _TRUE


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _number(asked: Mapping[str, str], name: str) -> float | None:
    if name not in asked:
        return None
    try:
        number = float(asked[name])
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise _BadValueError(f"{name}={asked[name]}: it takes a number, 0 or more")
    return number


def _log_level(asked: Mapping[str, str]) -> str | None:
    if "LS_LOG" in asked:
        if asked["LS_LOG"].lower() not in _LEVELS:
            raise _BadValueError(f"LS_LOG={asked['LS_LOG']}: it takes one of {', '.join(_LEVELS)}")
        return _LEVELS[asked["LS_LOG"].lower()]
    return "debug" if _is_on(asked, "DEBUG") else None


def _executor(asked: Mapping[str, str]) -> str | None:
    name = asked.get("LAMBDA_RUNTIME_EXECUTOR")
    if name not in (None, "docker"):
        raise _BadValueError(f"LAMBDA_RUNTIME_EXECUTOR={name}: it takes docker; leave it out for namespaces")
    return name


def _services(asked: Mapping[str, str], *, any_service: bool) -> frozenset[str] | None:
    if "SERVICES" not in asked or asked.get("STRICT_SERVICE_LOADING", "").lower() in _FALSE:
        return None
    names = _listed(asked["SERVICES"])
    found = resolve(names)
    if found.unknown and not any_service:
        raise _BadValueError(f"SERVICES={','.join(found.unknown)}: neither engine nor delegate has them")
    return found.names.union(found.unknown)


def _listen(text: str | None) -> tuple[Address, ...]:
    addresses = tuple(_address("GATEWAY_LISTEN", word) for word in _listed(text or ""))
    ports = sorted({address.port or DEFAULT_PORT for address in addresses})
    if len(ports) > 1:
        kept = DEFAULT_PORT if DEFAULT_PORT in ports else ports[0]
        others = ", ".join(str(port) for port in ports if port != kept)
        raise _BadValueError(f"GATEWAY_LISTEN={text}: the engine listens on one port; leave {others} out")
    return addresses


def _address(name: str, text: str) -> Address:
    match = _ADDRESS.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and not 0 < port < 65536):
        raise _BadValueError(f"{name}={text}: it takes HOST, HOST:PORT or :PORT")
    return Address(host=match["host"].strip("[]") or None, port=port)
