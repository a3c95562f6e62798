"""``python -m bench.naive``: the dashboard's cold start against the same application built naively.

Naive is what most tutorials have: `pip install` without bytecode, the AWS clients made when the handler is
imported. Both images are measured by the cold start lab in
one run, taking turns.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.project import ROOT
from understudy.coldstart import comparison, measure
from understudy.coldstart.model import Condition, Series, Subject
from understudy.image import builder, rootfs
from understudy.image.base import FallbackResolver, from_registries
from understudy.image.builder import BuildRequest
from understudy.image.store import Store
from understudy.reconcile import invocation
from understudy.sandbox import executors
from understudy.sandbox.steps import NamespaceStepRunner
from understudy.targets.layout import Layout
from understudy.verify import boot
from understudy.verify.subject import LaunchOverrides, effective_launch

MEMORY_MB = 1769
FILES = ("requirements.txt", "handler.py", "dashboard")
DOCKERFILE = """\
FROM public.ecr.aws/lambda/python:3.13
COPY requirements.txt ${LAMBDA_TASK_ROOT}/
RUN PYTHONDONTWRITEBYTECODE=1 python3 -m pip install --require-hashes --no-deps --no-compile --no-cache-dir \\
    --disable-pip-version-check --root-user-action=ignore -r "${LAMBDA_TASK_ROOT}/requirements.txt"
COPY . ${LAMBDA_TASK_ROOT}/
CMD ["naive.lambda_handler"]
"""
HANDLER = """\
import boto3

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3")

from handler import lambda_handler
"""


def main() -> int:
    """Measures both and prints the ratio; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.naive", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="cold starts of each; default 20")
    runs = parser.parse_args().runs
    layout = Layout(root=ROOT)
    store = Store(layout.store).open()
    layout.sandboxes.mkdir(parents=True, exist_ok=True)
    ours, naive = _build(layout, store, naive=False), _build(layout, store, naive=True)
    found = asyncio.run(_measure(layout, [ours, replace(ours, digest=naive.digest, spec=naive.spec)], runs))
    print(_text(*found))
    return 0


def _build(layout: Layout, store: Store, *, naive: bool) -> Subject:
    steps = NamespaceStepRunner(layout.sandboxes)
    with tempfile.TemporaryDirectory() as folder:
        context = ROOT / "service"
        if naive:
            context = Path(folder)
            for name in FILES:
                copy = shutil.copytree if (ROOT / "service" / name).is_dir() else shutil.copy
                copy(ROOT / "service" / name, context / name)
            for bytecode in context.rglob("__pycache__"):
                shutil.rmtree(bytecode)
            (context / "naive.py").write_text(HANDLER)
            (context / "Dockerfile").write_text(DOCKERFILE)
        resolver = FallbackResolver(store, from_registries(store), steps, progress=lambda _: None)
        request = BuildRequest(context=context, dockerfile=context / "Dockerfile", base_resolver=resolver)
        try:
            image = builder.build(request, store=store, steps=steps, progress=lambda _: None)
        finally:
            steps.close()
    overrides = LaunchOverrides(
        function_name="dashboard",
        function_env={"CONFIGURATIONS_TABLE": "configurations", "TICKERS_BUCKET": "tickers"},
        memory_mb=MEMORY_MB,
        timeout_s=29,
    )
    wanted = boot.BootRequest(
        rootfs=rootfs.prepare(store, image.digest),
        launch=effective_launch(image.config, overrides),
        architecture="x86_64",
        network="host",
    )
    return Subject(
        image="naive" if naive else "dashboard",
        digest=image.digest,
        function="dashboard",
        spec=boot.sandbox_spec(wanted),
        event=invocation.http_event("/health"),
        event_name="GET /health",
    )


async def _measure(layout: Layout, subjects: list[Subject], runs: int) -> list[Series]:
    executor = executors.make(executors.chosen(os.environ), layout.sandboxes)
    await executor.open()
    try:
        condition = Condition(memory_mb=MEMORY_MB)
        return await measure.series(
            [(subject, condition) for subject in subjects],
            runs,
            executor,
            lambda number: print(f"bench: round {number} of {runs}", file=sys.stderr, flush=True),
        )
    finally:
        await executor.close()


def _text(ours: Series, naive: Series) -> str:
    lines = [f"{'cold start, ms':<24}{'dashboard':>12}{'naive':>12}{'ratio':>9}"]
    for name, figure in (
        ("init", "init_ms"),
        ("init and 1st request", "total_ms"),
        ("peak memory, MB", "peak_mb"),
    ):
        first, second = ours.spread(figure).median, naive.spread(figure).median
        lines.append(f"{name:<24}{first:>12.1f}{second:>12.1f}{first / second:>8.0%}")
    p_value = comparison.p_value(
        [one.total_ms for one in ours.samples], [one.total_ms for one in naive.samples]
    )
    lines.append(f"medians of {len(ours.samples)} cold starts each, taking turns; p = {p_value:.4f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
