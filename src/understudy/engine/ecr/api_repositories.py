"""ECR operations on repositories and their settings, policies and tags."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from understudy.engine.ecr import errors, lifecycle, pages
from understudy.engine.ecr.lifecycle import Expiry
from understudy.engine.ecr.model import (
    ExclusionFilter,
    Registry,
    Repository,
    TagMutability,
    parse_repository_arn,
)
from understudy.engine.ecr.repositories import Repositories
from understudy.engine.protocol import ApiError, Call, Operation, Value

_TAGS_MAX = 50


def registry_of(call: Call) -> Registry:
    """Returns the registry that a call addresses: the caller's own unless ``registryId`` names another."""
    account = call.params.get("registryId") or call.account_id
    return Registry(account_id=account, region=call.region)


def timestamp(seconds: float) -> datetime:
    """Returns seconds since the epoch as the wire's timestamp."""
    return datetime.fromtimestamp(seconds, tz=UTC)


@dataclass(frozen=True, slots=True)
class RepositoryOperations:
    """Operations by name; `port` is where the engine listens, for the URIs it hands out."""

    repositories: Repositories
    port: int

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations of this part of the API."""
        return {
            "CreateRepository": self.create,
            "DescribeRepositories": self.describe,
            "DeleteRepository": self.delete,
            "PutImageScanningConfiguration": self.put_scanning,
            "BatchGetRepositoryScanningConfiguration": self.get_scanning,
            "PutImageTagMutability": self.put_mutability,
            "SetRepositoryPolicy": self.set_policy,
            "GetRepositoryPolicy": self.get_policy,
            "DeleteRepositoryPolicy": self.delete_policy,
            "PutLifecyclePolicy": self.put_lifecycle,
            "GetLifecyclePolicy": self.get_lifecycle,
            "DeleteLifecyclePolicy": self.delete_lifecycle,
            "StartLifecyclePolicyPreview": self.start_preview,
            "GetLifecyclePolicyPreview": self.get_preview,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
        }

    def _get(self, call: Call) -> Repository:
        return self.repositories.get(registry_of(call), call.params["repositoryName"])

    async def create(self, call: Call) -> dict[str, Any]:
        """CreateRepository."""
        params = call.params
        repository = Repository(
            registry=registry_of(call),
            name=params["repositoryName"],
            created_at=0,
            scan_on_push=_scan_flag(params),
            encryption=dict(params.get("encryptionConfiguration") or {"encryptionType": "AES256"}),
            tags=_merged({}, params.get("tags", [])),
        )
        return {"repository": self._render(self.repositories.create(_with_mutability(repository, params)))}

    async def describe(self, call: Call) -> dict[str, Any]:
        """DescribeRepositories."""
        registry, names = registry_of(call), call.params.get("repositoryNames")
        if names:
            found = [self.repositories.get(registry, name) for name in names]
            return {"repositories": [self._render(each) for each in found]}
        page = pages.page(self.repositories.all_of(registry), lambda each: each.name, call.params)
        return page.output("repositories", self._render)

    async def delete(self, call: Call) -> dict[str, Any]:
        """DeleteRepository."""
        repository = self._get(call)
        await self.repositories.delete(repository, force=bool(call.params.get("force")))
        return {"repository": self._render(repository)}

    async def put_scanning(self, call: Call) -> dict[str, Any]:
        """PutImageScanningConfiguration; the flag is kept, nothing here scans."""
        repository = self.repositories.update(replace(self._get(call), scan_on_push=_scan_flag(call.params)))
        return {**_name(repository), "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push}}

    async def get_scanning(self, call: Call) -> dict[str, Any]:
        """BatchGetRepositoryScanningConfiguration."""
        found, failures = [], []
        for name in call.params["repositoryNames"]:
            try:
                repository = self.repositories.get(registry_of(call), name)
            except ApiError as exc:
                reason = {"failureCode": "REPOSITORY_NOT_FOUND", "failureReason": exc.message}
                failures.append({"repositoryName": name, **reason})
                continue
            found.append(
                {
                    "repositoryArn": repository.arn,
                    "repositoryName": name,
                    "scanOnPush": repository.scan_on_push,
                    "scanFrequency": "SCAN_ON_PUSH" if repository.scan_on_push else "MANUAL",
                    "appliedScanFilters": [],
                }
            )
        return {"scanningConfigurations": found, "failures": failures}

    async def put_mutability(self, call: Call) -> dict[str, Any]:
        """PutImageTagMutability."""
        repository = self.repositories.update(_with_mutability(self._get(call), call.params))
        return {**_name(repository), **_mutability(repository)}

    async def set_policy(self, call: Call) -> dict[str, Any]:
        """SetRepositoryPolicy."""
        text = call.params["policyText"]
        _check_policy(text)
        repository = self.repositories.update(replace(self._get(call), policy=text))
        return {**_name(repository), "policyText": text}

    async def get_policy(self, call: Call) -> dict[str, Any]:
        """GetRepositoryPolicy."""
        repository = self._get(call)
        if repository.policy is None:
            raise errors.repository_policy_not_found(repository)
        return {**_name(repository), "policyText": repository.policy}

    async def delete_policy(self, call: Call) -> dict[str, Any]:
        """DeleteRepositoryPolicy."""
        answer = await self.get_policy(call)
        self.repositories.update(replace(self._get(call), policy=None))
        return answer

    async def put_lifecycle(self, call: Call) -> dict[str, Any]:
        """PutLifecyclePolicy; it runs at once, where AWS takes up to a day."""
        text = call.params["lifecyclePolicyText"]
        repository = self._get(call)
        lifecycle.parse(text)
        self.repositories.update(replace(repository, lifecycle_policy=text))
        await self.repositories.expire(repository)
        return {**_name(repository), "lifecyclePolicyText": text}

    async def get_lifecycle(self, call: Call) -> dict[str, Any]:
        """GetLifecyclePolicy."""
        repository = self._get(call)
        if repository.lifecycle_policy is None:
            raise errors.lifecycle_policy_not_found(repository)
        return {
            **_name(repository),
            "lifecyclePolicyText": repository.lifecycle_policy,
            "lastEvaluatedAt": timestamp(repository.lifecycle_evaluated_at),
        }

    async def delete_lifecycle(self, call: Call) -> dict[str, Any]:
        """DeleteLifecyclePolicy."""
        answer = await self.get_lifecycle(call)
        self.repositories.update(replace(self._get(call), lifecycle_policy=None))
        return answer

    async def start_preview(self, call: Call) -> dict[str, Any]:
        """StartLifecyclePolicyPreview, of the given text or the repository's own."""
        repository = self._get(call)
        text = call.params.get("lifecyclePolicyText") or repository.lifecycle_policy
        if text is None:
            raise errors.lifecycle_policy_not_found(repository)
        lifecycle.parse(text)
        self.repositories.tables.set_preview(repository, text)
        return {**_name(repository), "lifecyclePolicyText": text, "status": "IN_PROGRESS"}

    async def get_preview(self, call: Call) -> dict[str, Any]:
        """GetLifecyclePolicyPreview, against the images of this moment."""
        repository = self._get(call)
        text = self.repositories.tables.preview(repository)
        if text is None:
            raise errors.lifecycle_preview_not_found(repository)
        expiring = [
            each for each in self.repositories.preview(repository, text) if _is_asked_for(each, call.params)
        ]
        page = pages.page(expiring, lambda each: each.image.digest, call.params)
        return {
            **_name(repository),
            "lifecyclePolicyText": text,
            "status": "COMPLETE",
            **page.output("previewResults", _preview_result),
            "summary": {"expiringImageTotalCount": len(expiring)},
        }

    async def tag(self, call: Call) -> dict[str, Any]:
        """TagResource."""
        repository = self._by_arn(call)
        self.repositories.update(replace(repository, tags=_merged(repository.tags, call.params["tags"])))
        return {}

    async def untag(self, call: Call) -> dict[str, Any]:
        """UntagResource."""
        repository, gone = self._by_arn(call), set(call.params["tagKeys"])
        kept = {key: value for key, value in repository.tags.items() if key not in gone}
        self.repositories.update(replace(repository, tags=kept))
        return {}

    async def list_tags(self, call: Call) -> dict[str, Any]:
        """ListTagsForResource."""
        tags = self._by_arn(call).tags
        return {"tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}

    def _by_arn(self, call: Call) -> Repository:
        parsed = parse_repository_arn(call.params["resourceArn"])
        if parsed is None:
            raise errors.invalid_parameter("resourceArn", "Invalid ARN")
        return self.repositories.get(*parsed)

    def _render(self, repository: Repository) -> dict[str, Any]:
        return {
            "repositoryArn": repository.arn,
            **_name(repository),
            "repositoryUri": f"{repository.registry.host(self.port)}/{repository.name}",
            "createdAt": timestamp(repository.created_at),
            **_mutability(repository),
            "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
            "encryptionConfiguration": dict(repository.encryption),
        }


def _name(repository: Repository) -> dict[str, Any]:
    return {"registryId": repository.registry.account_id, "repositoryName": repository.name}


def _mutability(repository: Repository) -> dict[str, Any]:
    filters = [{"filterType": "WILDCARD", "filter": each.pattern} for each in repository.exclusions]
    extra = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    return {"imageTagMutability": repository.mutability, **extra}


def _with_mutability(repository: Repository, params: Mapping[str, Any]) -> Repository:
    mutability: TagMutability = params.get("imageTagMutability", "MUTABLE")
    filters = params.get("imageTagMutabilityExclusionFilters") or []
    if mutability.endswith("_WITH_EXCLUSION") != bool(filters):
        wanted = "can't be null" if not filters else "must be null"
        raise errors.invalid_parameter(
            "imageTagMutabilityExclusionFilters",
            f"ImageTagMutabilityExclusionFilters {wanted} when imageTagMutability is set as {mutability}",
        )
    exclusions = tuple(ExclusionFilter(pattern=each["filter"]) for each in filters)
    return replace(repository, mutability=mutability, exclusions=exclusions)


def _scan_flag(params: Mapping[str, Any]) -> bool:
    return bool((params.get("imageScanningConfiguration") or {}).get("scanOnPush"))


def _merged(tags: Mapping[str, str], added: list[Mapping[str, str]]) -> dict[str, str]:
    merged = dict(tags) | {each["Key"]: each["Value"] for each in added}
    if len(merged) > _TAGS_MAX:
        raise ApiError(
            "TooManyTagsException", f"The list of tags on the repository is over the limit of {_TAGS_MAX}"
        )
    return merged


def _check_policy(text: str) -> None:
    """Refuses what is no policy document at all; who may do what is not checked locally."""
    try:
        document: Value = json.loads(text)
    except ValueError:
        document = None
    statements = document.get("Statement") if isinstance(document, dict) else None
    listed = [statements] if isinstance(statements, dict) else statements
    if not isinstance(listed, list) or not listed or not all(_is_statement(each) for each in listed):
        raise errors.invalid_parameter("PolicyText", "Invalid repository policy provided")


def _is_statement(statement: Value) -> bool:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        return False
    has_principal = "Principal" in statement or "NotPrincipal" in statement
    return has_principal and ("Action" in statement or "NotAction" in statement)


def _is_asked_for(expiry: Expiry, params: Mapping[str, Any]) -> bool:
    status = (params.get("filter") or {}).get("tagStatus", "ANY")
    if status != "ANY" and (status == "TAGGED") != bool(expiry.image.tags):
        return False
    wanted = params.get("imageIds")
    return not wanted or any(
        each.get("imageDigest") == expiry.image.digest or each.get("imageTag") in expiry.image.tags
        for each in wanted
    )


def _preview_result(expiry: Expiry) -> dict[str, Any]:
    return {
        "imageTags": list(expiry.image.tags),
        "imageDigest": expiry.image.digest,
        "imagePushedAt": timestamp(expiry.image.pushed_at),
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": expiry.rule.priority,
        "storageClass": "STANDARD",
    }
