"""LocalStack's environment variables: honoured, asking for what is so anyway, or refused at the start."""

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from tests.contract.engine_process import EngineProcess, eventually
from tests.parity.model import Row, SkippedError
from tests.parity.world import World, create_function, invoke, logs_of, push, refusal
from tests.ports import free_port
from understudy.engine.functions.events import EventTimes
from understudy.engine.localstack.table import SETTINGS, Reading, Setting

if TYPE_CHECKING:
    from pathlib import Path

HONOURED, MET, REFUSED = (
    "Settings that are honoured",
    "Settings that ask for what is so anyway",
    "Settings that are refused",
)
# What any program may find in its environment, and leaves alone.
_NOT_LOCALSTACKS = ("CI", "HOSTNAME", "REQUESTS_CA_BUNDLE")
_FIRST = {
    "LOCALSTACK_HOST": "aws.example:80",
    "DEBUG": "1",
    "SERVICES": "lambda,ecr,apigateway,logs",
    "EXTRA_CORS_ALLOWED_ORIGINS": "https://app.example",
    "LAMBDA_KEEPALIVE_MS": "200",
    "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS": "7",
    "LAMBDA_DISABLE_AWS_ENDPOINT_URL": "1",
    "LAMBDA_RETRY_BASE_DELAY": "0",
}
_UNKNOWN = ("LAMBDA_NONSENSE", "LOCALSTACK_NONSENSE", "PROVIDER_OVERRIDE_S3")
_SECOND = {
    "LS_LOG": "error",
    "SERVICES": "lambda",
    "STRICT_SERVICE_LOADING": "0",
    "LOCALSTACK_DISABLE_CORS_CHECKS": "1",
}


class _Listening(EngineProcess):
    """An engine that only its environment tells where to listen."""

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "understudy.engine", "--data-dir", str(self.config.data_dir)]


def _value(setting: Setting, *, met: bool) -> str:
    if setting.reading is Reading.VALUES:
        return sorted(setting.values)[0] if met else "another"
    if setting.reading is Reading.OFF:
        return "0" if met else "1"
    return "1" if met or setting.reading is Reading.NONE else "0"


def _given(*, met: bool) -> dict[str, str]:
    """Every setting that has a met (or a refused) value, with one."""
    readings = [Reading.ON, Reading.OFF, Reading.VALUES, Reading.ANY if met else Reading.NONE]
    return {
        name: _value(setting, met=met) for name, setting in SETTINGS.items() if setting.reading in readings
    }


def _honouring(world: World, environ: Mapping[str, str], name: str) -> EngineProcess:
    if not world.is_ours:
        raise SkippedError("needs to start the endpoint itself")
    listen = {"GATEWAY_LISTEN": f"127.0.0.1:{free_port()}"}
    folder: Path = world.folder / name
    folder.mkdir()
    return world.started(_Listening(folder / ".understudy", with_delegate=False), {**environ, **listen})


def _first(world: World) -> EngineProcess:
    environ = _given(met=True) | _FIRST
    engine: EngineProcess = world.once("first", lambda: _honouring(world, environ, "first"))
    return engine


def _second(world: World) -> EngineProcess:
    engine: EngineProcess = world.once("second", lambda: _honouring(world, _SECOND, "second"))
    return engine


def _function(world: World) -> str:
    client = world.client("lambda", endpoint=_first(world).url)
    return str(world.once("first function", lambda: create_function(client, _image(world))))


def _image(world: World) -> str:
    endpoint = _first(world).url
    return str(world.once("first image", lambda: push(world, endpoint)))


def _listens(world: World) -> str:
    engine = _first(world)
    asked = engine.environ["GATEWAY_LISTEN"]
    return "honoured" if engine.url == f"http://{asked}" else engine.url


def _public_host(world: World) -> str:
    api = world.client("apigatewayv2", endpoint=_first(world).url).create_api(Name="a", ProtocolType="HTTP")
    told = api["ApiEndpoint"].partition(".")[2]
    if told != "execute-api.aws.example:80":
        return told
    client = world.client("lambda", endpoint=_first(world).url)
    url: str = client.create_function_url_config(FunctionName=_function(world), AuthType="NONE")[
        "FunctionUrl"
    ]
    return "honoured" if url.endswith(".lambda-url.us-east-1.aws.example:80/") else url


