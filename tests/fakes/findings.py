"""Rules, findings and reports as verification makes them, with sensible defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from understudy.verify.model import Finding, Launch, Place, Rule, Severity
from understudy.verify.report import Base, Boot, Report, Seconds

DIGEST = f"sha256:{'3f' * 32}"
LAYER = f"sha256:{'ab' * 32}"
EXTENSION = (
    "/var/lang/lib/python3.13/site-packages/pydantic_core/_pydantic_core.cpython-312-x86_64-linux-gnu.so"
)
MISSING = (
    "Runtime.ImportModuleError: Unable to import module 'handler': "
    "No module named 'pydantic_core._pydantic_core'"
)


def rule(id: str = "abi-mismatch", **facts: Any) -> Rule:  # noqa: A002 - the field's name
    """A rule; `facts` replace what a test wants otherwise."""
    usual = Rule(
        id=id,
        title=f"Title of {id}",
        severity=Severity.FAILS,
        catalogue=("A1",),
        aws_text="Runtime.ImportModuleError: ...",
        why=f"Why {id} happens.",
        fix=f"fix {id}",
        link=f"https://example.org/{id}",
    )
    return replace(usual, **facts)


def place(path: str = EXTENSION, **facts: Any) -> Place:
    """A place in the layer that pip made."""
    usual = Place(path=path, layer=2, layer_digest=LAYER, instruction="RUN pip install -r requirements.txt")
    return replace(usual, **facts)


def finding(rule: str = "abi-mismatch", **facts: Any) -> Finding:
    """A finding of the ABI rule; `facts` replace what a test wants otherwise."""
    usual = Finding(
        rule=rule,
        severity=Severity.FAILS,
        message="_pydantic_core is built for CPython 3.12, the image runs CPython 3.13",
        fix="pip install --python-version 3.13 pydantic-core",
        aws_text=MISSING,
        places=(place(),),
    )
    return replace(usual, **facts)


BOOT = Boot(
    passed=True,
    init_ms=312.4,
    first_request_ms=21.3,
    second_request_ms=1.8,
    peak_memory_mb=61.5,
    constraints=("user: 993:990", "root: read-only overlay"),
    observations=(("threads", "1"),),
)


def report(
    findings: Sequence[Finding] = (),
    *,
    rules: Mapping[str, Rule] | Sequence[str] = (),
    launch: Mapping[str, Any] | None = None,
    **facts: Any,
) -> Report:
    """A report over `findings`; every rule they name is there, in the order of `rules` and then of use."""
    known = dict(rules) if isinstance(rules, Mapping) else {name: rule(name) for name in rules}
    for one in findings:
        known.setdefault(one.rule, rule(one.rule, severity=one.severity))
    usual: dict[str, Any] = {
        "reference": "dashboard",
        "digest": DIGEST,
        "architecture": "x86_64",
        "size_bytes": 118_000_000,
        "uncompressed_bytes": 280_000_000,
        "base": Base(kind="stand-in", name="public.ecr.aws/lambda/python:3.13"),
        "launch": Launch(
            **{
                "entrypoint": ("/lambda-entrypoint.sh",),
                "command": ("handler.lambda_handler",),
                "working_dir": "/var/task",
                "function_name": "dashboard",
                "memory_mb": 1769,
                "timeout_s": 29.0,
                **(launch or {}),
            }
        ),
        "rule_set": "2026.11+0123456789ab",
        "boot": BOOT,
        "seconds": Seconds(static=0.8, boot=1.1),
    }
    return Report(rules=known, findings=tuple(findings), **(usual | facts))
