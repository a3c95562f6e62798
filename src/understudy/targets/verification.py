"""The gate before a push: an image goes nowhere until it has passed `verify` as its functions run it.

What was proved before - same digest, same configuration, same rules - passes at once. Refuses to push a
failing image to any target; what a user allows is recorded in the proof with the reason.
"""

import concurrent.futures
import datetime as dt
import functools
import platform
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets import launches, proof_key
from understudy.targets import stack as stacks
from understudy.targets.events import Advanced, Done, Failed, Noticed, Report, Started
from understudy.targets.launches import FunctionLaunch
from understudy.targets.target import Target
from understudy.targets.workspace import Workspace
from understudy.verify import proof, subject, version
from understudy.verify import report as reports
from understudy.verify.model import Severity
from understudy.verify.proof import Claim, Proof
from understudy.verify.render import text, words
from understudy.verify.render.words import Locate
from understudy.verify.report import Report as VerifyReport
from understudy.verify.statements import Signer

if TYPE_CHECKING:
    from understudy.targets.origins import Origins

_MACHINES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}
_GO = {"amd64": "x86_64", "arm64": "arm64"}
_MB = 1_000_000
_QUIET_S = 5.0  # who saves twice in a row waits for the second release, not for the verdict on the first
NOT_PUSHED = "nothing was pushed"


