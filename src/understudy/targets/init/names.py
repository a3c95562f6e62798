"""Names of projects and resources, made from whatever the code calls things; pure."""

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_LONGEST = 50


def slug(text: str) -> str:
    """`text` as a lower-case name of letters, digits and dashes; ``service`` when nothing is left."""
    words = "-".join(word.lower() for word in _WORD.findall(text))
    return words[:_LONGEST].strip("-") or "service"


def without(text: str, *words: str) -> str:
    """`text` as a slug without trailing `words`: ``USERS_TABLE_NAME`` without table and name is ``users``."""
    parts = slug(text).split("-")
    while parts and parts[-1] in words:
        parts.pop()
    while parts and parts[0] in (*words, "aws", "dynamodb", "dynamo", "s3", "sqs", "sns"):
        parts.pop(0)
    return "-".join(parts)


def sid(text: str) -> str:
    """`text` as the id of a policy's statement, which takes letters and digits alone."""
    return "".join(word.capitalize() for word in slug(text).split("-"))


def arn(kind: str, name: str) -> str:
    """The placeholder of a resource's ARN."""
    return f"${{{kind}.{name}.arn}}"
