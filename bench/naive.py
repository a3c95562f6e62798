"""``python -m bench.naive``: the dashboard's cold start against the same application built naively.

Naive is what most tutorials have: `pip install` without bytecode, the AWS clients made when the handler is
imported. The cold start lab measures it as it is, with each fault mended, and the dashboard, taking turns.
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
from understudy.coldstart import changes, comparison, measure
from understudy.coldstart.model import Condition, Series, Subject
from understudy.image import builder, rootfs
from understudy.image.base import FallbackResolver, from_registries
from understudy.image.builder import BuildRequest
from understudy.image.store import Store
from understudy.reconcile import invocation
from understudy.sandbox import executors
from understudy.sandbox.steps import NamespaceStepRunner
from understudy.targets.layout import Layout
from understudy.targets.starts import what_ifs
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
    """Measures them and prints the ratios; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.naive", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="cold starts of each; default 20")
    runs = parser.parse_args().runs
    layout = Layout(root=ROOT)
    store = Store(layout.store).open()
    layout.sandboxes.mkdir(parents=True, exist_ok=True)
    naive = _build(layout, store, naive=True)
    subjects = {
        "built naively": naive,
        "clients on first use": replace(naive, spec=replace(naive.spec, command=("handler.lambda_handler",))),
        "valid bytecode": what_ifs.changed(naive, changes.parse("bytecode"), store, layout.sandboxes),
        "both: the dashboard": _build(layout, store, naive=False),
    }
    found = asyncio.run(_measure(layout, list(subjects.values()), runs))
    print(_text(dict(zip(subjects, found, strict=True))))
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


def _text(found: dict[str, Series]) -> str:
    first, *_, last = found.values()
    whole = first.spread("total_ms").median
    lines = [f"{'cold start, ms':<24}{'init':>9}{'+ 1st request':>15}{'of naive':>10}{'peak MB':>9}"]
    for name, series in found.items():
        init, total, peak = (series.spread(one).median for one in ("init_ms", "total_ms", "peak_mb"))
        lines.append(f"{name:<24}{init:>9.0f}{total:>15.0f}{total / whole:>9.0%}{peak:>10.0f}")
    before, after = ([one.total_ms for one in series.samples] for series in (first, last))
    p_value = comparison.p_value(before, after)
    lines.append(
        f"medians of {len(before)} cold starts of each, taking turns; first and last: p = {p_value:.4f}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
