"""Brings an image of the store into Docker, by its own command: whatever engine that speaks to."""

import subprocess
import tempfile

from understudy.errors import EnvironmentProblemError
from understudy.image import export
from understudy.image.model import Image
from understudy.image.store import Store


def load(store: Store, image: Image, name: str) -> None:
    """Returns once Docker has the image as `name`.

    Raises:
        EnvironmentProblemError: there is no docker command, or no engine behind it.
    """
    with tempfile.TemporaryFile() as archive:
        export.write(store, image, name, archive)
        archive.seek(0)
        try:
            done = subprocess.run(
                ["docker", "load", "--quiet"], stdin=archive, capture_output=True, text=True, check=False
            )
        except FileNotFoundError as exc:
            raise _failed("there is no docker command here") from exc
    if done.returncode != 0:
        raise _failed(done.stderr.strip())


def _failed(reason: str) -> EnvironmentProblemError:
    return EnvironmentProblemError(
        "docker-load",
        f"the image cannot be loaded into Docker: {reason}",
        hint="start Docker and see that docker info answers, or write an archive with --archive FILE",
    )
