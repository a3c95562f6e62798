import dataclasses
from pathlib import Path

import pytest

from tests.fakes.coldstarts import recording, span
from tests.fakes.runtime import Program, Recorder, RuntimeClient, echo
from understudy.coldstart import leftovers
from understudy.coldstart.installed import Installed, Requirement
from understudy.coldstart.leftovers import Leftover
from understudy.coldstart.model import Condition, Subject
from understudy.coldstart.owners import Owners
from understudy.image.rootfs import Rootfs
from understudy.image.rootfs_view import RootfsView
from understudy.sandbox.model import SandboxSpec

MODULE = Path("/site/web/__init__.py")


def one(name: str, *requires: str, size: int = 1) -> Installed:
    """A distribution with one file; ``a[b]`` requires an extra, ``b:a`` is required for one."""
    needs = []
    for line in requires:
        extra, _, rest = line.rpartition(":")
        key, _, asked = rest.rstrip("]").partition("[")
        needs.append(
            Requirement(
                key=key, extras=frozenset(filter(None, [asked])), of_extras=frozenset(filter(None, [extra]))
            )
        )
    place = Path(f"/site/{name}/__init__.py")
    return Installed(
        name=name, key=name, modules=frozenset({name}), files={place: size}, requires=tuple(needs)
    )


def names(*present: Installed, named: frozenset[str] = frozenset()) -> list[tuple[str, ...]]:
    found = leftovers.find(present, opened=frozenset({MODULE}), named=named)
    return [(left.name, *left.along) for left in found]


def test_one_that_nothing_opens_names_or_requires_is_left_over_with_its_size() -> None:
    found = leftovers.find(
        [one("web", "h11"), one("h11"), one("server", "click", size=5), one("click", size=2)],
        opened=frozenset({MODULE}),
        named=frozenset(),
    )

    assert found == (Leftover(name="server", along=("click",), size_bytes=7),)


@pytest.mark.parametrize(
    "present",
    [
        [one("web"), dataclasses.replace(one("pip"), is_base=True)],
        [one("web"), dataclasses.replace(one("bare"), files={})],
        [one("web", "a"), one("a", "b"), one("b", "a")],
        [one("web", "a[fast]"), one("a", "fast:b"), one("b")],
        [one("web", "a", "c"), one("a", "fast:b"), one("c", "a[fast]"), one("b")],
    ],
    ids=["of the base", "without files", "required", "for an extra", "for an extra that comes later"],
)
def test_what_may_be_needed_is_not_left_over(present: list[Installed]) -> None:
    assert names(*present) == []


def test_what_code_names_is_not_left_over_and_what_it_requires_neither() -> None:
    present = one("web"), one("boto3", "botocore"), one("botocore"), one("stubs")

    assert names(*present, named=frozenset({"boto3"})) == [("stubs",)]


def test_an_extra_that_nobody_asks_for_needs_nothing() -> None:
    assert names(one("web", "fast:loop"), one("loop")) == [("loop",)]


def test_what_two_require_goes_with_neither_and_a_circle_is_told_once() -> None:
    present = one("web"), one("a", "both", size=9), one("c", "both", size=8), one("both"), one("x", "y")

    assert names(*present, one("y", "x")) == [("a",), ("c",), ("x", "y")]


async def fails(client: RuntimeClient) -> None:
    while True:
        invocation = await client.next()
        await client.fail(invocation.request_id, b'{"errorType": "KeyError", "errorMessage": "x"}')


@pytest.mark.parametrize(
    ("program", "own"), [(fails, "import json\n"), (echo, "")], ids=["a request fails", "no code was found"]
)
async def test_nothing_is_told_where_it_would_be_a_guess(tmp_path: Path, program: Program, own: str) -> None:
    info = tmp_path / "site/tool-1.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text("tool.py,,\n")
    (tmp_path / "site/tool.py").write_text("1")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/main.py").write_text(own)
    rootfs = Rootfs(layers=(tmp_path,))
    spec = SandboxSpec(
        rootfs=rootfs,
        entrypoint=("/b",),
        command=("main.h",),
        working_dir="/app",
        environment={},
        timeout_s=2,
    )
    subject = Subject(image="shop", digest="", function="", spec=spec, event=b"{}", event_name="")

    found = await leftovers.look(
        RootfsView(rootfs),
        subject,
        Condition(memory_mb=128),
        recording(span("main", 20, 80)),
        Owners(folders=("/site",)),
        Recorder(program),
    )

    assert found == ()
