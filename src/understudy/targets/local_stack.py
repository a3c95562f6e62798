"""The local stack as one process: engine, images, resources, development server, watcher.

Everything it starts dies with it: the engine and the sandboxes ask the kernel for that, so kill -9 leaves no
process, mount or control group either.
"""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import os
import threading
import time
from collections.abc import Iterator
from typing import Self

from understudy.errors import UnderstudyError
from understudy.targets import addresses, hooks, http, local_engine, record, watch
from understudy.targets import stack as stacks
from understudy.targets.deployment import Deployed, Deployment
from understudy.targets.devserver import DevServer
from understudy.targets.events import Advanced, Done, Failed, Noticed, Report, Started
from understudy.targets.images import BuiltImage, ImageBuilder
from understudy.targets.local import ACCOUNT, LocalTarget
from understudy.targets.local_engine import StackEngine
from understudy.targets.record import RunningFunction, StackRecord
from understudy.targets.up_options import UpOptions
from understudy.targets.verification import BackgroundGate, Gate
from understudy.targets.workspace import Workspace


class LocalStack:
    """One run of a project's local stack; a context manager that ends all it started.

    Args:
        engine: from `local_engine.claimed`, which ends it.
    """

    def __init__(self, workspace: Workspace, engine: StackEngine, options: UpOptions, report: Report) -> None:
        self._workspace = workspace
        self._engine = engine
        self._options = options
        self._report = report
        self._builder = ImageBuilder(workspace, report, builder=options.builder)
        name = local_engine.name_of(workspace.project)
        self._target = LocalTarget.of(name, workspace.project.targets[name])
        section = workspace.project.dev_server if options.dev else None
        self._dev = DevServer(workspace.layout, section, port=options.dev_port) if section else None
        self._gate = Gate(
            workspace=workspace,
            target=self._target,
            store=self._builder.store,
            report=report,
            allowed=options.allowed,
        )
        self._later = BackgroundGate(self._gate, self._attach)
        self._stack = contextlib.ExitStack()
        self._timings: dict[str, float] = {}
        self._deployment: Deployment | None = None
        self._deployed: Deployed | None = None
        self._saved: Iterator[frozenset[str]] = iter(())

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._builder)
            stack.callback(self._later.close)
            if self._dev:
                stack.callback(self._dev.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def up(self, stop: threading.Event) -> StackRecord:
        """Returns what runs, once the API and the development server answer.

        Args:
            stop: ends `serve`, and the watch over saved files that begins here: who is told that the stack
                is up may save at once.

        Raises:
            UnderstudyError: any step failed; leaving the context ends what was started.
        """
        began = time.monotonic()
        if self._dev:
            # What would otherwise be found after the build.
            self._dev.check_port()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            saved = watch.changes(self._workspace, stop) if self._options.watch else iter(())
            watching = pool.submit(next, saved, frozenset[str]())
            # The engine starts in this thread: the kernel ends a child with the thread that started it.
            building = pool.submit(self._build)
            verifying = pool.submit(self._verify, building)
            known = self._engine.endpoint
            serving = pool.submit(self._serve_dev, known, building) if known else None
            endpoint = self._start_engine()
            serving = serving or pool.submit(self._serve_dev, endpoint, building)
            images = building.result()
            verifying.result()
            deployed = self._deploy(endpoint, images)
            dev_url = serving.result()
            self._saved = itertools.chain([watching.result()], saved)
        found = self._record(endpoint, dev_url, images, deployed)
        with self._step("init hooks"):
            self._finish_hooks(endpoint)
        path = record.HEALTH
        if deployed.api_id():
            with self._step("first request"):
                path = path if http.first_answer(found.api_url + path) else "/"
        self._timings["total"] = round(time.monotonic() - began, 3)
        found = dataclasses.replace(self._record(endpoint, dev_url, images, deployed), path=path)
        record.write(self._workspace.layout, found)
        return found

    def _build(self) -> list[BuiltImage]:
        stacks.check(self._workspace.root, self._workspace.project, self._target)
        started = time.monotonic()
        images = [self._builder.build(name) for name in self._workspace.project.images]
        self._timings["build"] = round(time.monotonic() - started, 3)
        return images

    def _verify(self, building: concurrent.futures.Future[list[BuiltImage]]) -> None:
        """Lets only images pass that start on Lambda; the engine starts meanwhile."""
        digests = {built.name: built.image.digest for built in building.result()}
        started = time.monotonic()
        self._gate.check(digests)
        self._timings["verify"] = round(time.monotonic() - started, 3)

    def _start_engine(self) -> str:
        with self._step("local AWS"):
            self._engine.install(lambda text: self._report(Advanced(step="local AWS", text=text)))
            return self._engine.start()

    def _deploy(self, endpoint: str, images: list[BuiltImage]) -> Deployed:
        self._deployment = self._deployment_at(endpoint)
        digests = {built.name: built.image.digest for built in images}
        with self._step("deploy"):
            self._deployed = self._deployment.apply(
                digests,
                self._builder.tags,
                lambda event: self._report(
                    Advanced(step="deploy", text=f"{event.key}: {event.verb} {event.phase}")
                ),
            )
        return self._deployed

    def _deployment_at(self, endpoint: str) -> Deployment:
        target = dataclasses.replace(self._target, endpoint_url=endpoint)
        return Deployment(self._workspace, target, self._builder.store)

    def _serve_dev(self, endpoint: str, building: concurrent.futures.Future[list[BuiltImage]]) -> str:
        section = self._workspace.project.dev_server
        if self._dev is None or section is None:
            return ""
        images = building.result()
        image = next(built.image for built in images if built.name == section.image)
        with self._step("development server"):
            self._dev.start(image, self._builder.store, self._dev_variables(endpoint, images, section.image))
        return self._dev.url

    def _dev_variables(self, endpoint: str, images: list[BuiltImage], name: str) -> dict[str, str]:
        """The function's own variables, and what Lambda adds that an SDK needs."""
        deployment = self._deployment_at(endpoint)
        variables = deployment.variables_of(name, {built.name: built.image.digest for built in images})
        return {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": self._target.region,
            "AWS_DEFAULT_REGION": self._target.region,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            **variables,
        }

    def _finish_hooks(self, endpoint: str) -> None:
        """Waits for the ready hooks; one that failed is told, not fatal, as on LocalStack."""
        for name in hooks.wait_for_ready(endpoint):
            self._report(Noticed(text=f"init hook {name} failed; see {self._engine.where}"))

    def _record(
        self, endpoint: str, dev_url: str, images: list[BuiltImage], deployed: Deployed
    ) -> StackRecord:
        api_id, stage = deployed.api()
        functions = tuple(self._functions(endpoint, images, deployed))
        first = functions[0] if functions else None
        return StackRecord(
            pid=os.getpid(),
            endpoint=endpoint,
            api_url=addresses.reachable_url(endpoint, api_id) + stage if api_id else "",
            api_host_url=addresses.host_url(endpoint, api_id) + stage if api_id else "",
            dev_url=dev_url,
            image_digest=first.digest if first else "",
            function=first.function if first else "",
            stand_in_for=next((built.stand_in_for for built in images), ""),
            timings_s=dict(self._timings),
            region=self._target.region,
            functions=functions,
        )

    def _functions(
        self, endpoint: str, images: list[BuiltImage], deployed: Deployed
    ) -> Iterator[RunningFunction]:
        for built in images:
            for name, url in deployed.functions_of(built.name):
                yield RunningFunction(
                    image=built.name,
                    function=name,
                    digest=built.image.digest,
                    url=addresses.reachable_function_url(endpoint, url),
                )

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._report(Started(step=name))
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        self._timings[name.replace(" ", "_")] = round(seconds, 3)
        self._report(Done(step=name, seconds=seconds))

    def serve(self, stop: threading.Event) -> None:
        """Returns when `stop` is set; rebuilds and releases what was saved meanwhile.

        Raises:
            UnderstudyError: the engine ended by itself.
        """
        for images in self._saved:
            self._rebuild(images)
            self._check_engine()
        while not stop.wait(0.5):
            self._check_engine()

    def _check_engine(self) -> None:
        if not self._engine.is_alive():
            raise UnderstudyError(
                "engine-ended",
                "the engine ended by itself",
                hint="./understudy up, after a look at its log",
                where=self._engine.where,
            )

    def _rebuild(self, names: frozenset[str]) -> None:
        """Builds and releases; what fails is reported and what runs stays."""
        if self._deployment is None or self._deployed is None:
            raise RuntimeError("serve() was called before up()")
        for name in sorted(names):
            step = f"release {name}"
            started = time.monotonic()
            try:
                built = self._builder.build(name)
                self._report(Started(step=step))
                self._deployment.release(self._deployed, name, built.image.digest, self._builder.tags)
            except UnderstudyError as error:
                self._report(Failed(step=step, error=str(error)))
                continue
            self._publish(name, built.image.digest)
            self._report(Done(step=step, seconds=time.monotonic() - started, detail=built.image.digest))
            self._later.submit(name, built.image.digest)

    def _attach(self, name: str, digest: str) -> None:
        """Pushes the proof of an image that was released before it was verified."""
        if self._deployment is not None and self._deployed is not None:
            self._deployment.attach(self._deployed, name, digest)

    def _publish(self, name: str, digest: str) -> None:
        found = record.read_own(self._workspace.layout)
        if found is not None:
            record.write(self._workspace.layout, found.with_digest(name, digest))
