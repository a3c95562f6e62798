"""What a verification came to: findings, what the boot showed, what was allowed, and the verdict.

Pure. Everything that is printed, uploaded or proved is read off this one value.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from understudy.verify import causes
from understudy.verify.causes import Cause
from understudy.verify.model import Finding, Launch, Rule, Severity

BaseKind = Literal["aws", "stand-in", "other"]

# What a boot cannot show: it neither creates a function nor fetches an image, and it runs where it is.
_UNSEEN_ROWS = frozenset({"A7", "A15", "A16"})
# An import that wants a variable is seen, although its row is about what AWS refuses.
_SEEN_RULES = frozenset({"environment-variable-missing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What the image is built on, as far as it matters to whoever relies on a proof.

    Attributes:
        kind: AWS's own base, a stand-in that this tool made for one, or any other.
        name: of the base, for a stand-in of the one it stands for; empty when nobody says.
    """

    kind: BaseKind
    name: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "aws":
                return f"AWS's base ({self.name})" if self.name else "AWS's base"
            case "stand-in":
                return f"stand-in for {self.name}"
            case _:
                return f"other: {self.name or 'unknown'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What a boot in the sandbox showed.

    Attributes:
        passed: the image asked for events, and nothing that it did then fails on Lambda.
        init_ms: from the start to the first call of ``/runtime/invocation/next``; `None` when it never came.
        first_request_ms: the first event; `None` when it was not answered.
        second_request_ms: the same again.
        peak_memory_mb: highest resident memory.
        constraints: what of Lambda was in force.
        observations: what is worth knowing and no fault: a label and a text each.
    """

    passed: bool
    init_ms: float | None = None
    first_request_ms: float | None = None
    second_request_ms: float | None = None
    peak_memory_mb: float = 0.0
    constraints: tuple[str, ...] = ()
    observations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """How long the verification took."""

    static: float = 0.0
    boot: float = 0.0

    @property
    def total(self) -> float:
        """Both."""
        return self.static + self.boot


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Where files and boot say different things.

    Attributes:
        rule: of the finding in question.
        text: what either says.
        believe: which of them the verdict follows.
    """

    rule: str
    text: str
    believe: Literal["static", "boot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One verification of one image as one function runs it.

    Attributes:
        reference: how the user named the image.
        digest: of the image manifest.
        architecture: of the image, in Lambda's words.
        size_bytes: compressed, as a registry counts it.
        uncompressed_bytes: of all layers.
        base: what the image is built on.
        launch: how the function runs it.
        rule_set: version of the rules.
        rules: those of the findings, by id, the most fundamental first.
        findings: of the rules and of the boot.
        allowed: rule -> reason, as the user gave them.
        boot: what the boot showed; `None` when there was none.
        boot_skipped: why there was none.
        seconds: how long it took.
    """

    reference: str
    digest: str
    architecture: str
    size_bytes: int
    uncompressed_bytes: int
    base: Base
    launch: Launch
    rule_set: str
    rules: Mapping[str, Rule] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    allowed: Mapping[str, str] = field(default_factory=dict)
    boot: Boot | None = None
    boot_skipped: str = ""
    seconds: Seconds = field(default_factory=Seconds)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The findings, grouped by cause, the most likely first."""
        return causes.group(self.findings, self.rules, self.allowed)

    @property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Where files and boot say different things."""
        if self.boot is None:
            return ()
        found = [
            Disagreement(
                rule=one.rule,
                text=f"{one.rule} says that it cannot start, and it started in the sandbox",
                believe="boot",
            )
            for one in self.findings
            if self._overruled(one)
        ]
        seen = [one.rule for one in self.findings if _fails(one) and one.source == "boot"]
        if seen and not any(_fails(one) and one.source == "static" for one in self.findings):
            text = f"the files show no fault, and the boot does: {seen[0]}"
            found.append(Disagreement(rule=seen[0], text=text, believe="boot"))
        return tuple(found)

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that make the image fail: not allowed, and not overruled by a boot."""
        return tuple(
            one
            for one in self.findings
            if _fails(one) and one.rule not in self.allowed and not self._overruled(one)
        )

    @property
    def passed(self) -> bool:
        """Whether the image starts on Lambda, as far as this can tell."""
        return not self.failing and not self._boot_failed()

    @property
    def conclusive(self) -> bool:
        """Whether a boot, if there was one, did not merely stop for want of a network or the like."""
        if self.boot is None or self.boot.passed:
            return True
        return any(_fails(one) for one in self.findings if one.source == "boot")

    def _boot_failed(self) -> bool:
        """A boot that ended badly and said nothing about why."""
        if self.boot is None or self.boot.passed:
            return False
        return not any(one.source == "boot" and one.severity is not Severity.INFO for one in self.findings)

    def _overruled(self, finding: Finding) -> bool:
        """Whether a boot did what the finding says cannot be done."""
        if self.boot is None or not self.boot.passed or not _fails(finding) or finding.source == "boot":
            return False
        if finding.rule in _SEEN_RULES:
            return True
        return not _UNSEEN_ROWS.intersection(self.rules[finding.rule].catalogue)


def launch_digest(launch: Launch) -> str:
    """Returns the fingerprint of a function's effective configuration.

    A hash, because environment variables may be secret and proofs travel.
    """
    document = {
        "entrypoint": launch.entrypoint,
        "command": launch.command,
        "workingDir": launch.working_dir,
        "imageEnv": dict(launch.image_env),
        "functionEnv": dict(launch.function_env),
        "architecture": launch.architecture,
        "memoryMb": launch.memory_mb,
        "timeoutS": launch.timeout_s,
        "ephemeralMb": launch.ephemeral_mb,
        "function": launch.function_name,
        "snapStart": launch.snap_start,
        "sizeBudgetBytes": launch.size_budget_bytes,
    }
    raw = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _fails(finding: Finding) -> bool:
    return finding.severity is Severity.FAILS
