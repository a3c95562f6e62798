"""Measures of a single figure: `up`, edit to live, push and memory, first run."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import docker, processes, requests
from bench.ours import Understudy
from bench.project import ROOT, Project, run
from bench.wrk import Target

Say = Callable[[str], None]

LARGE_MB = 300
_LIVE_WITHIN_S = 60.0
_SETTLE_S = 1.5


def second_up_and_edits(project: Project, rounds: int, say: Say) -> tuple[list[float], list[float]]:
    """Returns the seconds of `up` when all is there, and of each edit until the Lambda shows it."""
    port, dev_port = processes.free_port(), processes.free_port()
    say("up: builds what is missing")
    project.up(port, dev_port)
    project.down()
    say("up again")
    seconds, found = project.up(port, dev_port)
    try:
        target = Target(url=f"{found['api_url']}/health")
        original = requests.get(target)[2]
        edits = []
        for number in range(rounds):
            say(f"edit {number + 1} of {rounds}")
            time.sleep(_SETTLE_S)
            edits.append(_edit(project, target, f"edit-{time.time_ns()}"))
        # What the contenders run afterwards: built, and in ECR.
        project.restore()
        requests.until(target, original, within_s=_LIVE_WITHIN_S)
    finally:
        project.down()
    return [seconds], edits


def _edit(project: Project, target: Target, marker: str) -> float:
    started = time.perf_counter()
    project.edit(marker)
    requests.until(target, f'"{marker}"'.encode(), within_s=_LIVE_WITHIN_S)
    return time.perf_counter() - started


def push(ours: Understudy, folder: Path) -> tuple[list[float], list[float], dict[str, float]]:
    """Returns the seconds of a large push, of the same again, and the memory after both."""
    name = f"localhost:{ours.port}/bench-push:latest"
    ecr = ours.client("ecr")
    names = {one["repositoryName"] for one in ecr.describe_repositories()["repositories"]}
    if "bench-push" not in names:
        ecr.create_repository(repositoryName="bench-push")
    docker.large_image(folder, LARGE_MB, name)
    try:
        first = _timed_push(name)
        again = [_timed_push(name) for _ in range(3)]
        return [first], again, ours.resident_mb()
    finally:
        docker.docker("image", "rm", "--force", name)
        ecr.delete_repository(repositoryName="bench-push", force=True)


def _timed_push(name: str) -> float:
    started = time.perf_counter()
    docker.docker("push", "--quiet", name)
    return time.perf_counter() - started


def first_run() -> list[float]:
    """Returns the seconds of `./understudy up` in a clean clone, caches empty; removes the clone."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as scratch:
        folder = Path(scratch)
        clone = folder / "clone"
        run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], folder)
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PIP_CACHE_DIR": str(folder / "cache" / "pip"),
            "UV_CACHE_DIR": str(folder / "cache" / "uv"),
        }
        (folder / "home").mkdir()
        port, dev_port = processes.free_port(), processes.free_port()
        started = time.perf_counter()
        try:
            run(
                ["./understudy", "up", "--detach", f"--port={port}", f"--dev-port={dev_port}"],
                clone,
                environment,
            )
            return [time.perf_counter() - started]
        finally:
            subprocess.run(["./understudy", "down"], cwd=clone, env=environment, check=False)
