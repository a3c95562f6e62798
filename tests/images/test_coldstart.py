"""Faults planted into the dashboard's image, each of which has to be found first, and at its price.

The image is the real one and AWS's runtime client runs it; what is planted is laid over its task root.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import figures
from tests.contract import base_store
from tests.images.workshop import Workshop
from understudy.coldstart import (
    advice,
    changes,
    installed,
    instrument,
    leftovers,
    measure,
    mentions,
    owners,
    profiles,
)
from understudy.coldstart.changes import Change
from understudy.coldstart.model import Condition, Series, Subject
from understudy.coldstart.watched import Profile, Suggestion
from understudy.image import builder, rootfs
from understudy.image.builder import BuildRequest
from understudy.image.model import Image
from understudy.image.rootfs_view import RootfsView
from understudy.reconcile import invocation
from understudy.sandbox import FunctionEnvironment, SandboxSpec, lambda_environment, prologue
from understudy.sandbox.namespaces import NamespaceExecutor
from understudy.targets.starts import what_ifs

TASK = "/var/task"
SITE = "/var/lang/lib/python3.13/site-packages"
CONDITION = Condition(memory_mb=1769)
GOOD = "from dashboard.app import app\nfrom mangum import Mangum\n"
PLAIN = f'{GOOD}handler = Mangum(app, lifespan="off")\n'
SLOW = {
    "heavy.py": "import time\ntime.sleep(0.3)\n",
    "planted.py": f"import heavy\n{PLAIN}",
}
CLIENT = {
    "planted.py": "import boto3\n"
    "boto3.client('s3', region_name='us-east-1')\n"
    "def handler(event, context):\n"
    "    boto3.client('dynamodb', region_name='us-east-1')\n"
    "    return {}\n"
}
LIFESPAN = {
    "planted.py": "import time\nfrom contextlib import asynccontextmanager\n"
    "from fastapi import FastAPI\nfrom mangum import Mangum\n"
    "@asynccontextmanager\n"
    "async def lifespan(app):\n    time.sleep(0.08)\n    yield\n"
    "app = FastAPI(lifespan=lifespan)\n"
    "@app.get('/health')\ndef health() -> dict[str, str]:\n    return {}\n"
    "handler = Mangum(app)\n"
}
STALE = {
    "large.py": "\n".join(
        f"def f{number}(a, b=[1, 2]):\n    return [a, b, {number}]" for number in range(8000)
    ),
    "planted.py": f"import large\nlarge.f1(1)\n{GOOD}inner = Mangum(app, lifespan='off')\n"
    "def handler(event, context):\n    large.f2(1)\n    return inner(event, context)\n",
}


class Lab:
    """The dashboard's image, or one made from it, with something planted."""

    def __init__(
        self, shop: Workshop, planted: Mapping[str, str], folder: Path, image: Image | None = None
    ) -> None:
        image = image or shop.bases.images["dashboard"]
        environment = lambda_environment(
            FunctionEnvironment(
                function_name="planted",
                memory_mb=1769,
                image=tuple(image.config.env),
                function={"CONFIGURATIONS_TABLE": "c", "TICKERS_BUCKET": "t"},
                working_dir=TASK,
            )
        )
        spec = SandboxSpec(
            rootfs=rootfs.prepare(shop.store, image.digest),
            entrypoint=tuple(image.config.entrypoint),
            command=("planted.handler",),
            working_dir=TASK,
            environment=environment,
            memory_mb=1769,
            timeout_s=29,
            files={f"{TASK}/{name}": text for name, text in planted.items()},
        )
        self.subject = Subject(
            image="dashboard",
            digest=image.digest,
            function="planted",
            spec=spec,
            event=invocation.http_event("/health"),
            event_name="GET /health",
        )
        self._store = shop.store
        self._folder = folder

    def look(self, change: Change | None = None) -> tuple[Profile, list[Suggestion], list[Series]]:
        """The profile, the suggestions, and some cold starts as planted and, interleaved, as changed."""
        profile, found = asyncio.run(self._profile())
        if change is None:
            return profile, found, []
        copy = what_ifs.changed(self.subject, change, self._store, self._folder)
        return profile, found, asyncio.run(self.beside(copy))

    async def _profile(self) -> tuple[Profile, list[Suggestion]]:
        view = RootfsView(self.subject.spec.rootfs)
        program = f"{inspect.getsource(instrument)}\n\ninstall()\n"
        files = prologue.files(view, self.subject.spec, program)
        async with self._executor() as executor:
            watched = [await measure.record(self.subject, CONDITION, files, executor) for _ in range(3)]
        told = sorted((one for one in watched if one is not None), key=lambda one: one.next_ms[0])
        assert len(told) == 3
        whose = owners.load(view, [TASK, SITE], task_root=TASK)
        profile = profiles.profile(told[1], handler="planted", owners=whose)
        return profile, list(advice.suggestions(told[1], profile, owners=whose))

    async def beside(self, copy: Subject) -> list[Series]:
        """Cold starts as planted and of a copy, taking turns."""
        async with self._executor() as executor:
            return await measure.series([(self.subject, CONDITION), (copy, CONDITION)], 5, executor)

    @asynccontextmanager
    async def _executor(self) -> AsyncIterator[NamespaceExecutor]:
        executor = NamespaceExecutor(self._folder)
        await executor.open()
        try:
            yield executor
        finally:
            await executor.close()


