import dataclasses
import tempfile
from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from tests.fakes.project import ScriptedTarget
from tests.fakes.steps import FakeSteps, Script, writes
from understudy.coldstart import changes
from understudy.coldstart.model import Subject
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets.starts import measuring, what_ifs
from understudy.targets.starts.measuring import Wanted

LIBRARY = "usr/local/lib/python3.12"
CUSTOMIZE = f"/{LIBRARY}/sitecustomize.py"
PYTHON = {f"{LIBRARY}/encodings/__init__.py": "", "var/task/app.py": ""}


class Steps(FakeSteps):
    """Steps whose runner has to be closed, and that say what they were made from."""

    def __init__(self, script: Script | None = None) -> None:
        super().__init__(script)
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Lab:
    """A project with an image, and what runs the steps of builds."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.workspace = projects.make(root)
        self.store = Store(self.workspace.layout.store).open()
        self._monkeypatch = monkeypatch

    def subject(self, files: dict[str, str], architecture: str = "amd64") -> Subject:
        """An image of these files, as its function runs it."""
        projects.image(self.workspace, files=files, architecture=architecture)
        target = ScriptedTarget(ScriptedAws())
        return measuring.subject_of(self.workspace, target, self.store, Wanted(image="shop"))

    def steps(self, script: Script | None = None) -> Steps:
        """Runs the steps from now on."""
        made = Steps(script)
        self._monkeypatch.setattr(what_ifs, "NamespaceStepRunner", lambda _: made)
        return made

    def changed(self, subject: Subject, change: str) -> Subject:
        """Makes the change."""
        return what_ifs.changed(subject, changes.parse(change), self.store, self.workspace.layout.sandboxes)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    folder = tmp_path / "contexts"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return Lab(tmp_path / "project", monkeypatch)


def test_a_lazy_import_is_laid_over_the_same_image_and_before_what_the_image_has(lab: Lab) -> None:
    subject = lab.subject({**PYTHON, CUSTOMIZE[1:]: "OWN = 1\n"})
    subject = dataclasses.replace(subject, spec=dataclasses.replace(subject.spec, files={"/x": "kept"}))

    found = lab.changed(subject, "lazy-import:heavy")

    assert (found.digest, found.spec.rootfs) == (subject.digest, subject.spec.rootfs)
    assert found.spec.files["/x"] == "kept"
    program = found.spec.files[CUSTOMIZE]
    assert "'heavy'" in program
    assert program.index("LazyLoader") < program.index("OWN = 1")
    assert subject.spec.files == {"/x": "kept"}


def test_a_lazy_import_without_python_is_an_error_and_no_copy_that_is_the_same(lab: Lab) -> None:
    subject = lab.subject({"var/task/bootstrap": ""})
    with pytest.raises(UnderstudyError, match="lazy-import:heavy needs Python, and none was found"):
        lab.changed(subject, "lazy-import:heavy")


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_bytecode_is_made_in_a_copy_of_the_image_for_the_same_machine(lab: Lab, architecture: str) -> None:
    subject = lab.subject(PYTHON, architecture)
    steps = lab.steps(writes("var/task/__pycache__/app.pyc", "compiled"))

    found = lab.changed(subject, "bytecode")

    assert found.digest != subject.digest
    image = lab.store.image(found.digest)
    assert image.config.architecture == architecture
    assert image.config.diff_ids[:1] == lab.store.image(subject.digest).config.diff_ids
    assert (found.spec.rootfs.layers[-1] / "var/task/__pycache__/app.pyc").read_text() == "compiled"
    (step,) = steps.steps
    assert "compileall -q --invalidation-mode unchecked-hash /var/task" in step.argv[-1]
    assert steps.is_closed
    # How it is started stays.
    assert dataclasses.replace(found.spec, rootfs=subject.spec.rootfs) == subject.spec


def test_the_copy_gets_no_name_and_its_context_is_gone(lab: Lab) -> None:
    subject = lab.subject(PYTHON)
    lab.steps(writes("a", "b"))
    before = lab.store.tags()

    lab.changed(subject, "bytecode")

    assert lab.store.tags() == before
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


def test_a_distribution_is_dropped_by_a_program_of_the_image_s_python(lab: Lab) -> None:
    subject = lab.subject(PYTHON)
    steps = lab.steps(writes("dropped", ""))

    found = lab.changed(subject, "drop:boto3")

    assert [step.argv[-1] for step in steps.steps] == [
        "python3 /understudy-change.py && rm /understudy-change.py"
    ]
    scripts = [layer / "understudy-change.py" for layer in found.spec.rootfs.layers]
    (text,) = [path.read_text() for path in scripts if path.is_file()]
    assert "distributions(name='boto3'" in text


def test_a_step_that_fails_is_an_error_and_ends_its_runner(lab: Lab) -> None:
    subject = lab.subject(PYTHON)
    steps = lab.steps(lambda _: 1)
    with pytest.raises(UnderstudyError, match="understudy-change"):
        lab.changed(subject, "drop:nothing")
    assert steps.is_closed
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
