"""One stack, three implementations of AWS that share no code: the same end state, read back by plain boto3.

After a deploy, after an update of code and configuration, after a deletion. What an implementation does not
keep is listed with it, and nothing else may differ.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract import end_state
from tests.contract import reconcile_servers as servers
from tests.contract.end_state import EndState
from tests.contract.engine_process import EngineProcess
from tests.contract.reconcile_servers import World
from understudy.reconcile import apply, observe, removal

DOUBLES = ("engine", "ministack", "moto")


@contextmanager
def _moto(folder: Path) -> Iterator[World]:
    with servers.moto_process(folder) as url:
        yield servers.moto_world(url)


@contextmanager
def _ministack(folder: Path) -> Iterator[World]:
    with servers.ministack_process(folder) as url:
        yield servers.ministack_world(url)


@contextmanager
def _engine(folder: Path) -> Iterator[World]:
    process = EngineProcess(folder / ".understudy").start()
    try:
        yield servers.delegating_world(process.url, folder / ".understudy")
    finally:
        process.close()


# Where a double is not like AWS, by the path in its end state.
LACKS: Mapping[str, Mapping[str, str]] = {
    "ministack": {"/repositories/dashboard": "a moved tag stays at the image that had it, too"},
    "moto": {"/repositories/dashboard": "an image that lost its tag is gone"},
}
OPENED = {"engine": _engine, "ministack": _ministack, "moto": _moto}


def _told(world: World, state: EndState) -> Any:
    """An end state in which images and the endpoint go by the names that all doubles share."""
    names = {world.images[0]: "first image", world.images[1]: "second image", world.url: "endpoint"}

    def told(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: told(child) for key, child in value.items()}
        if isinstance(value, list):
            return [told(child) for child in value]
        if isinstance(value, str):
            for text, name in names.items():
                value = value.replace(text, name)
        return value

    return told(state)


def _life(name: str, folder: Path) -> dict[str, EndState]:
    folder.mkdir()
    with OPENED[name](folder) as world:
        reader = end_state.reader(world.url)
        told: dict[str, EndState] = {}

        def note(step: str) -> None:
            told[step] = _told(world, reader.read())

        world.apply(world.stack())
        note("deployed")
        world.apply(world.stack())
        assert world.writes == []
        world.apply(world.stack(world.images[1], memorySize=2048))
        note("updated")
        desired = world.stack()
        allowed = [one.key for one in desired]
        everything = removal.deletion(desired, observe.observe(desired, world.aws), allowed=allowed)
        apply.apply(everything, world.aws)
        note("deleted")
        return told


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, EndState]]:
    folder = tmp_path_factory.mktemp("doubles")
    return {name: _life(name, folder / name) for name in DOUBLES}


def _differences(found: Any, wanted: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """What differs, by its path."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        told: dict[str, tuple[Any, Any]] = {}
        for key in sorted({*found, *wanted}):
            told.update(_differences(found.get(key), wanted.get(key), f"{path}/{key}"))
        return told
    return {} if found == wanted else {path: (found, wanted)}


@pytest.mark.parametrize("step", ["deployed", "updated", "deleted"])
@pytest.mark.parametrize("double", ["ministack", "moto"])
def test_end_state_is_that_of_the_engine(
    lives: dict[str, dict[str, EndState]], double: str, step: str
) -> None:
    found = _differences(lives[double][step], lives["engine"][step])
    assert {path: pair for path, pair in found.items() if path not in LACKS[double]} == {}


@pytest.mark.parametrize("double", ["ministack", "moto"])
def test_nothing_is_excused_that_does_not_differ(lives: dict[str, dict[str, EndState]], double: str) -> None:
    steps = lives[double]
    found = {path for step in steps for path in _differences(steps[step], lives["engine"][step])}
    assert found == set(LACKS[double])
