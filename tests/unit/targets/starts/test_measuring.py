import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from tests.fakes.coldstarts import Starts
from tests.fakes.project import ScriptedTarget
from tests.fakes.runtime import Program, RuntimeClient, echo
from understudy.coldstart import changes, measure
from understudy.coldstart.changes import Change
from understudy.coldstart.instrument import MARK
from understudy.coldstart.model import Condition, Report, Subject
from understudy.errors import UnderstudyError
from understudy.image.builder import STAND_IN_LABEL
from understudy.image.store import Store
from understudy.sandbox import executors
from understudy.sandbox.model import SandboxSpec
from understudy.targets.events import Done, Event, Started
from understudy.targets.starts import measuring, what_ifs
from understudy.targets.starts.measuring import Wanted
from understudy.targets.workspace import Workspace

LIBRARY = "usr/local/lib/python3.12"
PYTHON = {f"{LIBRARY}/encodings/__init__.py": "", "var/task/app.py": ""}
CUSTOMIZE = f"/{LIBRARY}/sitecustomize.py"
ADMIN = """\
---
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Function
metadata: {name: admin}
spec:
  name: shop-admin
  packageType: Image
  code: {imageURI: "${image.shop}"}
  role: arn:aws:iam::000000000000:role/shop
  memorySize: 512
"""


class Lab:
    """A project with an image, whose starts run what `program` says."""

    def __init__(self, root: Path) -> None:
        self.workspace = projects.make(root)
        self.store = Store(self.workspace.layout.store).open()
        self.target = ScriptedTarget(ScriptedAws())
        self.starts = Starts()
        self.events: list[Event] = []

    def image(self, files: Mapping[str, str] = PYTHON, labels: dict[str, str] | None = None) -> str:
        """The digest of an image of these files."""
        return projects.image(self.workspace, files=files, labels=labels).digest

    def manifest(self, text: str) -> None:
        """Adds to the manifests."""
        path = self.workspace.root / "deploy" / "stack.yaml"
        path.write_text(path.read_text() + text)

    def run(self, wanted: Wanted) -> Report:
        """Measures."""
        return measuring.run(self.workspace, self.target, self.store, wanted, self.events.append)

    def subject(self, wanted: Wanted) -> Subject:
        """What is measured."""
        return measuring.subject_of(self.workspace, self.target, self.store, wanted)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    made = Lab(tmp_path / "project")
    monkeypatch.setattr(executors, "make", made.starts.make)
    return made


async def refuses(client: RuntimeClient) -> None:
    await client.fail_init("Runtime.ImportModuleError", "no module named app")


async def fails(client: RuntimeClient) -> None:
    while True:
        invocation = await client.next()
        await client.fail(invocation.request_id, b'{"errorType": "KeyError", "errorMessage": "DB_URL"}')


def tells(ready_s: float, *spans: tuple[object, ...]) -> Program:
    """A start under instruments, ready so many seconds from now."""

    async def program(client: RuntimeClient) -> None:
        began = time.perf_counter()
        items: list[tuple[object, ...]] = [("python", began)]
        items += [("span", *span[:3], began, began + ready_s / 2, *span[3:]) for span in spans]
        items += [("next", began + ready_s + number) for number in range(4)]
        client.print(f"{MARK}{items}\n".encode())
        await echo(client)

    return program


def is_watched(spec: SandboxSpec) -> bool:
    return "LambdaRuntimeClient" in spec.files.get(CUSTOMIZE, "")


def is_lazy(spec: SandboxSpec) -> bool:
    return "LazyLoader" in spec.files.get(CUSTOMIZE, "")


def is_empty(spec: SandboxSpec) -> bool:
    return spec.command == (f"{measure.EMPTY}.handler",)


def test_every_condition_the_empty_handler_and_the_changes_take_turns(lab: Lab) -> None:
    digest = lab.image(labels={STAND_IN_LABEL: "aws/base:1"})
    found = lab.run(
        Wanted(
            image="shop",
            runs=2,
            memory_mb=(128, 512),
            caches=("warm", "dropped"),
            throttled_init=True,
            event=b'{"a": 1}',
            event_name="event.json",
            what_ifs=(changes.parse("lazy-import:heavy"),),
        )
    )

    conditions = [
        Condition(memory_mb=memory_mb, cache=cache, throttled_init=True)
        for memory_mb in (128, 512)
        for cache in ("warm", "dropped")
    ]
    assert [one.condition for one in found.series] == conditions
    assert found.calibration is not None
    (tried,) = found.tried
    assert tried.series is not None
    everything = (*found.series, found.calibration, tried.series)
    assert [len(one.samples) for one in everything] == [2] * 6
    assert found.calibration.condition == tried.series.condition == conditions[0]
    assert (tried.change, tried.problem, tried.predicted_ms) == ("lazy-import:heavy", "", None)
    assert (found.image, found.digest, found.function) == ("shop", digest, "shop")
    assert (found.event, found.stand_in_for) == ("event.json", "aws/base:1")
    # What others need to start at all is found out first; three rounds, the first of which is not counted.
    one_round = [(128, 0, 0), (128, 0, 0), (512, 0, 0), (512, 0, 0), (128, 1, 0), (128, 0, 1)]
    starts = [(one.memory_mb, is_empty(one), is_lazy(one)) for one in lab.starts.specs]
    assert starts[: 2 + 3 * 6] == [(128, 1, 0), (128, 0, 1), *one_round * 3]
    assert not lab.starts.is_open


