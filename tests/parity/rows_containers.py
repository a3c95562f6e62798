"""The container image, as users of testcontainers and of ``docker run`` meet it."""

import subprocess

from tests.parity import containers
from tests.parity.model import Row, SkippedError
from tests.parity.world import World, create_function, invoke, push
from tests.tools import require_docker

AREA = "In a container"
_HOOK = "#!/bin/sh\nexec awslocal s3 mb s3://from-hook\n"


def _image(world: World) -> str:
    if not world.is_ours:
        raise SkippedError("needs to start the endpoint itself")
    return str(world.once("container image", lambda: containers.image(world)))


def _plain(world: World) -> str:
    """Runs it without a privilege, which it ends at once for: testcontainers would wait a minute for it."""
    mounts = (f"--volume={path}:{path}:{mode}" for path, mode in containers.mounts().items())
    command = [require_docker(), "run", "--rm", *mounts, _image(world)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3, done.stderr
    code = done.stderr.partition("]")[0].rpartition("[")[2]
    ways = " and ".join(way for way in ("--privileged", "--executor docker") if way in done.stderr)
    return f"refused at the start: {code}, with {ways} as ways out"


def _services(world: World) -> str:
    hooks = world.folder / "container-hooks"
    script = hooks / "ready.d" / "10.sh"
    script.parent.mkdir(parents=True)
    script.write_text(_HOOK)
    script.chmod(0o755)
    url = containers.start(
        world,
        _image(world),
        services=("s3", "dynamodb"),
        volumes={f"{hooks}:/etc/localstack/init": "ro"},
    )
    buckets = [each["Name"] for each in world.client("s3", endpoint=url).list_buckets()["Buckets"]]
    tables = world.client("dynamodb", endpoint=url).list_tables()["TableNames"]
    return f"buckets {buckets}, tables {tables}"


def _socket(world: World) -> str:
    client = world.client("lambda", endpoint=_with_socket(world))
    arn = create_function(client, push(world, client.meta.endpoint_url))
    first = invoke(client, arn, "x")
    _with_socket(world)
    again = invoke(client, arn, "x")
    return f"a function answers {first['event']}, its call {again['calls']} beside a second container"


def _with_socket(world: World) -> str:
    return containers.start(
        world,
        _image(world),
        env={"LAMBDA_RUNTIME_EXECUTOR": "docker"},
        volumes={f"{containers.SOCKET}:{containers.SOCKET}": "rw"},
    )


ROWS = (
    Row(
        area=AREA,
        name="testcontainers: `LocalStackContainer(IMAGE).with_services('s3', 'dynamodb')`, and a hook in "
        "`/etc/localstack/init/ready.d` that calls `awslocal s3 mb s3://from-hook`",
        localstack="buckets ['from-hook'], tables []",
        observe=_services,
        documented=True,
    ),
    Row(
        area=AREA,
        name="testcontainers: Docker's socket mounted, and LAMBDA_RUNTIME_EXECUTOR=docker",
        localstack="a function answers x, its call 2 beside a second container",
        observe=_socket,
        documented=True,
    ),
    Row(
        area=AREA,
        name="`docker run IMAGE`, all services, no socket, no privilege",
        localstack="starts, and functions fail",
        observe=_plain,
        documented=True,
    ),
)
