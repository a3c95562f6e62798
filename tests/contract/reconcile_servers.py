"""Endpoints that answer like AWS, as real processes on loopback, and stacks to apply to them."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.contract.engine_process import delegate_python
from tests.contract.lambda_image import put_runtime_image
from tests.fakes.aws import READS
from tests.ports import free_port
from understudy.image import digests
from understudy.image.store import Store
from understudy.manifests.model import DesiredResource, ImageBinding, Json, Stack
from understudy.reconcile import apply, observe, plan
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import AwsError
from understudy.reconcile.model import ApplyReport, Clock, OnEvent, Pusher
from understudy.reconcile.promotion import Promoter
from understudy.targets import project, stack
from understudy.targets.local import ACCOUNT, LocalTarget

ROOT = Path(__file__).resolve().parents[2]
_START_S = 60.0


@contextmanager
def _process(argv: list[str], port: int, log: Path, more: Mapping[str, str] | None = None) -> Iterator[str]:
    with log.open("wb") as output:
        environment = {**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT, **(more or {})}
        process = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=environment)
        try:
            deadline = time.monotonic() + _START_S
            while not _listens(port):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < deadline, f"{argv[0]} did not listen on {port}"
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=60)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class _PutImage:
    """Puts an image into a repository by the API alone: moto has no registry behind it."""

    def __init__(self, aws: Aws, images: dict[str, str]) -> None:
        self._aws = aws
        self._images = images

    def push(self, image: ImageBinding, repository_uri: str) -> None:
        for tag in image.tags:
            try:
                self._aws.call(
                    self._aws.ecr().put_image,
                    repositoryName=repository_uri.rpartition("/")[2],
                    imageManifest=self._images[image.digest],
                    imageTag=tag,
                    imageDigest=image.digest,
                )
            except AwsError as exc:
                if exc.aws_code != "ImageAlreadyExistsException":
                    raise


@dataclass
class World:
    """One endpoint with nothing in it, and what tests do with it."""

    url: str
    aws: Aws
    pusher: Pusher
    images: tuple[str, str]
    kinds: frozenset[str]
    drop: dict[str, tuple[str, ...]] = field(default_factory=dict)
    freezes_versions: bool = True
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.aws.session.register("before-call", lambda model, **_: self.calls.append(model.name))

    @property
    def writes(self) -> list[str]:
        """The writing operations since the last `apply` began."""
        return [name for name in self.calls if not name.startswith(READS)]

    def stack(self, digest: str | None = None, **function: Json) -> Stack:
        """The dashboard's part of the project, with what this endpoint cannot do left out."""
        return self.stack_in(ROOT, digest, **function)

    def stack_in(self, folder: Path, digest: str | None = None, **function: Json) -> Stack:
        """The same of a copy of the project.

        The siblings are made of the same kinds: they would show the same again.
        """
        target = LocalTarget(name="local", endpoint_url=self.url)
        found = project.load(folder / project.FILE_NAME)
        loaded = stack.load(folder, found, target, dict.fromkeys(found.images, digest or self.images[0]))
        kept = tuple(
            self.fitted(one, function)
            for one in loaded
            if one.key.kind in self.kinds and one.key.name.startswith("dashboard")
        )
        images = tuple(image for image in loaded.images if image.name == "dashboard")
        return replace(loaded, resources=kept, images=images)

    def fitted(
        self, resource: DesiredResource, function: Mapping[str, Json] = MappingProxyType({})
    ) -> DesiredResource:
        """A resource without what this endpoint does not keep, a function with other fields."""
        spec = {
            name: value
            for name, value in resource.spec.items()
            if name not in self.drop.get(resource.key.kind, ())
        }
        return replace(resource, spec={**spec, **function} if resource.key.kind == "Function" else spec)

    def plan(self, desired: Stack) -> plan.Plan:
        """What would be done."""
        return plan.plan(desired, observe.observe(desired, self.aws))

    def apply(self, desired: Stack, on_event: OnEvent = lambda _: None) -> ApplyReport:
        """Observes, plans and applies; `writes` tells afterwards what that wrote."""
        self.calls.clear()
        return apply.apply(self.plan(desired), self.aws, on_event, pusher=self.pusher)

    def call(self, operation: Any, **params: Any) -> Any:
        """An answer, without the calls it takes being counted."""
        before = list(self.calls)
        answer = self.aws.call(operation, **params)
        self.calls[:] = before
        return answer


MOTO_KINDS = frozenset(
    [
        "API",
        "Alias",
        "Bucket",
        "Function",
        "Integration",
        "LogGroup",
        "Repository",
        "Role",
        "Route",
        "Stage",
        "Table",
        "Version",
    ]
)
OURS = MOTO_KINDS - {"Bucket", "Role", "Table"}


def manifest(text: str) -> tuple[str, str]:
    """An image manifest that nothing is behind, and its digest."""
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digests.of(text.encode()),
            "size": len(text),
        },
        "layers": [],
    }
    raw = json.dumps(document)
    return raw, digests.of(raw.encode())


@contextmanager
def moto_process(folder: Path) -> Iterator[str]:
    """The URL of a moto server."""
    port = free_port()
    argv = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    with _process(argv, port, folder / "moto.log") as url:
        yield url


