"""Versions of a function that are published to start cold once, and deleted; no alias ever leads to one.

Each is `$LATEST` with one more environment variable: a version is published only when something changed
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html), and one that is new has no warm
environment. The variable and the description mark what is ours, so nothing has to be remembered to put it
back: what a killed process leaves is found by the next `clear`. Refuses a function whose variables it may not
read, for it could not put them back.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from understudy.errors import UnderstudyError
from understudy.reconcile.aws import Aws
from understudy.reconcile.services import lambda_, lambda_release

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import FunctionConfigurationTypeDef

VARIABLE = "UNDERSTUDY_COLD_START"
DESCRIPTION = "understudy coldstart: to be deleted"

_ATTEMPTS = 4  # reads lag behind writes, and a write after such a read is refused


class ScratchVersions:
    """The scratch versions of one function; made by `held`."""

    def __init__(self, aws: Aws, function: str, code_sha256: str) -> None:
        self._aws = aws
        self._function = function
        self._code_sha256 = code_sha256
        self.published: list[str] = []

    def publish(self, nonce: str) -> str:
        """The number of a new version that can be invoked and has never run.

        Raises:
            UnderstudyError: the function was changed by somebody else meanwhile.
        """
        latest = lambda_.settled(self._aws, self._function)
        _configure(self._aws, latest, {**_variables(latest), VARIABLE: nonce})
        params = {"Description": DESCRIPTION, "CodeSha256": self._code_sha256}
        version = lambda_release.publish(self._aws, self._function, params)
        self.published.append(version)
        return version


@contextmanager
def held(aws: Aws, function: str, code_sha256: str) -> Iterator[ScratchVersions]:
    """Publishes within the block, and leaves the function as it was however the block ends.

    Args:
        aws: where.
        function: AWS name of the function.
        code_sha256: as `$LATEST` has it; a version of other code is not published.

    Raises:
        UnderstudyError: the function cannot be read or put back; `clear` does so later.
    """
    clear(aws, function)
    scratch = ScratchVersions(aws, function, code_sha256)
    try:
        yield scratch
    finally:
        clear(aws, function, scratch.published)


def clear(aws: Aws, function: str, published: Iterable[str] = ()) -> None:
    """Takes the variable out of `$LATEST` and deletes scratch versions, of this process and of others.

    Args:
        aws: where.
        function: AWS name of the function.
        published: versions to delete even where a list that lags does not name them.

    Raises:
        UnderstudyError: AWS refused; the hint is to run it again.
    """
    try:
        _put_back(aws, function)
    finally:
        listed = (one["Version"] for one in marked(aws, function))
        for version in dict.fromkeys([*published, *listed]):
            aws.find(aws.lambda_().delete_function, FunctionName=function, Qualifier=version)


def marked(aws: Aws, function: str) -> "list[FunctionConfigurationTypeDef]":
    """The scratch versions of a function, of whatever process, the newest first.

    Args:
        aws: where.
        function: AWS name of the function.

    Raises:
        UnderstudyError: AWS refused to list them.
    """
    pages = aws.lambda_().get_paginator("list_versions_by_function").paginate(FunctionName=function)
    found = [
        one
        for page in aws.pages(pages)
        for one in page["Versions"]
        if one.get("Description") == DESCRIPTION and one["Version"] != lambda_.LATEST
    ]
    return sorted(found, key=lambda one: -int(one["Version"]))


def _put_back(aws: Aws, function: str) -> None:
    for attempt in range(_ATTEMPTS):
        latest = lambda_.settled(aws, function)
        variables = dict(_variables(latest))
        if variables.pop(VARIABLE, None) is None:
            return
        try:
            _configure(aws, latest, variables)
        except UnderstudyError as error:
            if error.code != "function-changed" or attempt == _ATTEMPTS - 1:
                raise
            continue
        lambda_.settled(aws, function)
        return


def _configure(aws: Aws, latest: Mapping[str, Any], variables: Mapping[str, str]) -> None:
    """Writes the variables of `$LATEST`, unless it is another than was read."""
    function = str(latest["FunctionName"])
    guard = {"RevisionId": latest["RevisionId"]} if latest.get("RevisionId") else {}
    with lambda_.unchanged(function):
        aws.call(
            aws.lambda_().update_function_configuration,
            FunctionName=function,
            Environment={"Variables": dict(variables)},
            **guard,
        )


def _variables(latest: Mapping[str, Any]) -> Mapping[str, str]:
    environment = latest.get("Environment") or {}
    if environment.get("Error"):
        raise UnderstudyError(
            "environment-unreadable",
            f"the environment variables of {latest['FunctionName']} cannot be read: "
            f"{environment['Error'].get('Message', '')}",
            hint="allow kms:Decrypt with the function's key, or measure in the sandbox: --sandbox",
        )
    variables: Mapping[str, str] = environment.get("Variables") or {}
    return variables
