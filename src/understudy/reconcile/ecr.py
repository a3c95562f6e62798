"""Repositories of Elastic Container Registry."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource


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
    immutable: ClassVar[frozenset[str]] = frozenset({"encryptionConfiguration"})
    defaults: ClassVar[JsonMap] = {
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
        if "lifecyclePolicy" in desired.spec:
            lifecycle = aws.find(aws.ecr().get_lifecycle_policy, repositoryName=name)
            spec["lifecyclePolicy"] = lifecycle["lifecyclePolicyText"] if lifecycle else None
        if "policy" in desired.spec:
            policy = aws.find(aws.ecr().get_repository_policy, repositoryName=name)
            spec["policy"] = policy["policyText"] if policy else None
        if "tags" in desired.spec:
            listed = aws.call(aws.ecr().list_tags_for_resource, resourceArn=found["repositoryArn"])
            spec["tags"] = [{"key": tag["Key"], "value": tag["Value"]} for tag in listed["tags"]]
        uri = reachable_uri(found["repositoryUri"], aws.access.endpoint_url)
        status = {"arn": found["repositoryArn"], "repositoryURI": uri}
        return ObservedResource(key=desired.key, spec=spec, status=status)

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the repository and its policies."""
        params = convert.create_params("Repository", desired.spec)
        params["tags"] = tags.pairs(tags.parse(desired.spec.get("tags")))
        aws.call(aws.ecr().create_repository, **params)
        self._policies(aws, desired.spec, frozenset(desired.spec))

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

    @staticmethod
    def _policies(aws: Aws, spec: JsonMap, fields: frozenset[str]) -> None:
        name = text(spec, "name")
        if "lifecyclePolicy" in fields and "lifecyclePolicy" in spec:
            aws.call(
                aws.ecr().put_lifecycle_policy,
                repositoryName=name,
                lifecyclePolicyText=text(spec, "lifecyclePolicy"),
            )
        if "policy" in fields and "policy" in spec:
            aws.call(aws.ecr().set_repository_policy, repositoryName=name, policyText=text(spec, "policy"))

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
