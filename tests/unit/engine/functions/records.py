"""Ready-made records for the tests of the Lambda service."""

from typing import Any

from understudy.engine.functions.model import LATEST, Code, Function, FunctionId, Logging, Settings, Version

ROLE = "arn:aws:iam::000000000000:role/dash"
DIGEST = "sha256:" + "ab" * 32


def code(digest: str = DIGEST) -> Code:
    return Code(image_uri="r/dash:1", resolved_uri=f"r/dash@{digest}", digest=digest)


def version(number: str = LATEST, **changes: Any) -> Version:
    values: dict[str, Any] = {
        "number": number,
        "code": code(),
        "settings": Settings(role=ROLE, logging=Logging(group="/aws/lambda/dash")),
        "content_id": "c1",
        "revision_id": "r1",
        "last_modified": "2026-01-01T00:00:00.000+0000",
    }
    return Version(**{**values, **changes})


def function(name: str = "dash", *numbers: str) -> Function:
    """An active function with these published versions, each of its own content."""
    key = FunctionId(account_id="000000000000", region="us-east-1", name=name)
    latest = version().activated("r2")
    versions = {LATEST: latest}
    for number in numbers:
        versions[number] = version(number, content_id=f"c{number}-published").activated("r3")
    return Function(id=key, versions=versions, serving=latest, next_version=len(numbers) + 1)