@contextmanager
def ministack_process(folder: Path) -> Iterator[str]:
    """The URL of a MiniStack by itself, in the delegate's environment."""
    port = free_port()
    argv = [str(delegate_python()), "-m", "hypercorn", "ministack.app:app", "--bind", f"127.0.0.1:{port}"]
    environment = {
        "GATEWAY_PORT": str(port),
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
    }
    with _process(argv, port, folder / "ministack.log", environment) as url:
        yield url


def _aws(url: str, clock: Clock | None) -> Aws:
    return Aws(LocalTarget(name="local", endpoint_url=url).session().access, clock=clock)


def moto_world(url: str, clock: Clock | None = None) -> World:
    """A moto server as a world; it keeps no LoggingConfig, and its ECR takes manifests as they are."""
    aws = _aws(url, clock)
    first, second = manifest("one"), manifest("two")
    return World(
        url=url,
        aws=aws,
        pusher=_PutImage(aws, {digest: raw for raw, digest in (first, second)}),
        images=(first[1], second[1]),
        kinds=MOTO_KINDS,
        drop={"Function": ("loggingConfig",)},
        freezes_versions=False,  # a version's GetFunction answers with the code of $LATEST
    )


def ministack_world(url: str) -> World:
    """A MiniStack as a world; its ECR takes manifests as they are."""
    return replace(moto_world(url), drop={}, freezes_versions=True)


@contextmanager
def engine_process(folder: Path, *, delegate: bool = False) -> Iterator[str]:
    """The URL of an engine, with a delegate where one is asked for."""
    port = free_port()
    argv = [sys.executable, "-m", "understudy.engine", "--data-dir", str(folder / "data")]
    argv += ["--port", str(port), "--host", "127.0.0.1"]
    argv += ["--delegate-python", str(delegate_python())] if delegate else []
    with _process(argv, port, folder / "engine.log") as url:
        yield url


PROCESSES: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {
    "moto": moto_process,
    "ministack": ministack_process,
    "engine": partial(engine_process, delegate=True),
}


def _image(text: str) -> "Fact":
    """A fact that is an image in a repository, by digest."""

    def made(aws: Aws, server: str, folder: Path) -> str:
        found = aws.find(aws.ecr().describe_repositories, repositoryNames=["kinds-images"])
        if found is None:
            aws.call(aws.ecr().create_repository, repositoryName="kinds-images")
            found = aws.call(aws.ecr().describe_repositories, repositoryNames=["kinds-images"])
        uri = found["repositories"][0]["repositoryUri"]
        if server == "engine":
            store = Store(folder / "store")
            store.open()
            digest = put_runtime_image(store, text)
            pusher: Pusher = Promoter(aws, store)
        else:
            raw, digest = manifest(text)
            pusher = _PutImage(aws, {digest: raw})
        pusher.push(ImageBinding(name="kinds", repository="kinds", digest=digest), uri)
        return f"{uri}@{digest}"

    return made


def _queue(aws: Aws, _server: str, _folder: Path) -> str:
    """A queue's ARN."""
    client = aws.sqs()
    url = client.create_queue(QueueName="kinds")["QueueUrl"]
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _table_stream(aws: Aws, _server: str, _folder: Path) -> str:
    """The ARN of a table's stream."""
    answer = aws.call(
        aws.dynamodb().create_table,
        TableName="kinds-streamed",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    return answer["TableDescription"]["LatestStreamArn"]


def _stream(aws: Aws, _server: str, _folder: Path) -> str:
    """A data stream's ARN."""
    client = aws.session.create_client(
        "kinesis",
        region_name=aws.access.region,
        endpoint_url=aws.access.endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_stream(StreamName="kinds", ShardCount=1)
    return str(client.describe_stream(StreamName="kinds")["StreamDescription"]["StreamARN"])


Fact = Callable[[Aws, str, Path], str]
FACTS: Mapping[str, Fact] = {
    "image": _image("one"),
    "other-image": _image("two"),
    "queue": _queue,
    "stream": _stream,
    "table-stream": _table_stream,
}
"""What a case needs of services that no manager speaks to, made when a case names it."""


def engine_world(url: str, folder: Path, clock: Clock | None = None) -> World:
    """An engine as a world: the kinds that it owns, and images that it could run."""
    aws = _aws(url, clock)
    store = Store(folder / "store")
    store.open()
    images = (put_runtime_image(store, "one"), put_runtime_image(store, "two"))
    return World(url=url, aws=aws, pusher=Promoter(aws, store), images=images, kinds=OURS)


def delegating_world(url: str, folder: Path) -> World:
    """An engine with its delegate as a world: all kinds."""
    return replace(engine_world(url, folder), kinds=MOTO_KINDS)


def die_after(steps: int) -> OnEvent:
    """Ends the process, as kill -9 would, once so many steps are done."""
    done: list[object] = []

    def on_event(event: Any) -> None:
        if event.phase == "done":
            done.append(event)
        if len(done) >= steps:
            os._exit(9)

    return on_event


if __name__ == "__main__":
    world = moto_world(sys.argv[1]) if sys.argv[2] == "moto" else engine_world(sys.argv[1], Path(sys.argv[4]))
    world.apply(world.stack(), die_after(int(sys.argv[3])))
