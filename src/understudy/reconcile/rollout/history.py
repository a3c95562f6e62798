"""The releases of an alias, kept where the function is: version numbers in a tag, the rest in the versions.

No file and no table: whoever can deploy can read it, from any machine. The tag is written after a move, and
heals itself: what the alias points at is believed before what the tag says.
"""

from collections.abc import Mapping

from understudy.reconcile.aws import Aws
from understudy.reconcile.rollout import aliases, plan, probes
from understudy.reconcile.rollout.model import Revision, Rollout


def read(aws: Aws, function: str, alias: str) -> Rollout:
    """The releases of an alias.

    Raises:
        UnderstudyError: there is no such function or alias.
    """
    state = aliases.get(aws, function, alias)
    tags = _tags(aws, function)[1]
    known = plan.parse_history(tags.get(plan.tag_of(alias), ""))
    versions = plan.moved(known, "", state.version)
    return Rollout(
        alias=state,
        revisions=tuple(_revision(aws, function, one, state.version) for one in versions),
        without_proof=tags.get(plan.WITHOUT_PROOF_TAG, ""),
    )


def note(aws: Aws, function: str, alias: str, old: str, new: str, *, reason: str = "") -> bool:
    """Writes down that an alias went from `old` to `new`; whether there was anything to write.

    Args:
        aws: where.
        function: its name.
        alias: its name.
        old: version that it pointed at; empty for a new alias.
        new: version that it points at.
        reason: why `new` was deployed without proof; empty when it was proved, or needs no proof.
    """
    arn, tags = _tags(aws, function)
    known = plan.parse_history(tags.get(plan.tag_of(alias), ""))
    wanted = {plan.tag_of(alias): plan.history_text(plan.moved(known, old, new))}
    if reason:
        wanted[plan.WITHOUT_PROOF_TAG] = plan.tag_text(reason)
    changed = {name: value for name, value in wanted.items() if tags.get(name) != value}
    if changed:
        aws.call(aws.lambda_().tag_resource, Resource=arn, Tags=changed)
    stale = not reason and plan.WITHOUT_PROOF_TAG in tags
    if stale:
        aws.call(aws.lambda_().untag_resource, Resource=arn, TagKeys=[plan.WITHOUT_PROOF_TAG])
    return bool(changed) or stale


def is_noted(tags: Mapping[str, object], alias: str, version: str) -> bool:
    """Whether the tags of a function say already that an alias points at a version."""
    return plan.parse_history(str(tags.get(plan.tag_of(alias), "")))[:1] == (version,)


def _tags(aws: Aws, function: str) -> tuple[str, Mapping[str, str]]:
    answer = aws.call(aws.lambda_().get_function, FunctionName=function)
    return answer["Configuration"]["FunctionArn"], answer.get("Tags", {})


def _revision(aws: Aws, function: str, version: str, live: str) -> Revision:
    answer = aws.find(aws.lambda_().get_function_configuration, FunctionName=function, Qualifier=version)
    return Revision(
        version=version,
        digest=probes.running_digest(aws, function, version) if answer else "",
        description=answer.get("Description", "") if answer else "",
        published=answer.get("LastModified", "") if answer else "",
        is_live=version == live,
    )
