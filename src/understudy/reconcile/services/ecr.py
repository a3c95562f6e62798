"""Repositories of Elastic Container Registry."""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from understudy.manifests import ownership
from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import compare, convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, same_key, text, touched
from understudy.reconcile.model import Change, ObservedResource

LAMBDA_STATEMENT = "LambdaECRImageRetrievalPolicy"
"""Statement that Lambda itself adds to a repository's policy, so that functions can load their images."""


class RepositoryManager(ResourceManager):
    """Kind Repository, found by its name."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "encryptionConfiguration",
            "imageScanningConfiguration",
            "imageTagMutability",
            "imageTagMutabilityExclusionFilters",
            "lifecyclePolicy",
            "name",
            "policy",
            "tags",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {"registryID": "a repository is made in the target's own registry"}
    immutable: ClassVar[frozenset[str]] = frozenset({"encryptionConfiguration"})
    defaults: ClassVar[JsonMap] = {
        "lifecyclePolicy": None,
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
    }
    holds_data: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The repository with the policies and tags that the manifest mentions."""
        name = text(desired.spec, "name")
        answer = aws.find(aws.ecr().describe_repositories, repositoryNames=[name])
        if answer is None:
            return None
        found = answer["repositories"][0]
        spec = convert.spec("Repository", found)
        _encryption(spec, desired.spec)
        lifecycle = aws.find(aws.ecr().get_lifecycle_policy, repositoryName=name)
        spec["lifecyclePolicy"] = lifecycle.get("lifecyclePolicyText") if lifecycle else None
        if "policy" in desired.spec:
            spec["policy"] = _told(self._policy(aws, name), text(desired.spec, "policy"))
        if "tags" in desired.spec:
            listed = aws.call(aws.ecr().list_tags_for_resource, resourceArn=found["repositoryArn"])
            spec["tags"] = [{"key": tag["Key"], "value": tag["Value"]} for tag in listed["tags"]]
        uri = reachable_uri(found["repositoryUri"], aws.access.endpoint_url)
        status = {"arn": found["repositoryArn"], "repositoryURI": uri}
        return ObservedResource(key=desired.key, spec=spec, status=status)

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the repository and its policies."""
        params = convert.create_params("Repository", desired.spec)
        params["tags"] = tags.pairs(ownership.tags("Repository", desired.spec))
        aws.call(aws.ecr().create_repository, **params)
        self._policies(aws, desired.spec, frozenset(desired.spec) & {"lifecyclePolicy", "policy"})

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed, one operation per setting."""
        fields = touched(changes)
        name = text(desired.spec, "name")
        if fields & {"imageTagMutability", "imageTagMutabilityExclusionFilters"}:
            names = ("imageTagMutability", "imageTagMutabilityExclusionFilters")
            params = convert.params("Repository", desired.spec, names)
            aws.call(aws.ecr().put_image_tag_mutability, repositoryName=name, **params)
        if "imageScanningConfiguration" in fields:
            params = convert.params("Repository", desired.spec, ["imageScanningConfiguration"])
            aws.call(aws.ecr().put_image_scanning_configuration, repositoryName=name, **params)
        self._policies(aws, desired.spec, fields)
        if "tags" in fields:
            self._tags(aws, observed, desired.spec.get("tags"))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the repository with its images."""
        aws.find(aws.ecr().delete_repository, repositoryName=text(observed.spec, "name"), force=True)

    @classmethod
    def _policies(cls, aws: Aws, spec: JsonMap, fields: frozenset[str]) -> None:
        name = text(spec, "name")
        if "lifecyclePolicy" in fields:
            policy = text(spec, "lifecyclePolicy")
            if policy:
                aws.call(aws.ecr().put_lifecycle_policy, repositoryName=name, lifecyclePolicyText=policy)
            else:
                aws.find(aws.ecr().delete_lifecycle_policy, repositoryName=name)
        if "policy" in fields:
            policy = _with_lambda(text(spec, "policy"), cls._policy(aws, name))
            if policy:
                aws.call(aws.ecr().set_repository_policy, repositoryName=name, policyText=policy)
            else:
                aws.find(aws.ecr().delete_repository_policy, repositoryName=name)

    @staticmethod
    def _policy(aws: Aws, name: str) -> str:
        answer = aws.find(aws.ecr().get_repository_policy, repositoryName=name)
        return answer.get("policyText", "") if answer else ""

    @staticmethod
    def _tags(aws: Aws, observed: ObservedResource, wanted: Json) -> None:
        arn = observed.status["arn"]
        delta = tags.delta(wanted, observed.spec.get("tags"))
        if delta.put:
            aws.call(aws.ecr().tag_resource, resourceArn=arn, tags=tags.pairs(delta.put))
        if delta.remove:
            aws.call(aws.ecr().untag_resource, resourceArn=arn, tagKeys=list(delta.remove))


def reachable_uri(uri: str, endpoint_url: str | None) -> str:
    """The URI that images of a repository are pushed to, and pulled from by whatever runs them.

    An emulator may name its repositories after AWS's registry (MiniStack does). That is another machine, to
    which neither a push nor the emulator's Docker engine should turn: its registry is at its endpoint.
    """
    host, _, name = uri.partition("/")
    endpoint = (endpoint_url or "").partition("://")[2].partition("/")[0]
    is_emulator = bool(endpoint) and not _is_of_aws(endpoint)
    return f"{endpoint}/{name}" if is_emulator and _is_of_aws(host) else uri


def repository_uri(aws: Aws, name: str) -> str | None:
    """The URI of a repository as `reachable_uri` has it; None when there is no such repository."""
    answer = aws.find(aws.ecr().describe_repositories, repositoryNames=[name])
    return (
        reachable_uri(answer["repositories"][0]["repositoryUri"], aws.access.endpoint_url) if answer else None
    )


def _is_of_aws(host: str) -> bool:
    """Whether a host, with or without a port, is one of AWS's own."""
    return host.partition(":")[0].endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _encryption(spec: dict[str, Json], wanted: JsonMap) -> None:
    """Names the key as the manifest does, where it is the same one."""
    found, asked = spec.get("encryptionConfiguration"), wanted.get("encryptionConfiguration")
    if isinstance(found, Mapping) and isinstance(asked, Mapping):
        spec["encryptionConfiguration"] = {
            **found,
            "kmsKey": same_key(asked.get("kmsKey"), found.get("kmsKey")),
        }