def test_what_is_done_is_told(lab: Lab) -> None:
    lab.image()
    lab.run(Wanted(image="shop", runs=1))
    assert isinstance(lab.events[0], Started)
    assert isinstance(lab.events[-1], Done)
    texts = [getattr(one, "text", "") for one in lab.events[1:-1]]
    assert texts == ["round 0 of 1", "round 1 of 1", "watching some"]


def test_the_watched_start_in_the_middle_is_shown_with_what_would_help(lab: Lab) -> None:
    lab.image()
    heavy = ("import", "heavy", -1, "/var/task/app.py", 7, "")
    watched = [tells(1000.0, heavy), tells(3000.0, heavy), tells(2000.0, heavy)]
    lab.starts.program = lambda spec: watched.pop(0) if is_watched(spec) else echo
    found = lab.run(Wanted(image="shop", runs=1, what_ifs=(changes.parse("lazy-import:heavy"),)))

    assert watched == []
    assert found.profile is not None
    assert 1_500_000 < found.profile.init_ms < 2_500_000
    assert found.overhead_ms == found.profile.init_ms - found.series[0].spread("init_ms").median
    suggestion, last = found.suggestions
    assert last.rule == "snapstart"
    assert (suggestion.rule, suggestion.subject, suggestion.where) == (
        "lazy-import",
        "heavy",
        "/var/task/app.py:7",
    )
    assert found.tried[0].predicted_ms == suggestion.saves_ms
    assert found.notes == ()


def test_modules_are_told_by_the_distributions_of_the_image_s_own_python(lab: Lab) -> None:
    record = {f"{LIBRARY}/site-packages/heavy_stuff-1.0.dist-info/RECORD": "heavy/__init__.py,,\n"}
    lab.image({**PYTHON, **record})
    spans = [("import", name, -1, "/var/task/app.py", 7, "") for name in ("heavy.part", "app", "json")]
    lab.starts.program = lambda spec: tells(1000.0, *spans) if is_watched(spec) else echo
    found = lab.run(Wanted(image="shop", runs=1))
    assert found.profile is not None
    assert {one.name: one.distribution for one in found.profile.modules} == {
        "heavy.part": "heavy-stuff",
        "app": "your code",
        "json": "standard library",
    }


def test_an_image_that_tells_nothing_is_measured_all_the_same(lab: Lab) -> None:
    lab.image()
    found = lab.run(Wanted(image="shop", runs=1))
    assert (found.profile, found.suggestions, len(found.series[0].samples)) == (None, (), 1)
    assert found.notes == (
        "the image's Python could not be watched: there is no Python, or not AWS's runtime client",
    )


def test_an_image_that_does_not_start_under_instruments_is_measured_all_the_same(lab: Lab) -> None:
    lab.image()
    lab.starts.program = lambda spec: refuses if is_watched(spec) else echo
    found = lab.run(Wanted(image="shop", runs=1))
    assert (found.profile, len(found.series[0].samples)) == (None, 1)
    assert found.touched is not None
    assert found.notes == (
        "the image could not be watched: with the instruments in it, it does not start: "
        "Runtime.ImportModuleError: no module named app",
    )


def test_no_empty_handler_is_measured_where_no_python_would_run_it(lab: Lab) -> None:
    lab.image({"var/task/bootstrap": "a program"})
    found = lab.run(Wanted(image="shop", runs=1, what_ifs=(changes.parse("lazy-import:heavy"),)))
    assert found.calibration is None
    assert len(found.series[0].samples) == 1
    assert not any(map(is_empty, lab.starts.specs))
    (tried,) = found.tried
    assert (tried.series, tried.problem) == (
        None,
        "lazy-import:heavy needs Python, and none was found in image shop",
    )


def test_an_empty_handler_that_does_not_start_is_left_out(lab: Lab) -> None:
    lab.image()
    lab.starts.program = lambda spec: refuses if is_empty(spec) else echo
    wanted = Wanted(image="shop", runs=1, what_ifs=(changes.parse("lazy-import:heavy"),))
    found = lab.run(wanted)
    assert found.calibration is None
    assert [(one.change, one.series is not None) for one in found.tried] == [("lazy-import:heavy", True)]


def test_a_copy_that_does_not_start_is_told_in_lambda_s_words(lab: Lab) -> None:
    lab.image()
    lab.starts.program = lambda spec: refuses if is_lazy(spec) else echo
    names = ("lazy-import:heavy", "lazy-import:heavy")
    found = lab.run(Wanted(image="shop", runs=1, what_ifs=tuple(map(changes.parse, names))))
    assert [(one.change, one.series, one.problem) for one in found.tried] == [
        (
            "lazy-import:heavy",
            None,
            "it does not start: Runtime.ImportModuleError: no module named app",
        )
    ]


