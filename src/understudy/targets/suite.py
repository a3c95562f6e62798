"""The end-to-end suite against a target: what it has to know, which files it is, and what it came to."""

import datetime as dt
import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.reconcile import credentials
from understudy.reconcile.aws import Aws
from understudy.targets import proof_key, running
from understudy.targets.running import Live, Running
from understudy.targets.target import Target
from understudy.targets.workspace import Workspace
from understudy.verify import e2e
from understudy.verify.e2e import SuiteRun

FOLDER = "tests/e2e"

# Options that change what pytest prints, and not what it runs.
_HARMLESS = re.compile(r"-[qsvx]+|-r\w*|--(?:color|durations|junit-?xml|quiet|tb|verbose)(?:=.*)?")
OPTIONS_VARIABLE = "PYTEST_ADDOPTS"
"""Where pytest takes further arguments from; the suite is run without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderTest:
    """What of a target the suite is run against.

    Attributes:
        live: each function that runs an image of the project, with that image's name.
        api_url: base URL of the first function that HTTP reaches.
        variables: what the suite finds in its environment.
    """

    live: tuple[tuple[str, Live], ...]
    api_url: str
    variables: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """How many tests of a run passed, failed and were skipped."""

    passed: int
    failed: int
    skipped: int


def under_test(found: Workspace, target: Target, aws: Aws) -> UnderTest:
    """What runs on the target now.

    Raises:
        UnderstudyError: something of the project does not run there.
    """
    there = Running(found, target, aws)
    subjects = tuple(there.subjects())
    if not subjects:
        raise UnderstudyError(
            "function-none", "no Function of the manifests runs an image of this project", hint="add one"
        )
    live = tuple((name, there.live(subject)) for name, subject in subjects)
    web = next((number for number, (_, subject) in enumerate(subjects) if subject.door), 0)
    subject, first = subjects[web][1], live[web][1]
    url = running.url(target, subject, there.door(subject))
    return UnderTest(
        live=live,
        api_url=url,
        variables={
            **credentials.variables(aws),
            "E2E_API_URL": url,
            "E2E_FUNCTION": str(first),
            "E2E_IMAGE_DIGEST": first.digest,
        },
    )


def is_whole(arguments: Sequence[str]) -> bool:
    """Whether pytest runs the whole suite with these arguments, as far as they tell."""
    return all(_HARMLESS.fullmatch(one) for one in arguments)


def revision(root: Path) -> str:
    """A hash over the suite's files: names and contents.

    Raises:
        UnderstudyError: the project has no suite.
    """
    folder = root / FOLDER
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    if not files:
        raise UnderstudyError(
            "suite-missing", f"{FOLDER} holds no test of this project", hint=f"write {FOLDER}/test_*.py"
        )
    found = hashlib.sha256()
    for path in files:
        found.update(f"{path.relative_to(folder)}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256:{found.hexdigest()}"


def results(path: Path) -> Results:
    """What a JUnit file of pytest says.

    Raises:
        UnderstudyError: there is none: pytest did not get as far as a test.
    """
    try:
        top = ET.parse(path).getroot()  # noqa: S314 - written by the pytest that we started
    except (FileNotFoundError, ET.ParseError) as exc:
        raise UnderstudyError(
            "suite-without-result", "the suite ended without a result", hint="read its output above"
        ) from exc
    suites = [top] if top.tag == "testsuite" else list(top.iter("testsuite"))

    def count(name: str) -> int:
        return sum(int(suite.get(name, 0)) for suite in suites)

    failed, skipped = count("failures") + count("errors"), count("skipped")
    return Results(passed=count("tests") - failed - skipped, failed=failed, skipped=skipped)


def record(
    found: Workspace, store: Store, target: Target, before: UnderTest, told: Results
) -> tuple[str, ...]:
    """Writes the record for each image that ran; returns the names of those images.

    Raises:
        UnderstudyError: an image is not in this project's store, so that nothing can be attached to it.
    """
    for name, live in before.live:
        if not store.has(live.digest):
            raise UnderstudyError(
                "image-not-here",
                f"target {target.name} runs {name}@{live.digest}, which is not in this project's store",
                hint="run it where the image was built, or build it here",
            )
    signer, suite, now = proof_key.load(found.layout), revision(found.root), dt.datetime.now(dt.UTC)
    for name, live in before.live:
        e2e.write(
            store,
            signer,
            SuiteRun(
                name=name,
                digest=live.digest,
                function=str(live),
                version=live.version,
                target=target.name,
                target_type=found.project.targets[target.name].type,
                suite=suite,
                passed=told.passed,
                failed=told.failed,
                skipped=told.skipped,
            ),
            now,
        )
    return tuple(dict.fromkeys(name for name, _ in before.live))
