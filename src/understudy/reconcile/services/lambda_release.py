"""What serves a function to callers: versions and aliases."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import AwsError
from understudy.reconcile.manager import ResourceManager, items, text, touched
from understudy.reconcile.model import Change, ObservedResource
from understudy.reconcile.services import lambda_, lambda_settings

# What makes two versions the same release: everything that a version freezes, but for its description.
_FACTS = (
    "Architectures",
    "CodeSha256",
    "DeadLetterConfig",
    "DurableConfig",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "ImageConfigResponse",
    "KMSKeyArn",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
)
_SETTINGS = frozenset([lambda_settings.EVENTS, lambda_settings.PROVISIONED])
_CONDITIONS: Mapping[str, str] = {
    "aws:sourcearn": "sourceARN",
    "aws:sourceaccount": "sourceAccount",
    "aws:principalorgid": "principalOrgID",
    "lambda:eventsourcetoken": "eventSourceToken",
    "lambda:functionurlauthtype": "functionURLAuthType",
}


class VersionManager(ResourceManager):
    """Kind Version. One that follows its function is the newest version equal to `$LATEST`."""

    immutable: ClassVar[frozenset[str]] = frozenset(
        ["codeSHA256", "description", "functionName", "revisionID"]
    )
    supported: ClassVar[frozenset[str]] = immutable | _SETTINGS
    defaults: ClassVar[JsonMap] = dict.fromkeys(_SETTINGS)

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The version that the document stands for, or None when it is to be published."""
        name = text(desired.spec, "functionName")
        pages = aws.lambda_().get_paginator("list_versions_by_function").paginate(FunctionName=name)
        try:
            listed: list[Mapping[str, Any]] = [item for page in aws.pages(pages) for item in page["Versions"]]
        except AwsError as exc:
            if exc.aws_code == "ResourceNotFoundException":
                return None
            raise
        published = [item for item in listed if item["Version"] != lambda_.LATEST]
        # Not the `$LATEST` of the list: a list that lags would agree with itself.
        answer = aws.find(aws.lambda_().get_function, FunctionName=name) if desired.auto_publish else None
        latest: Mapping[str, Any] = dict(answer["Configuration"]) if answer else {}
        matching = [item for item in published if _matches(item, latest, desired)]
        if not matching:
            return None
        found = max(matching, key=lambda item: int(item["Version"]))
        settings = lambda_settings.observe(aws, _where(desired.spec, found["Version"]), desired.spec)
        return ObservedResource(
            key=desired.key,
            spec={**desired.spec, **settings},
            status={
                "version": found["Version"],
                "arn": found["FunctionArn"],
                "codeSHA256": found["CodeSha256"],
            },
        )

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Publishes `$LATEST` as it stands now, and waits until the version can be invoked."""
        spec = desired.spec
        version = publish(aws, text(spec, "functionName"), convert.create_params("Version", spec))
        lambda_settings.write(aws, _where(spec, version), spec, _SETTINGS & spec.keys())
        return {"version": version}

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what hangs on the version; the version itself never changes."""
        where = _where(desired.spec, observed.status["version"])
        lambda_settings.write(aws, where, desired.spec, touched(changes))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the version, and first what keeps it warm."""
        _cool(aws, _where(observed.spec, observed.status["version"]), observed)
        aws.find(
            aws.lambda_().delete_function,
            FunctionName=text(observed.spec, "functionName"),
            Qualifier=observed.status["version"],
        )


def _where(spec: JsonMap, qualifier: str) -> dict[str, str]:
    return {"FunctionName": text(spec, "functionName"), "Qualifier": qualifier}


def _cool(aws: Aws, where: Mapping[str, str], observed: ObservedResource) -> None:
    """Ends provisioned concurrency, which outlives its alias and keeps its version from being deleted."""
    if observed.spec.get(lambda_settings.PROVISIONED):
        lambda_settings.write(aws, where, {}, frozenset({lambda_settings.PROVISIONED}))


def publish(aws: Aws, name: str, params: Mapping[str, Any]) -> str:
    """The number of the version that holds the function as it stands now.

    Raises:
        UnderstudyError: the function changed meanwhile; what was checked is not what would be published.
    """
    latest = lambda_.settled(aws, name)
    guards = {name: latest.get(name) for name in ("CodeSha256", "RevisionId")}
    given = {**{key: value for key, value in guards.items() if value}, **params, "FunctionName": name}
    with lambda_.unchanged(name):
        version = aws.call(aws.lambda_().publish_version, **given)["Version"]
    lambda_.settled(aws, name, version)
    return version


def same_release(version: Mapping[str, Any], latest: Mapping[str, Any]) -> bool:
    """Whether a version holds the same code and configuration as `$LATEST`."""
    return all(_fact(version, name) == _fact(latest, name) for name in _FACTS)


def _fact(configuration: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - compared, never used
    value = configuration.get(name)
    if name == "SnapStart":
        # OptimizationStatus is Off on `$LATEST`, whatever is asked for.
        return (value or {}).get("ApplyOn", "None")
    return value or None


def _matches(item: Mapping[str, Any], latest: Mapping[str, Any], desired: DesiredResource) -> bool:
    if desired.auto_publish:
        return same_release(item, latest)
    digest, description = text(desired.spec, "codeSHA256"), text(desired.spec, "description")
    return digest in ("", item["CodeSha256"]) and description in ("", item.get("Description"))


class AliasManager(ResourceManager):
    """Kind Alias, found by its name; its list of permissions is authoritative, as in ACK."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "description",
            "functionName",
            "functionVersion",
            "name",
            "permissions",
            "routingConfig",
            *_SETTINGS,
        ]
    )
    immutable: ClassVar[frozenset[str]] = frozenset({"name", "functionName"})
    # Weights that the manifest does not name are those of a canary that was cut short: they go away.
    defaults: ClassVar[JsonMap] = {
        "permissions": [],
        "routingConfig": {"additionalVersionWeights": {}},
        **dict.fromkeys(_SETTINGS),
    }

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The alias with its permissions."""
        function, name = text(desired.spec, "functionName"), text(desired.spec, "name")
        answer = aws.find(aws.lambda_().get_alias, FunctionName=function, Name=name)
        if answer is None:
            return None
        spec = convert.spec("Alias", answer)
        spec["functionName"] = function
        spec.update(lambda_settings.observe(aws, _where(desired.spec, name), desired.spec))
        policy = aws.find(aws.lambda_().get_policy, FunctionName=function, Qualifier=name)
        statements = json.loads(policy["Policy"])["Statement"] if policy else []
        wanted = {text(item, "statementID"): item for item in items(desired.spec.get("permissions"))}
        spec["permissions"] = [_permission(item, wanted.get(item["Sid"], {})) for item in statements]
        return ObservedResource(
            key=desired.key,
            spec=spec,
            status={"arn": answer["AliasArn"], "functionVersion": answer["FunctionVersion"]},
        )

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the alias, then what hangs on it."""
        spec = desired.spec
        aws.call(aws.lambda_().create_alias, **convert.create_params("Alias", spec))
        self._permissions(aws, spec, {})
        lambda_settings.write(aws, _where(spec, text(spec, "name")), spec, _SETTINGS & spec.keys())

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Grants first, then moves the alias, so that no caller of the new version is refused."""
        fields = touched(changes)
        if "permissions" in fields:
            self._permissions(aws, desired.spec, observed.spec)
        moved = fields & {"description", "functionVersion", "routingConfig"}
        if moved:
            params = convert.params("Alias", desired.spec, moved)
            function, name = text(desired.spec, "functionName"), text(desired.spec, "name")
            self._move(aws, (function, name), params, observed)
        where = _where(desired.spec, text(desired.spec, "name"))
        lambda_settings.write(aws, where, desired.spec, fields)

    @staticmethod
    def _move(
        aws: Aws, which: tuple[str, str], params: Mapping[str, Any], observed: ObservedResource
    ) -> None:
        """Writes the alias, unless it points elsewhere than it did when that was decided."""
        function, name = which
        now = aws.call(aws.lambda_().get_alias, FunctionName=function, Name=name)
        if now["FunctionVersion"] != observed.spec.get("functionVersion"):
            raise lambda_.changed(function)
        guard = {"RevisionId": now["RevisionId"]} if now.get("RevisionId") else {}
        with lambda_.unchanged(function):
            aws.call(aws.lambda_().update_alias, FunctionName=function, Name=name, **params, **guard)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the alias, and first what keeps it warm; its permissions go with it."""
        function, name = text(observed.spec, "functionName"), text(observed.spec, "name")
        _cool(aws, _where(observed.spec, name), observed)
        aws.find(aws.lambda_().delete_alias, FunctionName=function, Name=name)

    @staticmethod
    def _permissions(aws: Aws, spec: JsonMap, observed: JsonMap) -> None:
        client = aws.lambda_()
        where = {"FunctionName": text(spec, "functionName"), "Qualifier": text(spec, "name")}
        wanted = {text(item, "statementID"): item for item in items(spec.get("permissions"))}
        have = {text(item, "statementID"): item for item in items(observed.get("permissions"))}
        for statement, item in have.items():
            if wanted.get(statement) != item:
                aws.find(client.remove_permission, **where, StatementId=statement)
        for statement, item in wanted.items():
            if have.get(statement) != item:
                granted = {key: value for key, value in item.items() if key != "revisionID"}
                params = convert.value("Alias", "permissions", [granted])[0]
                aws.call(client.add_permission, **where, **params)


def _permission(statement: Mapping[str, Any], wanted: JsonMap) -> dict[str, Json]:
    """A statement of a resource policy in ACK's words; what ACK ignores is taken from the manifest."""
    found: dict[str, Json] = {
        "statementID": statement["Sid"],
        "action": statement["Action"],
        "principal": _principal(statement["Principal"], text(wanted, "principal")),
    }
    for conditions in statement.get("Condition", {}).values():
        for key, value in conditions.items():
            name = _CONDITIONS.get(key.lower())
            if name:
                found[name] = value
    if "revisionID" in wanted:
        found["revisionID"] = wanted["revisionID"]
    return found


def _principal(principal: Any, wanted: str) -> str:  # noqa: ANN401 - text or a map, as IAM writes it
    if isinstance(principal, str):
        return principal
    value = str(next(iter(principal.values())))
    account = value.split(":")[4] if value.startswith("arn:") and value.endswith(":root") else value
    return account if wanted == account else value
