"""An endpoint and what users point at it: SDK, HTTP under any host name, command line tools, an image.

Names below ``localhost.localstack.cloud`` resolve to 127.0.0.1 in public DNS. Here they resolve to the
endpoint, so that the table can be measured offline, and of an endpoint on another port or machine.
"""

import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.contract.engine_process import REPO, EngineProcess
from tests.contract.lambda_image import put_runtime_image
from tests.parity.model import SkippedError
from understudy.engine.delegate import install
from understudy.image.store import Store
from understudy.manifests.model import ImageBinding
from understudy.reconcile.promotion import Promoter
from understudy.targets import sessions

ROLE = "arn:aws:iam::000000000000:role/parity"
_TIMEOUT_S = 60
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_PAGER": "",
}
_HANDLER = """
import json, os, socket

calls = 0


def handler(event, headers):
    global calls
    calls += 1
    print("called", flush=True)
    if isinstance(event, dict) and "fail" in event:
        raise ValueError(event["fail"])
    if isinstance(event, dict) and event.get("rawPath") == "/stream":
        return streamed(int(event["queryStringParameters"]["port"]))
    seen = {"event": event, "environment": dict(os.environ), "calls": calls}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(seen)}


def streamed(port):
    yield "text/plain"
    yield b"first"
    with socket.create_connection(("127.0.0.1", port)) as told:
        yield told.recv(100)
"""


