"""Runs inside the image, before anything else of it: tells what a cold start is spent on, with times.

Its text is laid over ``sitecustomize.py`` of the image's interpreter for a run of its own; the headline
figures come from runs without it. Standard library only, any Python from 3.8; imports nothing that the
interpreter has not loaded already. Each module that is really loaded passes ``_find_and_load`` of importlib,
once: that is where imports are timed, and where classes are wrapped as soon as their module is there.
"""

# Runs in another interpreter, where the house's helpers do not exist and nothing may be raised.
# ruff: noqa: ANN401, BLE001, S110, SIM105

from __future__ import annotations

import _thread
import importlib._bootstrap_external as _external
import os
import sys
import time
from importlib import _bootstrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Type checkers believe the name; at run time `typing` would bring a dozen modules along.
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

MARK = "understudy-coldstart:"
_LINE_AT_MOST = 3500
_TEXT_AT_MOST = 300
_WATCHED_REQUEST = 3
_SDK = ("/botocore/", "/boto3/")


class Recorder:
    """What has happened so far; one per process, and of its main thread alone.

    A span is (kind, name, parent, begin, end, path, line, detail): `parent` is the number of the span that
    was open when it began, or -1; times are seconds of the monotonic clock.
    """

    def __init__(self, output: int) -> None:
        self._output = output
        self._spans: list[list[Any]] = []
        self._open = [-1]
        self._told = 0
        self._main = _thread.get_ident()
        self._used: set[Any] = set()
        self._asked = 0
        self._begun = time.perf_counter()

    def span(self, kind: str, name: str, work: Callable[[], Any], place: tuple[str, int]) -> Any:
        """Runs `work` and records how long it took."""
        number = self.begin(kind, name, place)
        try:
            return work()
        finally:
            self.end(number)

    def begin(self, kind: str, name: str, place: tuple[str, int]) -> int:
        """Opens a span and returns its number; -1 in another thread, where nothing is recorded."""
        if _thread.get_ident() != self._main:
            return -1
        number = len(self._spans)
        path, line, now = place[0][-_TEXT_AT_MOST:], place[1], time.perf_counter()
        self._spans.append([kind, name[:_TEXT_AT_MOST], self._open[-1], now, now, path, line, ""])
        self._open.append(number)
        return number

    def end(self, number: int) -> None:
        """Closes a span; what awaits may close before what it waits for."""
        if number >= 0:
            self._spans[number][4] = time.perf_counter()
            self._open.remove(number)

    def cost(self, kind: str, began: float) -> None:
        """Says that the innermost open span spent its time since `began` on something."""
        if self._open[-1] >= 0 and _thread.get_ident() == self._main:
            self._spans[self._open[-1]][7] += "%s:%.6f " % (kind, time.perf_counter() - began)  # noqa: UP031 - any 3

    def wait(self, work: Callable[[], Any]) -> Any:
        """Tells what there is, and runs `work`, which waits for the next event.

        The calls of the third request are noted: what it leaves alone could be imported later. The first two
        are timed, which watching every call would spoil.
        """
        sys.setprofile(None)
        self._tell()
        self._asked += 1
        event = work()
        if self._asked == _WATCHED_REQUEST:
            sys.setprofile(self._call)
        return event

    def _call(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            self._used.add(frame.f_globals.get("__name__"))
        elif event == "c_call":
            own = type(getattr(arg, "__self__", None)).__module__
            self._used.add(getattr(arg, "__module__", None) or own)

    def _tell(self) -> None:
        """Writes what happened since the last time, in pieces that a pipe takes whole."""
        now = time.perf_counter()
        items: list[tuple[Any, ...]] = [] if self._told else [("python", self._begun)]
        items += [("span", *span) for span in self._spans[self._told :]]
        items += [("used", name) for name in sorted(map(str, self._used))]
        items.append(("next", now))
        self._told = len(self._spans)
        self._used.clear()
        piece: list[str] = []
        size = 0
        for text in map(repr, items):
            if size + len(text) > _LINE_AT_MOST:
                self._write(piece)
                piece, size = [], 0
            piece.append(text)
            size += len(text) + 2
        self._write(piece)

    def _write(self, piece: list[str]) -> None:
        line = "\n" + MARK + "[" + ", ".join(piece) + "]\n"
        os.write(self._output, line.encode("utf-8", "backslashreplace"))


def _asker(*passed: str) -> tuple[str, int]:
    """The nearest statement that is not importlib's, not ours and in none of these folders."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith("<") and path != __file__ and not any(folder in path for folder in passed):
            return path, frame.f_lineno
        frame = frame.f_back
    return "", 0


def _watch_imports(recorder: Recorder) -> None:
    bootstrap: Any = _bootstrap
    external: Any = _external
    load = bootstrap._find_and_load

    def find_and_load(name: str, import_: Any) -> Any:
        if name in sys.modules:
            return load(name, import_)
        module = recorder.span("import", name, lambda: load(name, import_), _asker())
        watch = _WATCHED.get(name)
        if watch is not None:
            try:
                watch(recorder, module)
            except Exception:
                # Another version of the library: what it does goes untold.
                pass
        return module

    compile_source = external.SourceLoader.source_to_code

    def source_to_code(self: Any, data: Any, path: Any, **options: Any) -> Any:
        began = time.perf_counter()
        code = compile_source(self, data, path, **options)
        recorder.cost("compiled", began)
        return code

    create = external.ExtensionFileLoader.create_module

    def create_module(self: Any, spec: Any) -> Any:
        began = time.perf_counter()
        module = create(self, spec)
        recorder.cost("linked", began)
        return module

    bootstrap._find_and_load = find_and_load
    external.SourceLoader.source_to_code = source_to_code
    external.ExtensionFileLoader.create_module = create_module


def _watch_client(recorder: Recorder, module: Any) -> None:
    wait = module.LambdaRuntimeClient.wait_next_invocation

    def wait_next_invocation(self: Any, *args: Any, **kwargs: Any) -> Any:
        return recorder.wait(lambda: wait(self, *args, **kwargs))

    module.LambdaRuntimeClient.wait_next_invocation = wait_next_invocation


def _watch_sdk(recorder: Recorder, module: Any) -> None:
    create = module.Session.create_client

    def create_client(self: Any, service_name: str, *args: Any, **kwargs: Any) -> Any:
        return recorder.span(
            "client", service_name, lambda: create(self, service_name, *args, **kwargs), _asker(*_SDK)
        )

    module.Session.create_client = create_client


def _watch_calls(recorder: Recorder, module: Any) -> None:
    make = module.Endpoint.make_request

    def make_request(self: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        name = operation_model.service_model.service_name + "." + operation_model.name
        return recorder.span(
            "call", name, lambda: make(self, operation_model, *args, **kwargs), _asker(*_SDK)
        )

    module.Endpoint.make_request = make_request


def _watch_models(recorder: Recorder, module: Any) -> None:
    make = module.ModelMetaclass.__new__

    def new(mcs: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        return recorder.span("model", name, lambda: make(mcs, name, *args, **kwargs), _asker("/pydantic/"))

    module.ModelMetaclass.__new__ = staticmethod(new)


def _watch_lifespan(recorder: Recorder, module: Any) -> None:
    enter = module.LifespanCycle.__enter__

    def entered(self: Any) -> Any:
        return recorder.span("lifespan", "startup", lambda: enter(self), ("", 0))

    module.LifespanCycle.__enter__ = entered


def _watch_handler(recorder: Recorder, module: Any) -> None:
    handle = module.handle_event_request

    def handle_event_request(client: Any, handler: Any, *args: Any, **kwargs: Any) -> Any:
        def timed(event: Any, context: Any) -> Any:
            return recorder.span("step", "handler", lambda: handler(event, context), ("", 0))

        return handle(client, timed, *args, **kwargs)

    module.handle_event_request = handle_event_request


def _watch_adapter(recorder: Recorder, module: Any) -> None:
    call = module.Mangum.__call__

    def called(self: Any, event: Any, context: Any) -> Any:
        return recorder.span("step", "Mangum", lambda: call(self, event, context), ("", 0))

    module.Mangum.__call__ = called


def _watch_application(recorder: Recorder, module: Any) -> None:
    call = module.HTTPCycle.__call__

    def called(self: Any, app: Any) -> Any:
        return recorder.span("step", "application", lambda: call(self, app), ("", 0))

    module.HTTPCycle.__call__ = called


def _watch_router(recorder: Recorder, module: Any) -> None:
    module.Router.app = _awaited(recorder, "routing", module.Router.app)
    module.Route.handle = _awaited(recorder, "route", module.Route.handle)


def _watch_routes(recorder: Recorder, module: Any) -> None:
    names = (
        ("solve_dependencies", "dependencies"),
        ("run_endpoint_function", "endpoint"),
        ("serialize_response", "serialisation"),
    )
    for name, step in names:
        setattr(module, name, _awaited(recorder, step, getattr(module, name)))


def _awaited(recorder: Recorder, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        number = recorder.begin("step", step, ("", 0))
        try:
            return await work(*args, **kwargs)
        finally:
            recorder.end(number)

    return call


def _watch_network(recorder: Recorder) -> None:
    """Connections and look-ups, but for the Runtime API's (PEP 578 tells them before the call)."""
    own = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")

    def hook(event: str, args: Any) -> None:
        if event == "socket.connect" and isinstance(args[1], tuple):
            name = "connect %s:%s" % args[1][:2]  # noqa: UP031 - any 3
        elif event == "socket.getaddrinfo":
            name = "look up %s:%s" % args[:2]  # noqa: UP031 - any 3
        else:
            return
        if not own or not name.endswith(own):
            recorder.end(recorder.begin("network", name, _asker(*_SDK, "/urllib3/", "/socket.py")))

    sys.addaudithook(hook)


_WATCHED: dict[str, Callable[[Recorder, Any], None]] = {
    "awslambdaric.bootstrap": _watch_handler,
    "awslambdaric.lambda_runtime_client": _watch_client,
    "botocore.session": _watch_sdk,
    "botocore.endpoint": _watch_calls,
    "pydantic._internal._model_construction": _watch_models,
    "mangum.adapter": _watch_adapter,
    "mangum.protocols.http": _watch_application,
    "mangum.protocols.lifespan": _watch_lifespan,
    "fastapi.routing": _watch_routes,
    "starlette.routing": _watch_router,
}


def install() -> None:
    """Starts recording in this process."""
    recorder = Recorder(os.dup(2))
    _watch_imports(recorder)
    _watch_network(recorder)
