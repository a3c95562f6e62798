"""Images that a repository's lifecycle policy would take from under a version that is still there.

A function whose image is gone runs on until Lambda needs the image again, and then fails: nobody sees it on
the day it happens. Evaluation follows the ECR user guide, "Lifecycle policy properties". Refuses to change
anything: it warns, and a policy that ECR itself would refuse is ECR's to judge.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from understudy.manifests.model import ImageBinding, ResourceKey, Stack
from understudy.reconcile import observe, release
from understudy.reconcile.aws import Aws
from understudy.reconcile.release import Release

_DAY_S = 86400.0
_PARALLEL = 8
_AT_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """One image of a repository.

    Attributes:
        pushed_at: seconds since the epoch, as all times here.
        pulled_at: None when ECR recorded no pull.
    """

    digest: str
    tags: tuple[str, ...] = ()
    pushed_at: float
    pulled_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A version of a function, and the image that it was published with."""

    function: str
    version: str
    aliases: tuple[str, ...]
    digest: str

    def __str__(self) -> str:
        named = f" (alias {', '.join(self.aliases)})" if self.aliases else ""
        return f"version {self.version} of {self.function}{named}"


def notices(aws: Aws, stack: Stack, *, now: float) -> tuple[str, ...]:
    """One text per Repository whose policy would expire an image that a version still has.

    Versions are read only where something would expire. The images that the stack is about to push count as
    pushed.

    Args:
        aws: where.
        stack: repositories, functions and images.
        now: seconds since the epoch.
    """
    found = (_notice(aws, stack, image, now) for image in stack.images)
    return tuple(dict.fromkeys(text for text in found if text))


def expiring(policy: str, images: Sequence[StoredImage], *, now: float) -> tuple[str, ...]:
    """The digests that a policy takes, oldest first; none of a text that is no policy.

    Rules apply by priority; an image that an earlier rule selects is that rule's alone, and every rule counts
    all images that it selects.
    """
    try:
        rules = sorted(json.loads(policy)["rules"], key=lambda rule: int(rule["rulePriority"]))
        taken = _taken(rules, images, now)
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(image.digest for image in sorted(taken, key=lambda one: (one.pushed_at, one.digest)))


def told(repository: str, taken: Sequence[str], uses: Sequence[Use]) -> str:
    """What to say about the uses of images that would expire; empty when there are none."""
    at_risk = [use for use in uses if use.digest in taken]
    at_risk.sort(key=lambda use: not use.aliases)
    if not at_risk:
        return ""
    named = "; ".join(f"{use.digest}, which {use} runs" for use in at_risk[:_AT_MOST])
    more = f"; and {len(at_risk) - _AT_MOST} more" if len(at_risk) > _AT_MOST else ""
    return (
        f"the lifecycle policy of Repository {repository} would expire {named}{more}: raise countNumber, or "
        "delete the versions that nobody goes back to"
    )


def _taken(
    rules: Sequence[Mapping[str, Any]], images: Sequence[StoredImage], now: float
) -> list[StoredImage]:
    claimed: set[str] = set()
    taken: list[StoredImage] = []
    for rule in rules:
        selection = rule["selection"]
        selected = [image for image in images if _selects(selection, image)]
        due = _due(selection, selected, now) if rule["action"]["type"] == "expire" else []
        taken += [image for image in due if image.digest not in claimed]
        claimed.update(image.digest for image in selected)
    return taken


def _selects(selection: Mapping[str, Any], image: StoredImage) -> bool:
    if selection["tagStatus"] == "any":
        return True
    if selection["tagStatus"] == "untagged":
        return not image.tags
    prefixes = [re.escape(one) + ".*" for one in selection.get("tagPrefixList") or ()]
    patterns = [re.escape(one).replace(r"\*", ".*") for one in selection.get("tagPatternList") or ()]
    return bool(image.tags) and all(
        any(re.fullmatch(wanted, tag) for tag in image.tags) for wanted in (*prefixes, *patterns)
    )


def _due(selection: Mapping[str, Any], selected: Sequence[StoredImage], now: float) -> list[StoredImage]:
    number = int(selection["countNumber"])
    if selection["countType"] == "imageCountMoreThan":
        return sorted(selected, key=lambda image: image.pushed_at, reverse=True)[number:]
    limit = now - number * _DAY_S
    if selection["countType"] == "sinceImagePushed":
        return [image for image in selected if image.pushed_at < limit]
    if selection["countType"] == "sinceImagePulled":
        return [image for image in selected if (image.pulled_at or image.pushed_at) < limit]
    return []


def _notice(aws: Aws, stack: Stack, image: ImageBinding, now: float) -> str:
    repository = stack.get(ResourceKey("Repository", image.repository))
    policy = repository.spec.get("lifecyclePolicy") if repository else None
    if not isinstance(policy, str):
        return ""
    name = observe.repository_name(image, {one.key: one for one in stack})
    images = list(_images(aws, name))
    if images and image.digest not in {one.digest for one in images}:
        images.append(StoredImage(digest=image.digest, tags=image.tags, pushed_at=math.inf))
    taken = expiring(policy, images, now=now)
    if not taken:
        return ""
    uses = [use for one in release.of_image(stack, image.name) for use in _uses(aws, one)]
    return told(image.repository, taken, uses)


def _images(aws: Aws, repository: str) -> Iterator[StoredImage]:
    """The images of a repository, without what is attached to them: that goes with its image."""
    if aws.find(aws.ecr().describe_repositories, repositoryNames=[repository]) is None:
        return
    pages = aws.ecr().get_paginator("describe_images").paginate(repositoryName=repository)
    for page in aws.pages(pages):
        for one in page["imageDetails"]:
            pulled = one.get("lastRecordedPullTime")
            if not one.get("subjectManifestDigest"):
                yield StoredImage(
                    digest=one["imageDigest"],
                    tags=tuple(one.get("imageTags", ())),
                    pushed_at=one["imagePushedAt"].timestamp(),
                    pulled_at=pulled.timestamp() if pulled else None,
                )


def _uses(aws: Aws, one: Release) -> list[Use]:
    """Every published version of a function, with its image and the aliases of the stack that lead to it."""
    client, function = aws.lambda_(), one.function
    if aws.find(client.get_function_configuration, FunctionName=function) is None:
        return []
    leading: dict[str, list[str]] = {}
    for name in one.aliases:
        alias = aws.find(client.get_alias, FunctionName=function, Name=name)
        if alias is not None:
            weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            for version in (alias["FunctionVersion"], *weights):
                leading.setdefault(version, []).append(name)
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    versions = [found["Version"] for page in aws.pages(pages) for found in page["Versions"]]

    def use(version: str) -> Use:
        found = aws.call(client.get_function, FunctionName=function, Qualifier=version)
        uri = found["Code"].get("ResolvedImageUri", "")
        return Use(
            function=function,
            version=version,
            aliases=tuple(leading.get(version, ())),
            digest=uri.rpartition("@")[2],
        )

    with ThreadPoolExecutor(_PARALLEL, "versions") as pool:
        return list(pool.map(use, [version for version in versions if version != "$LATEST"]))