class VerificationFailedError(UnderstudyError):
    """An image would not start on Lambda; the message holds the causes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One image as one function runs it, after the gate.

    Attributes:
        launch: the function.
        proof: that it passed; `None` when it did not.
        report: of the verification; `None` when an earlier proof was enough.
    """

    launch: FunctionLaunch
    proof: Proof | None
    report: VerifyReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Verifies the images of a workspace for a target.

    Attributes:
        workspace: the project.
        target: its overlay says how functions run the images.
        store: the images.
        report: told what happens.
        allowed: rule -> reason.
    """

    workspace: Workspace
    target: Target
    store: Store
    report: Report
    allowed: Mapping[str, str] = field(default_factory=dict)

    def check(self, digests: Mapping[str, str]) -> tuple[Judged, ...]:
        """Returns when every one of these images may be pushed.

        Raises:
            VerificationFailedError: one would not start on Lambda, with all its causes.
            UnderstudyError: a manifest is wrong, or an image cannot be read.
        """
        judged = tuple(self.judge(digests))
        failed = [one for one in judged if one.report is not None and not one.report.passed]
        if failed:
            raise self._refusal(failed)
        return judged

    def judge(self, digests: Mapping[str, str]) -> Iterator[Judged]:
        """Yields what each image came to, as each of its functions runs it."""
        for launch in self.launches(digests):
            yield self._one(launch, digests[launch.image])

    def launches(self, digests: Mapping[str, str]) -> tuple[FunctionLaunch, ...]:
        """How the functions of the target run these images."""
        project = self.workspace.project
        known = {**dict.fromkeys(project.images, f"sha256:{'0' * 64}"), **digests}
        stack = stacks.load(self.workspace.root, project, self.target, known)
        return tuple(
            launch
            for name in digests
            for launch in launches.of_image(
                stack, name, size_budget_bytes=project.images[name].size_budget_mb * _MB
            )
        )

    def locate(self, launch: FunctionLaunch) -> Locate:
        """Leads findings about an image to the lines that people edit."""

        @functools.cache
        def origins() -> "Origins":
            # A good image has no findings, so nobody reads its Dockerfile.
            from understudy.targets.origins import Origins  # noqa: PLC0415 - as above

            return Origins(self.workspace.root, self.workspace.image(launch.image), launch)

        return lambda place: origins().locate(place)

    def find(self, launch: FunctionLaunch, digest: str) -> Proof | None:
        """The proof that an image passed as this function runs it; `None` when there is none."""
        config = self.store.image(digest).config
        effective = subject.effective_launch(config, launch.overrides)
        native = _GO.get(config.architecture) == _MACHINES.get(platform.machine())
        claim = Claim(
            digest=digest,
            launch=reports.launch_digest(effective),
            rule_set=version.rule_set(),
            booted=native,
            allowed=frozenset(self.allowed),
        )
        return proof.find(self.store, self._key(), claim)

    def prove(self, found: VerifyReport) -> Proof:
        """Writes the proof of a report that passed."""
        return proof.write(self.store, self._key(), found, dt.datetime.now(dt.UTC))

    def _key(self) -> Signer:
        return proof_key.load(self.workspace.layout)

    def _one(self, launch: FunctionLaunch, digest: str) -> Judged:
        step = f"verify {_name(launch)}"
        started = time.monotonic()
        self.report(Started(step=step))
        known = self.find(launch, digest)
        if known is not None:
            self.report(Done(step=step, seconds=time.monotonic() - started, detail="proved before"))
            return Judged(launch=launch, proof=known)
        found = self._verify(launch, digest, step)
        made = self.prove(found) if found.passed and found.conclusive else None
        detail = f"{words.verdict(found)}; {words.boot_line(found)}"
        self.report(Done(step=step, seconds=time.monotonic() - started, detail=detail))
        for cause in found.causes:
            if found.passed and cause.severity in (Severity.FAILS, Severity.MAY_FAIL) and not cause.reason:
                self.report(Noticed(text=f"{cause.finding.rule}: {cause.finding.message}"))
        return Judged(launch=launch, proof=made, report=found)

    def _verify(self, launch: FunctionLaunch, digest: str, step: str) -> VerifyReport:
        # A proved image, the usual case, needs none of the rules: they take longer to load than to find it.
        from understudy.verify import run  # noqa: PLC0415 - as above

        request = run.Request(
            reference=digest,
            name=launch.image,
            launch=launch.overrides,
            allowed=self.allowed,
            region=self.target.region,
        )
        layout = self.workspace.layout
        places = run.Places(store=self.store, cache=layout.facts, state=layout.sandboxes)
        return run.verify(request, places, lambda doing: self.report(Advanced(step=step, text=doing)))

    def _refusal(self, failed: list[Judged]) -> VerificationFailedError:
        told = [text.causes(one.report, self.locate(one.launch)) for one in failed if one.report is not None]
        names = ", ".join(dict.fromkeys(one.launch.image for one in failed))
        return VerificationFailedError(
            "verify-failed",
            f"image {names} would not start on Lambda, {NOT_PUSHED}\n\n" + "\n\n".join(told) + "\n",
            hint="apply the fix above; ./understudy verify tells the rest",
        )


class BackgroundGate:
    """Verifies what was released a moment ago, while the user goes on typing; the newest save wins.

    Args:
        gate: that judges.
        passed: told the name and digest of an image that passed.
        quiet_s: how long to wait after a save.
    """

    def __init__(self, gate: Gate, passed: Callable[[str, str], None], *, quiet_s: float = _QUIET_S) -> None:
        self._gate = gate
        self._passed = passed
        self._quiet_s = quiet_s
        self._pool = concurrent.futures.ThreadPoolExecutor(1, "verify")
        self._newest: dict[str, str] = {}
        self._closing = threading.Event()

    def submit(self, name: str, digest: str) -> "concurrent.futures.Future[None]":
        """Verifies an image soon, unless a newer one of that name comes first."""
        self._newest[name] = digest
        return self._pool.submit(self._later, name, digest)

    def close(self) -> None:
        """Waits for what runs and forgets the rest."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _later(self, name: str, digest: str) -> None:
        # The release has just ended: the first requests to it matter more than we do.
        if self._is_old(name, digest) or self._closing.wait(self._quiet_s) or self._is_old(name, digest):
            return
        try:
            self._gate.check({name: digest})
            self._passed(name, digest)
        except VerificationFailedError as error:
            told = error.message.replace(NOT_PUSHED, "it runs on local AWS only").rstrip()
            self._gate.report(Failed(step=f"verify {name}", error=told))
        except UnderstudyError as error:
            self._gate.report(Failed(step=f"verify {name}", error=str(error)))

    def _is_old(self, name: str, digest: str) -> bool:
        return self._newest.get(name) != digest


def _name(launch: FunctionLaunch) -> str:
    same = launch.function in ("", launch.image)
    return launch.image if same else f"{launch.image} for {launch.function}"