def _is_logged(world: World, level: str, *, first: bool) -> str:
    engine = _first(world) if first else _second(world)
    world.client("lambda", endpoint=engine.url).list_functions()
    found = f" {level} " in engine.log.read_text()
    return "honoured" if found == first else f"{level} is {'' if found else 'not '}logged"


def _services(world: World) -> str:
    told = refusal(world.client("sqs", endpoint=_first(world).url).list_queues)
    wanted = "Service 'sqs' is not enabled. Please check your 'SERVICES' configuration variable."
    return "honoured" if wanted in told else told


def _not_strict(world: World) -> str:
    told = refusal(world.client("logs", endpoint=_second(world).url).describe_log_groups)
    return "honoured" if told == "200" else told


def _origin(world: World, origin: str, *, first: bool) -> str:
    engine = _first(world) if first else _second(world)
    answer = httpx.get(f"{engine.url}/2015-03-31/functions/", headers={"origin": origin}, timeout=60)
    return (
        "honoured" if answer.headers.get("access-control-allow-origin") == origin else str(answer.status_code)
    )


def _keepalive(world: World) -> str:
    client, arn = world.client("lambda", endpoint=_first(world).url), _function(world)
    for _ in range(20):
        invoke(client, arn, {})
        time.sleep(0.5)
        if invoke(client, arn, {})["calls"] == 1:
            return "honoured"
    return "environments live on"


def _concurrency(world: World) -> str:
    limits = world.client("lambda", endpoint=_first(world).url).get_account_settings()["AccountLimit"]
    return "honoured" if limits["ConcurrentExecutions"] == 7 else str(limits["ConcurrentExecutions"])


def _no_endpoint_url(world: World) -> str:
    client = world.client("lambda", endpoint=_first(world).url)
    seen = invoke(client, _function(world), {})["environment"]
    return "set" if "AWS_ENDPOINT_URL" in seen else "honoured"


def _retries(world: World) -> str:
    """Whether the retries ever come sooner than within the three seconds that they take unless told."""
    endpoint = _first(world).url
    client, logs = world.client("lambda", endpoint=endpoint), world.client("logs", endpoint=endpoint)
    arn = create_function(client, _image(world))
    for attempt in range(3):
        client.invoke(FunctionName=arn, InvocationType="Event", Payload=json.dumps({"fail": f"at {attempt}"}))
        starts = _starts(logs, f"/aws/lambda/{arn.rpartition(':')[2]}", 3 * (attempt + 1))
        if starts[-1] - starts[-3] < 1000 * sum(EventTimes().retries_s):
            return "honoured"
    return "three attempts, seconds apart"


def _starts(logs: Any, group: str, count: int) -> list[int]:
    """When calls were made, once there are so many of them."""

    def found() -> list[int]:
        events = logs_of(logs, group, "called")
        return sorted(event["timestamp"] for event in events) if len(events) >= count else []

    times: list[int] = eventually(found, f"{group} tells of {count} failures")
    return times


def _refused(world: World, names: tuple[str, ...]) -> str:
    told = _refusals(world)
    missing = [name for name in names if f"\n  {name}=" not in told]
    return (
        f"refused at the start: {SETTINGS[names[0]].why}" if not missing else f"ignored: {' '.join(missing)}"
    )


def _refusals(world: World) -> str:
    return str(world.once("refused", lambda: _refusing(world)))


