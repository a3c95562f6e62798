"""The engine in a container, started as deploy/engine/Dockerfile says, and built in no time.

The stand-in image holds folders and links; interpreter, packages and source are this machine's, mounted
read-only. tests/contract/test_compose.py builds the real one.
"""

import io
import json
import re
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.contract.engine_process import REPO, delegate_python
from tests.parity.world import World
from tests.tools import require_docker

_FOLDERS = ("tmp", "proc", "sys", "dev", "etc", "usr", "var/lib/localstack", "opt/understudy")
SOCKET = "/var/run/docker.sock"


def image(world: World) -> str:
    """The name of the stand-in, which goes away with the world."""
    name = f"understudy-parity:{uuid.uuid4().hex[:12]}"
    docker = require_docker()
    changes = [
        "ENV PATH=/opt/understudy/platform/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1",
        f"ENV PYTHONPATH={REPO / 'src'}",
        *_started(),
    ]
    command = [docker, "import", *(word for change in changes for word in ("--change", change)), "-", name]
    subprocess.run(command, input=_files(), capture_output=True, check=True)
    world.at_end(lambda: subprocess.run([docker, "rmi", "--force", name], capture_output=True, check=False))
    return name


def mounts() -> dict[str, str]:
    """What the stand-in needs of this machine."""
    places = {Path("/usr"), REPO, Path(sys.prefix), Path(sys.base_prefix), delegate_python().parents[1]}
    return {str(place): "ro" for place in places}


def start(
    world: World,
    name: str,
    *,
    services: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    volumes: Mapping[str, str] | None = None,
) -> str:
    """The URL of a LocalStackContainer of image `name`, started by testcontainers; it ends with the world."""
    asked = {
        "image": name,
        "services": list(services),
        "env": dict(env or {}),
        "volumes": {**mounts(), **(volumes or {})},
    }
    log = world.folder / f"{world.name()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(world.tools / "python"),
                str(Path(__file__).with_name("testcontainer.py")),
                json.dumps(asked),
            ],
            # Its helper that cleans up is an image in a registry; the process itself cleans up.
            env={**world.environ, "TESTCONTAINERS_RYUK_DISABLED": "true"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    world.at_end(process.communicate)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, log.read_text()
    return url


def _started() -> list[str]:
    """ENTRYPOINT and CMD of the engine's Dockerfile."""
    text = (REPO / "deploy" / "engine" / "Dockerfile").read_text().replace("\\\n", "")
    found = re.findall(r"^(?:ENTRYPOINT|CMD) \[.*\]$", text, re.MULTILINE)
    assert len(found) == 2, found
    return [str(line) for line in found]


def _files() -> bytes:
    buffer = io.BytesIO()
    links = {
        **{name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")},
        "opt/understudy/platform": sys.prefix,
        "opt/understudy/delegate": str(delegate_python().parents[1]),
    }
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in _FOLDERS:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        for name, target in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return buffer.getvalue()
