"""Function names, ARNs and qualifiers: parsed, checked and written as Lambda does.

Pure. Accepts a name, a partial ARN (`ACCOUNT:function:NAME`) and a full ARN, each with or without a
qualifier. Refuses ARNs of another region with AWS's text.
"""

import re
from dataclasses import dataclass

from understudy.engine.functions import errors
from understudy.engine.functions.model import LATEST, FunctionId

_ANY_FORM = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((?P<region>[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}):)?"
    r"((?P<account>\d{12}):)?(function:)?(?P<name>[a-zA-Z0-9-_.]+)(:(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
_ALIAS = re.compile(r"(?![0-9]+$)[a-zA-Z0-9-_]+")
_QUALIFIER = re.compile(r"[a-zA-Z0-9$_-]+")
_NAME_LENGTH = 64
_REFERENCE_LENGTH = 140
_QUALIFIER_LENGTH = 128

NAME_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"
    r"(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
ALIAS_PATTERN = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
QUALIFIER_PATTERN = "(|[a-zA-Z0-9$_-]+)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A function and, if the caller gave one, a version or alias of it."""

    id: FunctionId
    qualifier: str | None = None

    @property
    def arn(self) -> str:
        """The ARN as the caller meant it, with the qualifier when there was one."""
        return arn(self.id, self.qualifier)


def arn(function: FunctionId, qualifier: str | None = None) -> str:
    """The ARN of a function, or of a version or alias of it."""
    base = f"arn:aws:lambda:{function.region}:{function.account_id}:function:{function.name}"
    return f"{base}:{qualifier}" if qualifier else base


def parse(reference: str, qualifier: str | None, *, account_id: str, region: str) -> Target:
    """What `reference` and `qualifier` name, seen from the caller's account and region.

    Raises:
        ApiError: the name does not fit, belongs to another region or account, or contradicts itself.
    """
    match = _ANY_FORM.fullmatch(reference)
    if match is None:
        raise errors.validation(
            "functionName", reference, f"Member must satisfy regular expression pattern: {NAME_PATTERN}"
        )
    if len(reference) > _REFERENCE_LENGTH:
        raise errors.validation(
            "functionName", reference, f"Member must have length less than or equal to {_REFERENCE_LENGTH}"
        )
    _check_place(match["region"], match["account"], account_id, region)
    if qualifier:
        check_qualifier(qualifier)
    own = match["qualifier"]
    if qualifier and own and own != qualifier:
        raise errors.invalid_parameter(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    function = FunctionId(account_id=account_id, region=region, name=match["name"])
    return Target(id=function, qualifier=qualifier or own)


def parse_new(reference: str, *, account_id: str, region: str) -> FunctionId:
    """The identity of a function about to be created.

    Raises:
        ApiError: the name does not fit, is too long, or carries a qualifier.
    """
    target = parse(reference, None, account_id=account_id, region=region)
    name = target.id.name
    if target.qualifier is not None or "." in name:
        raise errors.validation(
            "functionName", reference, f"Member must satisfy regular expression pattern: {NAME_PATTERN}"
        )
    if len(name) > _NAME_LENGTH:
        raise errors.invalid_parameter(
            errors.validation_text(
                "functionName", name, f"Member must have length less than or equal to {_NAME_LENGTH}"
            )
        )
    return target.id


def check_qualifier(qualifier: str) -> None:
    """Passes when `qualifier` could name a version or alias.

    Raises:
        ApiError: it could not.
    """
    if len(qualifier) > _QUALIFIER_LENGTH:
        raise errors.validation(
            "qualifier", qualifier, f"Member must have length less than or equal to {_QUALIFIER_LENGTH}"
        )
    if _QUALIFIER.fullmatch(qualifier) is None:
        raise errors.validation(
            "qualifier", qualifier, f"Member must satisfy regular expression pattern: {QUALIFIER_PATTERN}"
        )


def check_alias(name: str) -> None:
    """Passes when `name` may name an alias.

    Raises:
        ApiError: it may not.
    """
    if not is_alias(name):
        raise errors.validation(
            "name", name, f"Member must satisfy regular expression pattern: {ALIAS_PATTERN}"
        )


def is_alias(qualifier: str) -> bool:
    """Whether `qualifier` reads as an alias."""
    return _ALIAS.fullmatch(qualifier) is not None


def is_version(qualifier: str) -> bool:
    """Whether `qualifier` reads as a published version."""
    return qualifier.isascii() and qualifier.isdigit()


def is_latest(qualifier: str | None) -> bool:
    """Whether `qualifier` means the unpublished version."""
    return qualifier is None or qualifier == LATEST


def _check_place(region_given: str | None, account_given: str | None, account_id: str, region: str) -> None:
    if region_given and region_given != region:
        raise errors.not_found(
            f"Functions from '{region_given}' are not reachable in this region ('{region}')"
        )
    if account_given and account_given != account_id:
        raise errors.access_denied()