def _refusing(world: World) -> str:
    if not world.is_ours:
        raise SkippedError("needs to start the endpoint itself")
    command = [sys.executable, "-m", "understudy.engine", "--data-dir", str(world.folder / "refusing")]
    done = subprocess.run(
        command,
        env={**world.environ, **_given(met=False), **dict.fromkeys(_UNKNOWN, "1")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3, f"it ended with {done.returncode}: {done.stderr}"
    return done.stderr


def _unknown(world: World) -> str:
    told = _refusals(world)
    missing = [name for name in _UNKNOWN if f"\n  {name}: " not in told]
    return f"ignored: {' '.join(missing)}" if missing else "refused at the start"


def _met(world: World, names: tuple[str, ...]) -> str:
    log = _first(world).log.read_text()
    missing = [name for name in names if f"LocalStack setting {name}: " not in log]
    return f"not told: {' '.join(missing)}" if missing else "as asked"


def _unlisted(world: World) -> str:
    program = "from localstack_cli import config; print(*config.CONFIG_ENV_VARS)"
    names = world.run([str(world.tools / "python"), "-c", program]).split()
    assert len(names) > 100, names
    short = {name if name in SETTINGS else name.removeprefix("LOCALSTACK_") for name in names}
    unknown = sorted(short - set(SETTINGS) - set(_NOT_LOCALSTACKS))
    return f"without {' '.join(unknown)}" if unknown else "all are in this table"


def _groups(*, met: bool) -> list[tuple[str, ...]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in _given(met=met):
        groups[SETTINGS[name].why].append(name)
    return [tuple(sorted(names)) for names in groups.values()]


def _names(names: tuple[str, ...], *, met: bool) -> str:
    return " ".join(f"`{name}={_value(SETTINGS[name], met=met)}`" for name in names)


def _theirs(why: str) -> str:
    """What LocalStack does with a setting that is refused here."""
    if why.startswith("LocalStack never"):
        return "ignored"
    return "ignored, some with a warning" if why.startswith("LocalStack has") else "read"


def _executor(world: World) -> str:
    """What a Docker that is not there has to do with it: only the docker executor misses it."""
    if not world.is_ours:
        raise SkippedError("needs to start the endpoint itself")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "understudy.engine",
            "--data-dir",
            str(world.folder / "executing"),
            "--port",
            "0",
        ],
        env={
            **world.environ,
            "LAMBDA_RUNTIME_EXECUTOR": "docker",
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return "honoured" if done.returncode == 3 and "docker" in done.stderr.lower() else done.stderr


_EFFECTS: Mapping[str, Any] = {
    "LAMBDA_RUNTIME_EXECUTOR": _executor,
    "GATEWAY_LISTEN": _listens,
    "LOCALSTACK_HOST": _public_host,
    "DEBUG": partial(_is_logged, level="DEBUG", first=True),
    "LS_LOG": partial(_is_logged, level="INFO", first=False),
    "SERVICES": _services,
    "STRICT_SERVICE_LOADING": _not_strict,
    "EXTRA_CORS_ALLOWED_ORIGINS": partial(_origin, origin="https://app.example", first=True),
    "DISABLE_CORS_CHECKS": partial(_origin, origin="https://any.example", first=False),
    "LAMBDA_KEEPALIVE_MS": _keepalive,
    "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS": _concurrency,
    "LAMBDA_DISABLE_AWS_ENDPOINT_URL": _no_endpoint_url,
    "LAMBDA_RETRY_BASE_DELAY": _retries,
}
ROWS = (
    Row(
        area=HONOURED,
        name="the settings that the `localstack` command passes on",
        localstack="all are in this table",
        observe=_unlisted,
        documented=True,
    ),
    *(
        Row(
            area=HONOURED,
            name=f"`{name}`: {setting.why}",
            localstack="honoured",
            observe=_EFFECTS[name],
            documented=True,
        )
        for name, setting in SETTINGS.items()
        if setting.reading is Reading.HONOURED
    ),
    Row(
        area=HONOURED,
        name="`LOCALSTACK_X` means `X`, as in `LOCALSTACK_DISABLE_CORS_CHECKS=1`",
        localstack="honoured",
        observe=_EFFECTS["DISABLE_CORS_CHECKS"],
        documented=True,
    ),
    *(
        Row(
            area=MET,
            name=f"{_names(names, met=True)}: {SETTINGS[names[0]].why}",
            localstack="as asked",
            observe=partial(_met, names=names),
            documented=True,
        )
        for names in _groups(met=True)
    ),
    *(
        Row(
            area=REFUSED,
            name=_names(names, met=False),
            localstack=_theirs(SETTINGS[names[0]].why),
            observe=partial(_refused, names=names),
            documented=True,
        )
        for names in _groups(met=False)
    ),
    Row(
        area=REFUSED,
        name=f"{' '.join(f'`{name}=1`' for name in _UNKNOWN)}, of which LocalStack knows nothing",
        localstack="ignored",
        observe=_unknown,
        documented=True,
    ),
)
