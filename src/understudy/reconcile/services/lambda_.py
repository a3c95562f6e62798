"""Functions of Lambda, deployed as container images."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import clock, convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import AwsError
from understudy.reconcile.manager import ResourceManager, same_key, text, touched
from understudy.reconcile.model import Change, ObservedResource
from understudy.reconcile.services import lambda_settings

LATEST = "$LATEST"

# What UpdateFunctionConfiguration takes; code, tags and concurrency have operations of their own.
_CONFIGURATION = (
    "deadLetterConfig",
    "description",
    "durableConfig",
    "environment",
    "ephemeralStorage",
    "fileSystemConfigs",
    "imageConfig",
    "kmsKeyARN",
    "loggingConfig",
    "memorySize",
    "role",
    "snapStart",
    "timeout",
    "tracingConfig",
    "vpcConfig",
)
# What takes a setting away; Lambda leaves alone what an update does not mention.
_NOTHING: Mapping[str, Any] = {
    "deadLetterConfig": {"TargetArn": ""},
    "environment": {"Variables": {}},
    "fileSystemConfigs": [],
    "imageConfig": {},
    "kmsKeyARN": "",
    "vpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
_BUDGET_S = 900.0  # publishing with SnapStart takes minutes
_OF_ZIP = "an image brings its own: it is for functions that are ZIP archives"
PUBLISHED = frozenset([*_CONFIGURATION, "architectures", "code"])
"""Fields that a published version freezes."""


class FunctionManager(ResourceManager):
    """Kind Function, found by its name."""

    supported: ClassVar[frozenset[str]] = PUBLISHED | {
        "name",
        "packageType",
        "publish",
        "reservedConcurrentExecutions",
        "tags",
        "tenancyConfig",
        lambda_settings.EVENTS,
    }
    refused: ClassVar[Mapping[str, str]] = {
        "codeSigningConfigARN": "Lambda verifies signatures of ZIP archives only",
        "handler": _OF_ZIP,
        "layers": _OF_ZIP,
        "runtime": _OF_ZIP,
    }
    immutable: ClassVar[frozenset[str]] = frozenset({"packageType", "tenancyConfig"})
    defaults: ClassVar[JsonMap] = {
        "reservedConcurrentExecutions": None,
        lambda_settings.EVENTS: None,
        **dict.fromkeys(_NOTHING),
    }

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The function as `$LATEST`, with its tags and reserved concurrency."""
        answer = aws.find(aws.lambda_().get_function, FunctionName=text(desired.spec, "name"))
        if answer is None:
            return None
        configuration: dict[str, Any] = dict(answer["Configuration"])
        image_config = configuration.get("ImageConfigResponse", {}).get("ImageConfig")
        if image_config:
            configuration["ImageConfig"] = image_config
        configuration.pop("Layers", None)
        spec = convert.spec("Function", configuration)
        spec["code"] = {"imageURI": _image_uri(answer.get("Code", {}), desired.spec)}
        spec["tags"] = dict(answer.get("Tags", {}))
        concurrency = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        spec["reservedConcurrentExecutions"] = concurrency
        spec["publish"] = desired.spec.get("publish")
        spec["kmsKeyARN"] = same_key(desired.spec.get("kmsKeyARN"), spec.get("kmsKeyARN"))
        where = {"FunctionName": text(desired.spec, "name")}
        spec[lambda_settings.EVENTS] = lambda_settings.observe_events(aws, where, desired.spec)
        return ObservedResource(
            key=desired.key,
            spec=spec,
            status=_status(configuration),
            ready=_settled(configuration),
            reason=_reason(configuration),
        )

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the function and waits until it can be invoked."""
        spec = desired.spec
        _image(desired)
        aws.call(aws.lambda_().create_function, **convert.create_params("Function", spec))
        self.settle(aws, desired)
        if "reservedConcurrentExecutions" in spec:
            self._concurrency(aws, spec)
        if lambda_settings.EVENTS in spec:
            lambda_settings.write_events(aws, {"FunctionName": text(spec, "name")}, spec)

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes configuration, then code, waiting after each: Lambda refuses both at once."""
        fields, name, spec = touched(changes), text(desired.spec, "name"), desired.spec
        revision = _revision(settled(aws, name), observed)
        configuration = [field for field in _CONFIGURATION if field in fields]
        if configuration:
            params = convert.params("Function", spec, configuration)
            gone = [field for field in configuration if field not in spec]
            params.update({convert.member("Function", field): _NOTHING[field] for field in gone})
            with unchanged(name):
                aws.call(aws.lambda_().update_function_configuration, FunctionName=name, **params, **revision)
            revision = _revision(settled(aws, name), observed)
        if fields & {"code", "architectures"}:
            params = convert.params("Function", spec, ["architectures"])
            with unchanged(name):
                aws.call(
                    aws.lambda_().update_function_code,
                    FunctionName=name,
                    ImageUri=_image(desired),
                    **params,
                    **revision,
                )
            self.settle(aws, desired)
        if "reservedConcurrentExecutions" in fields:
            self._concurrency(aws, spec)
        if lambda_settings.EVENTS in fields:
            lambda_settings.write_events(aws, {"FunctionName": name}, spec)
        if "tags" in fields:
            self._tags(aws, observed, spec.get("tags"))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the function with its versions and aliases."""
        aws.find(aws.lambda_().delete_function, FunctionName=text(observed.spec, "name"))

    def settle(self, aws: Aws, desired: DesiredResource) -> None:
        """Waits until the function can be invoked and changed."""
        settled(aws, text(desired.spec, "name"))

    @staticmethod
    def _concurrency(aws: Aws, spec: JsonMap) -> None:
        name, value = text(spec, "name"), spec.get("reservedConcurrentExecutions")
        if value is None:
            aws.find(aws.lambda_().delete_function_concurrency, FunctionName=name)
        else:
            aws.call(
                aws.lambda_().put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=value
            )

    @staticmethod
    def _tags(aws: Aws, observed: ObservedResource, wanted: Json) -> None:
        arn = observed.status["arn"]
        delta = tags.delta(wanted, observed.spec.get("tags"))
        if delta.put:
            aws.call(aws.lambda_().tag_resource, Resource=arn, Tags=dict(delta.put))
        if delta.remove:
            aws.call(aws.lambda_().untag_resource, Resource=arn, TagKeys=list(delta.remove))


@contextmanager
def unchanged(name: str) -> Iterator[None]:
    """Runs a write that AWS refuses when the function is another than the one that was looked at.

    Raises:
        UnderstudyError: it is; nothing was written.
    """
    try:
        yield
    except AwsError as exc:
        if exc.aws_code != "PreconditionFailedException":
            raise
        raise changed(name) from exc


def changed(name: str) -> UnderstudyError:
    """The error for a function, or an alias of it, that is another than the plan was made for."""
    return UnderstudyError(
        "function-changed",
        f"function {name} was changed by somebody else meanwhile",
        hint="run the same command again",
        retryable=True,
    )


def _revision(latest: Mapping[str, Any], observed: ObservedResource) -> dict[str, Any]:
    """The guard of the next write; the code must still be what the plan was made for.

    The revision alone would not do: a function that wakes or falls asleep gets a new one.
    """
    if latest.get("CodeSha256", "") != observed.status.get("codeSHA256", ""):
        raise changed(str(observed.spec["name"]))
    return {"RevisionId": latest["RevisionId"]} if latest.get("RevisionId") else {}


def settled(aws: Aws, name: str, qualifier: str | None = None) -> Mapping[str, Any]:
    """The configuration of a function or version, once its state stands still.

    Raises:
        UnderstudyError: the function failed, with Lambda's reason.
    """
    which = {"Qualifier": qualifier} if qualifier else {}

    def probe() -> Mapping[str, Any] | None:
        found: Mapping[str, Any] = aws.call(
            aws.lambda_().get_function_configuration, FunctionName=name, **which
        )
        return found if _settled(found) or _failed(found) else None

    what = f"function {name} settling"
    found = clock.until(probe, what=what, clock=aws.clock, budget_s=_BUDGET_S)
    if _failed(found):
        code = found.get("StateReasonCode") or found.get("LastUpdateStatusReasonCode") or "unknown"
        raise UnderstudyError(
            "function-failed",
            f"function {name} failed: {code}: {_reason(found)}",
            hint="correct what the reason names, then run the same command again",
        )
    return found


def _settled(configuration: Mapping[str, Any]) -> bool:
    """Whether it can be used; an answer without states is of an emulator that has none."""
    state = configuration.get("State", "Active")
    update = configuration.get("LastUpdateStatus", "Successful")
    return state in ("Active", "Inactive") and update == "Successful"


def _failed(configuration: Mapping[str, Any]) -> bool:
    return configuration.get("State") == "Failed" or configuration.get("LastUpdateStatus") == "Failed"


def _reason(configuration: Mapping[str, Any]) -> str:
    reason = configuration.get("StateReason") or configuration.get("LastUpdateStatusReason")
    return str(reason) if reason else ""


def _status(configuration: Mapping[str, Any]) -> dict[str, str]:
    names = {
        "arn": "FunctionArn",
        "codeSHA256": "CodeSha256",
        "revisionID": "RevisionId",
        "state": "State",
        "lastUpdateStatus": "LastUpdateStatus",
        "lastModified": "LastModified",
    }
    return {name: str(configuration[member]) for name, member in names.items() if configuration.get(member)}


def _image_uri(code: Mapping[str, Any], desired: JsonMap) -> str | None:
    """The image as the manifest writes it when it is the same digest, else what AWS resolved it to."""
    wanted = desired.get("code")
    uri = wanted.get("imageURI") if isinstance(wanted, Mapping) else None
    return (
        code.get("ImageUri")
        if code.get("ImageUri") == uri
        else code.get("ResolvedImageUri") or code.get("ImageUri")
    )


def _image(desired: DesiredResource) -> str:
    code = desired.spec.get("code")
    uri = code.get("imageURI") if isinstance(code, Mapping) else None
    if not isinstance(uri, str):
        raise UnderstudyError(
            "function-code",
            f"{desired.key} has no code.imageURI; only container images are applied",
            hint="write code.imageURI: ${image.NAME}",
            where=desired.where,
        )
    return uri
