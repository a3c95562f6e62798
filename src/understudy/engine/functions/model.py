"""Functions, versions and aliases as immutable records.

Pure: no clock, no I/O. A change makes a new record; `table` keeps the current one. Field names follow
Lambda's API; everything that a user can set and that a published version freezes is in `Settings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

LATEST = "$LATEST"

State = Literal["Pending", "Active", "Inactive", "Failed"]
UpdateStatus = Literal["Successful", "Failed", "InProgress"]

CREATING_CODE = "Creating"
CREATING_REASON = "The function is being created."


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionId:
    """Where a function lives; Lambda keeps one name space per account and region."""

    account_id: str
    region: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOverrides:
    """The `ImageConfig` of a function; None leaves the image's own value."""

    entry_point: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    working_directory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """The `LoggingConfig` of a function."""

    group: str
    log_format: str = "Text"
    application_level: str | None = None
    system_level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user configures; frozen into every published version.

    Attributes:
        environment: None when the function never had an `Environment`.
        vpc: stored and reported as given; this machine has no VPC to join.
        kms_key_arn: stored; nothing is encrypted with it here.
    """

    role: str
    logging: Logging
    description: str = ""
    timeout_s: int = 3
    memory_mb: int = 128
    ephemeral_mb: int = 512
    environment: Mapping[str, str] | None = None
    image: ImageOverrides | None = None
    tracing_mode: str = "PassThrough"
    dead_letter_arn: str | None = None
    kms_key_arn: str | None = None
    vpc: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The image of a version.

    Attributes:
        image_uri: as the user gave it.
        resolved_uri: the same repository with the digest that the tag stood for.
        digest: of the image manifest.
    """

    image_uri: str
    resolved_uri: str
    digest: str
    architecture: str = "x86_64"

    @property
    def sha256(self) -> str:
        """`CodeSha256` of an image function: the digest's hex."""
        return self.digest.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """`$LATEST` or a published version.

    Attributes:
        content_id: changes with code and settings; equal ids mean that nothing is left to publish.
        last_modified: as Lambda renders it.
    """

    number: str
    code: Code
    settings: Settings
    content_id: str
    revision_id: str
    last_modified: str
    state: State = "Pending"
    state_reason_code: str | None = CREATING_CODE
    state_reason: str | None = CREATING_REASON
    update_status: UpdateStatus | None = None
    update_reason_code: str | None = None
    update_reason: str | None = None

    def activated(self, revision_id: str) -> "Version":
        """The version after its image was prepared."""
        return replace(
            self,
            revision_id=revision_id,
            state="Active",
            state_reason=None,
            state_reason_code=None,
            update_status="Successful",
            update_reason=None,
            update_reason_code=None,
        )

    def updating(self, revision_id: str, last_modified: str, content_id: str) -> "Version":
        """The version while a change to it is being prepared."""
        return replace(
            self,
            revision_id=revision_id,
            last_modified=last_modified,
            content_id=content_id,
            update_status="InProgress",
            update_reason_code=CREATING_CODE,
            update_reason=CREATING_REASON,
        )

    def failed(self, revision_id: str, code: str, reason: str) -> "Version":
        """The version after its image could not be prepared; an update leaves the state as it was."""
        changed = replace(self, revision_id=revision_id, update_status="Failed")
        changed = replace(changed, update_reason_code=code, update_reason=reason)
        if self.state == "Active":
            return changed
        return replace(changed, state="Failed", state_reason_code=code, state_reason=reason)

    @property
    def in_transition(self) -> bool:
        """Whether preparation is under way, or was when the engine died."""
        return self.state == "Pending" or self.update_status == "InProgress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for a version, with a share of the traffic sent elsewhere.

    Attributes:
        weights: `AdditionalVersionWeights`, at most one entry.
    """

    name: str
    version: str
    description: str
    revision_id: str
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """How asynchronous invocations of one qualifier are retried; None means Lambda's default."""

    qualifier: str
    last_modified: str
    maximum_age_s: int | None = None
    maximum_retries: int | None = None
    on_success: str | None = None
    on_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrl:
    """The HTTP endpoint of one qualifier.

    Attributes:
        qualifier: an alias, or `$LATEST` for the function itself.
        url_id: first label of its host name, for as long as it exists.
        auth_type: ``NONE`` or ``AWS_IAM``.
        invoke_mode: ``BUFFERED`` or ``RESPONSE_STREAM``.
        cors: botocore's ``Cors`` structure; None when the function answers for itself.
        created: epoch seconds.
        modified: epoch seconds.
    """

    qualifier: str
    url_id: str
    auth_type: str
    invoke_mode: str
    created: float
    modified: float
    cors: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConfig:
    """How many environments a version or alias keeps ready."""

    qualifier: str
    count: int
    last_modified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function with everything that hangs on it.

    Attributes:
        versions: by number, `$LATEST` first, then in the order of publishing.
        serving: the `$LATEST` that answers requests; the previous one while an update is in progress or
            after it failed. None before the first activation.
        policies: statements by qualifier.
        urls: by qualifier.
        reserved: reserved concurrency; None when unreserved.
    """

    id: FunctionId
    versions: Mapping[str, Version]
    serving: Version | None = None
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    next_version: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)
    reserved: int | None = None
    policies: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    event_configs: Mapping[str, EventInvokeConfig] = field(default_factory=dict)
    provisioned: Mapping[str, ProvisionedConfig] = field(default_factory=dict)
    urls: Mapping[str, FunctionUrl] = field(default_factory=dict)

    @property
    def latest(self) -> Version:
        """The unpublished version."""
        return self.versions[LATEST]

    def with_version(self, version: Version) -> "Function":
        """The function with `version` added or replaced."""
        return replace(self, versions={**self.versions, version.number: version})

    def with_alias(self, alias: Alias) -> "Function":
        """The function with `alias` added or replaced."""
        return replace(self, aliases={**self.aliases, alias.name: alias})

    def without(self, qualifier: str) -> "Function":
        """The function without one version or alias and what was attached to it."""
        return replace(
            self,
            versions=_without(self.versions, qualifier),
            aliases=_without(self.aliases, qualifier),
            policies=_without(self.policies, qualifier),
            event_configs=_without(self.event_configs, qualifier),
            provisioned=_without(self.provisioned, qualifier),
            urls=_without(self.urls, qualifier),
        )

    @property
    def claimed(self) -> int:
        """How much of the account's concurrency this function holds for itself."""
        provisioned = sum(config.count for config in self.provisioned.values())
        return provisioned if self.reserved is None else self.reserved

    def version_number(self, qualifier: str) -> str:
        """The version that `qualifier` names, an alias followed; its share of traffic left aside."""
        alias = self.aliases.get(qualifier)
        return alias.version if alias else qualifier

    def provisioned_count(self, number: str) -> int:
        """How many environments version `number` keeps ready, for itself and for its aliases."""
        return sum(
            config.count
            for config in self.provisioned.values()
            if self.version_number(config.qualifier) == number
        )

    def serving_version(self, number: str) -> Version | None:
        """The record that answers requests to version `number`; None when it does not exist."""
        if number == LATEST:
            return self.serving or self.latest
        return self.versions.get(number)


def _without(items: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in items.items() if name != key}
