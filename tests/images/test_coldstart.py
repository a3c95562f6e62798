"""Faults planted into the dashboard's image, each of which has to be found first, and at its price.

The image is the real one and AWS's runtime client runs it; what is planted is laid over its task root.
"""

import asyncio
import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.images.workshop import Workshop
from understudy.coldstart import advice, instrument, measure, owners, profiles
from understudy.coldstart.model import Condition, Profile, Series, Subject, Suggestion
from understudy.image import rootfs
from understudy.image.rootfs_view import RootfsView
from understudy.reconcile import invocation
from understudy.sandbox import FunctionEnvironment, SandboxSpec, lambda_environment, prologue
from understudy.sandbox.namespaces import NamespaceExecutor

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
# Without bytecode: nothing may be written beside it, as on Lambda.
UNCOMPILED = {
    "large.py": "\n".join(
        f"def f{number}(a, b=[1, 2]):\n    return [a, b, {number}]" for number in range(8000)
    ),
    "planted.py": f"import large\nlarge.f1(1)\n{GOOD}inner = Mangum(app, lifespan='off')\n"
    "def handler(event, context):\n    large.f2(1)\n    return inner(event, context)\n",
}


class Lab:
    """The dashboard's image with something planted."""

    def __init__(self, shop: Workshop, planted: Mapping[str, str], folder: Path) -> None:
        image = shop.bases.images["dashboard"]
        root = rootfs.prepare(shop.store, image.digest)
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
            rootfs=root,
            entrypoint=tuple(image.config.entrypoint),
            command=("planted.handler",),
            working_dir=TASK,
            environment=environment,
            memory_mb=1769,
            timeout_s=29,
            files={f"{TASK}/{name}": text for name, text in planted.items()},
        )
        self._subject = Subject(
            image="dashboard",
            digest=image.digest,
            function="planted",
            spec=spec,
            event=invocation.http_event("/health"),
            event_name="GET /health",
        )
        self._folder = folder

    def look(self, mended: Mapping[str, str] | None = None) -> tuple[Profile, list[Suggestion], list[Series]]:
        """The profile, the suggestions, and some cold starts as planted and, interleaved, as mended."""
        return asyncio.run(self._look(mended or {}))

    async def _look(self, mended: Mapping[str, str]) -> tuple[Profile, list[Suggestion], list[Series]]:
        executor = NamespaceExecutor(self._folder)
        await executor.open()
        try:
            view = RootfsView(self._subject.spec.rootfs)
            program = f"{inspect.getsource(instrument)}\n\ninstall()\n"
            files = prologue.files(view, self._subject.spec, program)
            recording = await measure.record(self._subject, CONDITION, files, executor)
            assert recording is not None
            whose = owners.load(view, [TASK, SITE], task_root=TASK)
            profile = profiles.profile(recording, handler="planted", owners=whose)
            found = list(advice.suggestions(recording, profile, owners=whose))
            subjects = [(self._subject, CONDITION), (self._with(mended), CONDITION)] if mended else []
            return profile, found, await measure.series(subjects, 5, executor)
        finally:
            await executor.close()

    def _with(self, files: Mapping[str, str]) -> Subject:
        laid = {f"{TASK}/{name}": text for name, text in files.items()}
        return replace(self._subject, spec=replace(self._subject.spec, files=laid))


def test_an_import_that_nobody_uses_is_first_and_saves_what_it_costs(
    dashboards: Workshop, tmp_path: Path
) -> None:
    profile, found, (slow, fast) = Lab(dashboards, SLOW, tmp_path).look({"planted.py": PLAIN})

    first = found[0]
    assert (first.rule, first.subject, first.where) == ("lazy-import", "heavy", f"{TASK}/planted.py:1")
    gained_ms = slow.spread("init_ms").low - fast.spread("init_ms").low
    assert first.saves_ms == pytest.approx(gained_ms, rel=0.2)
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


def test_a_lifespan_for_every_request_is_first(dashboards: Workshop, tmp_path: Path) -> None:
    _, found, _ = Lab(dashboards, LIFESPAN, tmp_path).look()

    assert found[0].rule == "lifespan-per-request"
    assert found[0].saves_ms >= 80


def test_bytecode_that_is_missing_is_first(dashboards: Workshop, tmp_path: Path) -> None:
    _, found, _ = Lab(dashboards, UNCOMPILED, tmp_path).look()

    assert (found[0].rule, "large" in found[0].subject) == ("bytecode", True)


def test_an_empty_handler_costs_what_the_base_costs(dashboards: Workshop, tmp_path: Path) -> None:
    lab = Lab(dashboards, {"planted.py": PLAIN}, tmp_path)
    _, _, (whole, empty) = lab.look({"planted.py": "def handler(event, context):\n    return {}\n"})

    assert empty.spread("init_ms").high < whole.spread("init_ms").low
    assert all(one.error == "" for one in (*whole.samples, *empty.samples))
