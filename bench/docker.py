"""The Docker engine that the peers need; one that is missing is said in the report, never passed over."""

import shutil
import subprocess
from pathlib import Path

from bench.project import run
from understudy.errors import UnderstudyError

TAG = "understudy-bench"
_EMULATOR = "/usr/local/bin/aws-lambda-rie"


def missing() -> str:
    """Why there is no Docker here; empty when there is."""
    if shutil.which("docker") is None:
        return "no docker command (apt-get install docker.io)"
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no Docker engine answers: {done.stderr.strip()[-200:]}"


def docker(*arguments: str) -> str:
    """Returns what a docker command wrote."""
    return run(["docker", *arguments], Path.cwd())


def take(image: str) -> str:
    """Pulls the image from the engine's registry; returns the local tag."""
    docker("pull", "--quiet", image)
    tag = f"{TAG}:app"
    docker("tag", image, tag)
    return tag


def with_emulator(emulator: Path, folder: Path) -> str:
    """The same image with AWS's Runtime Interface Emulator where its entry point looks for it.

    AWS's own base images hold it; the stand-in does not, and a container without it cannot be invoked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(emulator, folder / "aws-lambda-rie")
    (folder / "aws-lambda-rie").chmod(0o755)
    (folder / "Dockerfile").write_text(f"FROM {TAG}:app\nCOPY aws-lambda-rie {_EMULATOR}\n", encoding="utf-8")
    docker("build", "--quiet", "--tag", f"{TAG}:rie", str(folder))
    return f"{TAG}:rie"


def large_image(folder: Path, size_mb: int, tag: str) -> None:
    """Makes an image of one layer of `size_mb` that does not compress."""
    folder.mkdir(parents=True, exist_ok=True)
    with Path("/dev/urandom").open("rb") as noise, (folder / "noise").open("wb") as target:
        for _ in range(size_mb):
            target.write(noise.read(1_000_000))
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY noise /noise\n", encoding="utf-8")
    docker("build", "--quiet", "--tag", tag, str(folder))
    (folder / "noise").unlink()


def remove_everything() -> None:
    """Removes the containers and tags that a run leaves; a second call does nothing."""
    if missing():
        return
    for tag in ("app", "rie", "rapid-x86_64", "rapid-arm64"):
        running = docker("ps", "--all", "--quiet", "--filter", f"ancestor={TAG}:{tag}").split()
        if running:
            docker("rm", "--force", *running)
        try:
            docker("image", "rm", "--force", f"{TAG}:{tag}")
        except UnderstudyError:
            continue