def test_a_copy_whose_requests_fail_is_told_so_and_saves_nothing(lab: Lab) -> None:
    lab.image()
    lab.starts.program = lambda spec: fails if is_lazy(spec) else echo
    wanted = Wanted(
        image="shop", runs=1, event_name="GET /health", what_ifs=(changes.parse("lazy-import:heavy"),)
    )
    (tried,) = lab.run(wanted).tried
    assert (tried.series, tried.problem) == (None, "it starts, and GET /health fails with KeyError")

    lab.starts.program = lambda _: fails
    (tried,) = lab.run(wanted).tried
    assert (tried.series is not None, tried.problem) == (True, "")


def test_a_change_that_cannot_be_made_keeps_nothing_else_from_being_tried(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = lab.image()

    def changed(subject: Subject, change: Change, *_: object) -> Subject:
        if change.kind == "drop":
            raise UnderstudyError("step-failed", "no distribution x is installed", hint="none")
        return dataclasses.replace(subject, digest="sha256:changed")

    monkeypatch.setattr(what_ifs, "changed", changed)
    asked = tuple(map(changes.parse, ("drop:x", "bytecode", "drop:x")))
    found = lab.run(Wanted(image="shop", runs=1, what_ifs=asked))
    assert [(one.change, one.problem) for one in found.tried] == [
        ("bytecode", ""),
        ("drop:x", "no distribution x is installed"),
    ]
    assert found.digest == digest


def test_an_image_that_does_not_start_is_an_error_and_nothing_stays_open(lab: Lab) -> None:
    lab.image()
    lab.starts.program = lambda spec: echo if is_empty(spec) else refuses
    with pytest.raises(UnderstudyError, match=r"Runtime.ImportModuleError: no module named app"):
        lab.run(Wanted(image="shop", runs=1))
    assert not lab.starts.is_open


def test_requests_that_fail_are_noted(lab: Lab) -> None:
    lab.image()
    lab.starts.program = lambda _: fails
    found = lab.run(Wanted(image="shop", runs=1, event_name="GET /health"))
    assert found.series[0].samples[0].error == "KeyError"
    assert found.notes[0].startswith("GET /health fails with KeyError, and so the figures of requests are")


def test_the_subject_is_the_image_as_its_function_runs_it(lab: Lab) -> None:
    digest = lab.image()
    found = lab.subject(Wanted(image="shop", endpoint="http://localhost:4566"))
    assert (found.digest, found.function, found.spec.memory_mb) == (digest, "shop", 256)
    assert found.spec.network == "host"
    environment = {name: found.spec.environment[name] for name in ("STAGE", "AWS_ENDPOINT_URL")}
    assert environment == {"STAGE": "local", "AWS_ENDPOINT_URL": "http://localhost:4566"}
    assert (found.spec.rootfs.layers[0] / "var/task/app.py").is_file()


def test_a_digest_that_is_named_is_taken_before_the_last_build(lab: Lab) -> None:
    old = lab.image(labels={"age": "old"})
    new = lab.image()
    assert lab.subject(Wanted(image="shop")).digest == new
    assert lab.subject(Wanted(image="shop", digest=old)).digest == old


def test_an_image_that_was_not_built_is_an_error(lab: Lab) -> None:
    with pytest.raises(UnderstudyError, match="image shop has not been built here"):
        lab.run(Wanted(image="shop"))


@pytest.mark.parametrize(
    ("function", "found"), [("", ("shop", 256)), ("shop-admin", ("shop-admin", 512))], ids=["first", "named"]
)
def test_a_function_is_chosen_by_its_name_in_aws(lab: Lab, function: str, found: tuple[str, int]) -> None:
    lab.manifest(ADMIN)
    launch = measuring.launch_of(lab.workspace, lab.target, Wanted(image="shop", function=function))
    assert (launch.function, launch.overrides.memory_mb) == found


def test_a_function_that_does_not_run_the_image_is_an_error_with_those_that_do(lab: Lab) -> None:
    lab.manifest(ADMIN)
    with pytest.raises(UnderstudyError, match=r"no Function x runs image shop; .* do: shop, shop-admin"):
        measuring.launch_of(lab.workspace, lab.target, Wanted(image="shop", function="x"))


def test_an_image_that_no_function_runs_is_measured_alone(workspace: Workspace, lab: Lab) -> None:
    launch = measuring.launch_of(workspace, lab.target, Wanted(image="shop"))
    assert (launch.function, launch.overrides.memory_mb) == ("", 128)
    with pytest.raises(UnderstudyError, match="no Function shop runs image shop; those that do: none"):
        measuring.launch_of(workspace, lab.target, Wanted(image="shop", function="shop"))


@pytest.fixture
def workspace(lab: Lab) -> Workspace:
    """The project, whose only function runs another image."""
    path = lab.workspace.root / "deploy" / "stack.yaml"
    uri = json.dumps(f"000000000000.dkr.ecr.us-east-1.amazonaws.com/other@sha256:{'e' * 64}")
    path.write_text(path.read_text().replace('"${image.shop}"', uri))
    return lab.workspace