class World:
    """One endpoint under measurement; a context manager that ends what it started.

    Args:
        endpoint: another endpoint than an engine of ours, which is started where there is none.
    """

    def __init__(self, endpoint: str | None = None) -> None:
        self._given = endpoint
        self._stack = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._made: dict[str, Any] = {}
        self.endpoint = ""

    def __enter__(self) -> "World":
        with self._stack as stack:
            stack.enter_context(_names_resolve(self._address))
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-")))
            self.endpoint = self._given or self.engine("main", with_delegate=True).url
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _address(self) -> str:
        return urlsplit(self.endpoint).hostname or "127.0.0.1"

    @property
    def is_ours(self) -> bool:
        """Whether the endpoint is an engine that this world started."""
        return self._given is None

    @property
    def port(self) -> int:
        """The endpoint's port."""
        return urlsplit(self.endpoint).port or 4566

    def engine(
        self,
        name: str,
        *,
        with_delegate: bool = False,
        hooks_dir: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> EngineProcess:
        """Returns an engine of ours that runs until the world ends.

        Raises:
            SkippedError: another endpoint is measured, which nobody here can start.
        """
        if not self.is_ours:
            raise SkippedError("needs to start the endpoint itself")
        process = EngineProcess(
            self.folder / name / ".understudy",
            with_delegate=with_delegate,
            hooks_dir=hooks_dir,
        )
        process.log.parent.mkdir(parents=True)
        return self.started(process, environ)

    def started(self, process: EngineProcess, environ: Mapping[str, str] | None = None) -> EngineProcess:
        """Starts an engine, which ends with the world, in a clean environment with `environ` added."""
        process.environ = {**self.environ, **(environ or {})}
        self._stack.callback(process.close)
        return process.start()

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` returned (or raised) when it was first asked for under this name."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.RLock())
        with lock:
            if name not in self._made:
                try:
                    self._made[name] = make()
                except Exception as exc:  # noqa: BLE001 - every row that needs it tells
                    self._made[name] = exc
        if isinstance(self._made[name], Exception):
            raise self._made[name]
        return self._made[name]

    def at_end(self, act: Callable[[], object]) -> None:
        """Lets `act` be done when the world ends, before what was asked for earlier."""
        self._stack.callback(act)

    def client(
        self,
        service: str,
        *,
        account: str = "test",
        region: str = "us-east-1",
        endpoint: str = "",
        **config: Any,
    ) -> Any:
        """A boto3 client; an account of twelve digits stands in the access key."""
        with self._lock:  # boto3's default session is not made for threads
            client = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=endpoint or self.endpoint,
                region_name=region,
                aws_access_key_id=account,
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 0}, **config),
            )
            self._stack.callback(client.close)
            return client

    def http(
        self,
        method: str,
        path: str,
        *,
        host: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Sends a request to the endpoint under a host name, at the endpoint's port."""
        named = {"host": f"{host}:{self.port}"} if host else {}
        return httpx.request(
            method, f"{self.endpoint}{path}", headers={**named, **(headers or {})}, timeout=_TIMEOUT_S, **more
        )

    def name(self) -> str:
        """A name that nothing at the endpoint has yet."""
        return f"parity-{uuid.uuid4().hex[:12]}"

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = self.name()
        self.client("s3").create_bucket(Bucket=name)
        return name

    @property
    def environ(self) -> dict[str, str]:
        """An environment without anything of this process's but where programs are."""
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(self.folder),
        }

    def run(self, command: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
        """What a command prints, pointed at the endpoint by its environment."""
        done = subprocess.run(
            list(command),
            env={**self.environ, **_CREDENTIALS, **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        assert done.returncode == 0, (
            f"{command[0]} ended with {done.returncode}: {done.stderr or done.stdout}"
        )
        return done.stdout

    @functools.cached_property
    def tools(self) -> Path:
        """The folder with ``localstack``, and ``python`` that has testcontainers."""
        requirements = REPO / "requirements" / "parity.txt"
        return install.install(REPO / ".understudy" / "cache", requirements=requirements).parent

    def image(self) -> str:
        """The URI, with digest, of a small image in the endpoint's ECR."""
        return str(self.once("image", lambda: push(self, self.endpoint)))

    def function(self) -> str:
        """The ARN of an active function that answers with what it was given, and with its environment."""
        return str(self.once("function", lambda: create_function(self.client("lambda"), self.image())))


def push(world: World, endpoint: str) -> str:
    """The URI, with digest, of the image that tells of its calls, in a new repository of an endpoint."""
    ecr = world.client("ecr", endpoint=endpoint)
    uri: str = ecr.create_repository(repositoryName="parity")["repository"]["repositoryUri"]
    store = Store(world.folder / "store")
    store.open()
    digest = put_runtime_image(store, handler=_HANDLER)
    binding = ImageBinding(name="parity", repository="parity", digest=digest, tags=("latest",))
    aws = sessions.of_endpoint("us-east-1", endpoint)
    # The repository may be named for others, who reach the endpoint by another name than this process.
    Promoter(aws, store).push(binding, f"{urlsplit(endpoint).netloc}/parity")
    return f"{uri}@{digest}"


def create_function(client: Any, image: str) -> str:
    """The ARN of a new function, once it is active."""
    name = f"parity-{uuid.uuid4().hex[:12]}"
    created = client.create_function(
        FunctionName=name, PackageType="Image", Code={"ImageUri": image}, Role=ROLE, Timeout=30
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return str(created["FunctionArn"])


def invoke(client: Any, function: str, event: object) -> Any:
    """What the function of `World.function` says of its call."""
    answer = json.load(client.invoke(FunctionName=function, Payload=json.dumps(event))["Payload"])
    return json.loads(answer["body"])


def logs_of(client: Any, group: str, pattern: str) -> list[Any]:
    """The events of a log group that match; none where there is no such group yet."""
    try:
        events: list[Any] = client.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    except client.exceptions.ResourceNotFoundException:
        return []
    return events


def words(answer: httpx.Response) -> str:
    """How an answer in JSON refuses."""
    return (
        f"refused: {answer.status_code} {answer.json()['message'].removesuffix('. See docs/decisions/0022')}"
    )


def refusal(call: Callable[[], Any]) -> str:
    """What a call answers: its status, and of an error code and message; as a refusal where it is one."""
    try:
        answer = call()
    except ClientError as exc:
        status, error = exc.response["ResponseMetadata"]["HTTPStatusCode"], exc.response["Error"]
        told = f"{status} {error['Code']}: {error['Message']}"
        return f"refused: {told}" if status == 501 or "understudy" in error["Message"] else told
    return str(answer["ResponseMetadata"]["HTTPStatusCode"])


@contextlib.contextmanager
def _names_resolve(address: Callable[[], str]) -> Iterator[None]:
    """Lets local names, ``localhost.localstack.cloud`` among them, mean the endpoint in this process."""
    original = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host or ""
        is_local = text.endswith((".localhost", "localhost.localstack.cloud"))
        return original(address() if is_local else host, *args, **kwargs)

    socket.getaddrinfo = resolve
    # Proxies of this machine know none of these names.
    before = os.environ.get("NO_PROXY")
    os.environ["NO_PROXY"] = "*"
    try:
        yield
    finally:
        socket.getaddrinfo = original
        if before is None:
            del os.environ["NO_PROXY"]
        else:
            os.environ["NO_PROXY"] = before
