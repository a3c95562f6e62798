"""Two applies at once, from two machines as far as they know: two processes, no lock file between them.

One of them may fail, or both, and says why. There are never two of anything, the alias is on a version that
holds the image of one that is done, and the next apply finishes what both left.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.contract import reconcile_servers as servers
from tests.contract.reconcile_servers import ROOT, World
from understudy.errors import UnderstudyError

CLEAR = {"function-changed", "apply-concurrent", "apply-differs", "alias-moved"}
"""Codes that say that somebody else was at it."""
ONE_OF_EACH = [1, 1, 1, 1]


class Rival:
    """A process that applies one of the two images as soon as it is told to."""

    def __init__(self, url: str, folder: Path, image: int) -> None:
        argv = [sys.executable, "-m", __name__, url, str(folder), str(image)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(argv, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        assert self._line() == {"ready": True}

    def go(self) -> None:
        """Lets it start."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """What it says at the end: the code of its error, empty when it was done, and its digest."""
        found = self._line()
        with self._process:
            assert self._process.wait(timeout=60) == 0
        return found

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def race(url: str, folder: Path) -> list[dict[str, Any]]:
    """Both at once."""
    rivals = [Rival(url, folder / str(image), image) for image in (0, 1)]
    for rival in rivals:
        rival.go()
    return [rival.result() for rival in rivals]


def live(world: World) -> str:
    """The digest that callers get."""
    answer = world.call(world.aws.lambda_().get_function, FunctionName="dashboard", Qualifier="live")
    return str(answer["Code"]["ImageUri"]).partition("@")[2]


def check(world: World, results: list[dict[str, Any]]) -> None:
    """Never two of anything, and nobody who said done was wrong; in a dead heat both lose (0055)."""
    codes = {result["code"] for result in results}
    assert codes <= {"", *CLEAR}, "\n".join(result["text"] for result in results)
    assert set(below_the_api(world)) <= {0, 1}
    done = {result["digest"] for result in results if not result["code"]}
    if done:
        assert below_the_api(world) == ONE_OF_EACH
        assert live(world) in done


def below_the_api(world: World) -> list[int]:
    """How many APIs there are, and integrations, routes and stages below them."""
    client = world.aws.apigatewayv2()
    apis = world.call(client.get_apis)["Items"]
    operations = (client.get_integrations, client.get_routes, client.get_stages)
    below = [
        sum(len(world.call(operation, ApiId=api["ApiId"])["Items"]) for api in apis)
        for operation in operations
    ]
    return [len(apis), *below]


@pytest.mark.parametrize(("existing", "rounds"), [(False, 1), (True, 2)], ids=["first-deploy", "update"])
def test_two_applies_at_once_never_make_two(existing: bool, rounds: int, tmp_path: Path) -> None:
    codes: Counter[str] = Counter()
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        with servers.engine_process(folder) as url:
            world = servers.engine_world(url, folder)
            if existing:
                world.apply(world.stack(memorySize=512))
            results = race(url, folder)
            codes.update(result["code"] or "done" for result in results)
            check(world, results)
            # Whoever comes next finishes it.
            world.apply(world.stack(world.images[1]))
            assert live(world) == world.images[1]
            assert below_the_api(world) == ONE_OF_EACH
            world.apply(world.stack(world.images[1]))
            assert world.writes == []
    print("outcomes of both:", dict(codes))  # noqa: T201 - the figures that the test stands for


def main(url: str, folder: str, image: str) -> None:
    """Applies, once told to, and says how that went."""
    Path(folder).mkdir()
    world = servers.engine_world(url, Path(folder))
    digest = world.images[int(image)]
    desired = world.stack(digest)
    world.aws.lambda_()
    sys.stdout.write('{"ready": true}\n')
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        world.apply(desired)
        code, text = "", ""
    except UnderstudyError as error:
        code, text = error.code, str(error)
    sys.stdout.write(json.dumps({"code": code, "digest": digest, "text": text}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