def told(suggestion: Suggestion, before: Series, after: Series) -> None:
    """Prints what was predicted and what was measured: how near they are depends on the machine."""
    gained_ms = before.spread("init_ms").low - after.spread("init_ms").low
    assert gained_ms > 0
    figures.tell(
        f"cold start, {suggestion.rule}: predicted {suggestion.saves_ms:.0f} ms, measured {gained_ms:.0f} ms"
    )


def test_an_import_that_nobody_uses_is_first_and_saves_what_it_costs(
    dashboards: Workshop, tmp_path: Path
) -> None:
    lab = Lab(dashboards, SLOW, tmp_path)
    profile, found, (slow, fast) = lab.look(changes.parse("lazy-import:heavy"))

    first = found[0]
    assert (first.rule, first.subject, first.where) == ("lazy-import", "heavy", f"{TASK}/planted.py:1")
    assert first.saves_ms >= 300
    told(first, slow, fast)
    assert profile.named_share >= 0.95
    assert sum(phase.ms for phase in profile.phases) == pytest.approx(profile.init_ms)


def test_a_client_for_every_request_is_first(dashboards: Workshop, tmp_path: Path) -> None:
    profile, found, _ = Lab(dashboards, CLIENT, tmp_path).look()

    first = found[0]
    assert (first.rule, first.subject, first.where) == (
        "client-per-request",
        "dynamodb",
        f"{TASK}/planted.py:4",
    )
    assert [one.name for one in profile.clients] == ["s3"]
    assert [one.name for one in profile.first_request if one.kind == "client"] == ["dynamodb"]
    assert profile.network == ()


def test_a_lifespan_for_every_request_is_first(dashboards: Workshop, tmp_path: Path) -> None:
    _, found, _ = Lab(dashboards, LIFESPAN, tmp_path).look()

    assert found[0].rule == "lifespan-per-request"
    assert found[0].saves_ms >= 80


def test_bytecode_that_is_stale_is_first_and_saves_what_making_it_costs(
    dashboards: Workshop, tmp_path: Path
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    for name, content in STALE.items():
        (context / name).write_text(content)
    # Stale: made for a source that has changed since, which looks fine in a listing.
    stale = f"python3 -m compileall -q {TASK}/large.py && echo '# changed' >>{TASK}/large.py"
    (context / "Dockerfile").write_text(f"FROM dashboard\nCOPY *.py {TASK}/\nRUN {stale}\n")
    request = BuildRequest(context=context, dockerfile=context / "Dockerfile", base_resolver=dashboards.bases)
    image = builder.build(request, store=dashboards.store, steps=base_store.runner(), progress=lambda _: None)
    lab = Lab(dashboards, {}, tmp_path, image)
    _, found, (without, compiled) = lab.look(changes.parse("bytecode"))

    assert (found[0].rule, "large" in found[0].subject) == ("bytecode", True)
    told(found[0], without, compiled)


def test_nothing_that_the_dashboard_needs_is_left_over_whatever_the_request_opens(
    dashboards: Workshop, tmp_path: Path
) -> None:
    spec = Lab(dashboards, {}, tmp_path).subject.spec
    view = RootfsView(spec.rootfs)
    present = installed.load(view, spec.rootfs, [TASK, SITE], entrypoint=spec.entrypoint)
    named = mentions.of_own_code(view, owners.load(view, [TASK, SITE], task_root=TASK))

    found = leftovers.find(present, opened=frozenset(), named=named)

    assert [one.key for one in present if one.is_base] == ["pip"]
    # For development: on Lambda nothing runs it.
    assert [(one.name, one.along) for one in found] == [("uvicorn", ("click", "h11"))]


def test_an_empty_handler_costs_what_the_base_costs(dashboards: Workshop, tmp_path: Path) -> None:
    lab = Lab(dashboards, {"planted.py": PLAIN}, tmp_path)
    whole, empty = asyncio.run(lab.beside(measure.empty(lab.subject)))

    assert empty.spread("init_ms").high < whole.spread("init_ms").low
    assert all(one.error == "" for one in (*whole.samples, *empty.samples))