def _statements(policy: str) -> list[Json]:
    found = json.loads(policy).get("Statement", []) if policy else []
    return found if isinstance(found, list) else [found]


def _by_lambda(statement: Json) -> bool:
    return isinstance(statement, Mapping) and statement.get("Sid") == LAMBDA_STATEMENT


def _told(policy: str, wanted: str) -> str | None:
    """A repository's policy without what Lambda added to it, unless the manifest says that itself."""
    found = _statements(policy)
    if any(map(_by_lambda, _statements(wanted))):
        return policy or None
    left = [statement for statement in found if not _by_lambda(statement)]
    return compare.dump({**json.loads(policy), "Statement": left}) if left else None


def _with_lambda(wanted: str, policy: str) -> str:
    """The manifest's policy together with what Lambda added to the present one."""
    added = [statement for statement in _statements(policy) if _by_lambda(statement)]
    ours = _statements(wanted)
    if not added or any(map(_by_lambda, ours)):
        return wanted
    return compare.dump({"Version": "2008-10-17", **json.loads(wanted or "{}"), "Statement": [*ours, *added]})


def image_tags(aws: Aws, repository: str, digest: str) -> tuple[str, ...] | None:
    """The tags of an image in a repository; None when the repository does not hold the digest."""
    answer = aws.find(
        aws.ecr().describe_images, repositoryName=repository, imageIds=[{"imageDigest": digest}]
    )
    details: Sequence[Mapping[str, object]] = answer["imageDetails"] if answer else []
    if not details:
        return None
    found = details[0].get("imageTags", [])
    return tuple(str(tag) for tag in found) if isinstance(found, list) else ()
