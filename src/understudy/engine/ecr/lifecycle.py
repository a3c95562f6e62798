"""Lifecycle policies: their grammar, and which images a policy expires.

Pure: text and image records in, rules and images out. Grammar and evaluation follow the ECR user guide
("Lifecycle policy properties", "How lifecycle policies work"); the wording of refusals follows recorded
answers. Refuses the archive storage class (``transition``, ``sinceImageTransitioned``): nothing here is ever
archived, and a rule that silently did nothing would be a lie.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from understudy.engine.ecr.errors import invalid_parameter
from understudy.engine.ecr.model import ImageRecord, wildcard_matches
from understudy.engine.protocol import ApiError, Value

_DAY_S = 86400.0
_WILDCARDS_MAX = 4

CountType = Literal["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled"]
TagStatus = Literal["tagged", "untagged", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a policy; `prefixes` and `patterns` are empty unless `tag_status` is ``tagged``."""

    priority: int
    tag_status: TagStatus
    count_type: CountType
    count_number: int
    prefixes: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    description: str = ""

    def selects(self, image: ImageRecord) -> bool:
        """Whether the image's tags are what this rule is about: every prefix or pattern finds a tag."""
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged":
            return not image.tags
        prefixed = all(any(tag.startswith(prefix) for tag in image.tags) for prefix in self.prefixes)
        patterned = all(any(wildcard_matches(each, tag) for tag in image.tags) for each in self.patterns)
        return bool(image.tags) and prefixed and patterned


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """An image that a policy expires, and the rule that did it."""

    image: ImageRecord
    rule: Rule


def evaluate(rules: Iterable[Rule], images: Sequence[ImageRecord], *, now: float) -> tuple[Expiry, ...]:
    """Returns the images to expire, oldest first.

    Rules apply by priority, lowest number first. A rule counts all images that it selects, as if none had
    expired, but an image that an earlier rule selects is that rule's alone. An image that an index references
    stays as long as the index does.
    """
    referenced = {child for image in images for child in image.children}
    claimed: set[str] = set()
    expired: list[Expiry] = []
    for rule in sorted(rules, key=lambda each: each.priority):
        selected = [image for image in images if rule.selects(image)]
        expired += [
            Expiry(image=image, rule=rule)
            for image in _due(rule, selected, now)
            if image.digest not in claimed and image.digest not in referenced
        ]
        claimed.update(image.digest for image in selected)
    return tuple(sorted(expired, key=lambda each: (each.image.pushed_at, each.image.digest)))


def _due(rule: Rule, selected: Sequence[ImageRecord], now: float) -> list[ImageRecord]:
    if rule.count_type == "imageCountMoreThan":
        newest_first = sorted(selected, key=lambda image: image.pushed_at, reverse=True)
        return newest_first[rule.count_number :]
    limit = now - rule.count_number * _DAY_S
    if rule.count_type == "sinceImagePushed":
        return [image for image in selected if image.pushed_at < limit]
    return [image for image in selected if (image.pulled_at or image.pushed_at) < limit]


def parse(text: str) -> tuple[Rule, ...]:
    """Returns the rules of a policy text, by priority.

    Raises:
        ApiError: InvalidParameterException with AWS's reason; the first fault in document order wins.
    """
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise _invalid("Could not map policyString into LifecyclePolicy.") from exc
    if not isinstance(document, dict):
        raise _invalid("Could not map policyString into LifecyclePolicy.")
    _check_keys(document, required={"rules"}, optional=set())
    if not isinstance(document["rules"], list):
        raise _type_error(document["rules"], "array")
    if not document["rules"]:
        raise _invalid("array is too short: must have at least 1 elements but instance has 0 elements")
    rules = tuple(_parse_rule(each) for each in document["rules"])
    _check_set(rules)
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def _parse_rule(rule: Value) -> Rule:
    if not isinstance(rule, dict):
        raise _type_error(rule, "object")
    _check_keys(rule, required={"rulePriority", "selection", "action"}, optional={"description"})
    selection, action = rule["selection"], rule["action"]
    for part in (selection, action):
        if not isinstance(part, dict):
            raise _type_error(part, "object")
    _check_keys(action, required={"type"}, optional={"targetStorageClass"})
    _check_enum(action["type"], ("expire",))
    description = rule.get("description", "")
    if not isinstance(description, str):
        raise _type_error(description, "string")
    status = _tag_status(selection)
    return Rule(
        priority=_positive(rule["rulePriority"]),
        tag_status=status,
        count_type=_count_type(selection),
        count_number=_positive(selection["countNumber"]),
        prefixes=_texts(selection, "tagPrefixList"),
        patterns=_patterns(selection),
        description=description,
    )


def _tag_status(selection: Mapping[str, Any]) -> TagStatus:
    _check_keys(
        selection,
        required={"tagStatus", "countType", "countNumber"},
        optional={"tagPrefixList", "tagPatternList", "countUnit", "storageClass"},
    )
    status = selection["tagStatus"]
    _check_enum(status, ("any", "tagged", "untagged"))
    _check_enum(selection.get("storageClass", "standard"), ("standard",))
    lists = [name for name in ("tagPrefixList", "tagPatternList") if selection.get(name)]
    if status == "tagged" and not lists:
        raise _invalid("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.")
    if status == "tagged" and len(lists) > 1:
        raise _invalid("Cannot specify both tagPrefixList and tagPatternList in the same rule.")
    if status != "tagged" and lists:
        raise _invalid(
            f"tagPrefixList and tagPatternList must not be specified when tagStatus={status.upper()}."
        )
    return status  # type: ignore[no-any-return] # checked against the enum above


def _count_type(selection: Mapping[str, Any]) -> CountType:
    """The count type and its unit must fit one of the schema's two forms: a count, or an age in days."""
    count_type, unit = selection["countType"], selection.get("countUnit")
    if "countUnit" in selection and count_type != "imageCountMoreThan":
        _check_enum(unit, ("days",))
    aged = count_type in ("sinceImagePushed", "sinceImagePulled") and unit == "days"
    counted = count_type == "imageCountMoreThan" and "countUnit" not in selection
    if not (aged or counted):
        raise _invalid("instance failed to match exactly one schema (matched 0 out of 2)")
    return count_type  # type: ignore[no-any-return] # one of the names above


def _texts(selection: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = selection.get(name, [])
    if not isinstance(values, list):
        raise _type_error(values, "array")
    for value in values:
        if not isinstance(value, str):
            raise _type_error(value, "string")
        if not value:
            raise _invalid('string "" is too short (length: 0, required minimum: 1)')
    return tuple(values)


def _patterns(selection: Mapping[str, Any]) -> tuple[str, ...]:
    patterns = _texts(selection, "tagPatternList")
    for pattern in patterns:
        if pattern.count("*") > _WILDCARDS_MAX:
            raise _invalid(f"tagPatternList entry {pattern} has more than {_WILDCARDS_MAX} wildcards (*).")
    return patterns


def _positive(value: Value) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _type_error(value, "integer")
    if value < 1:
        raise _invalid(f"numeric instance is lower than the required minimum (minimum: 1, found: {value})")
    return value


def _check_set(rules: Sequence[Rule]) -> None:
    """Refuses rules that contradict each other, though each is well formed."""
    priorities = [rule.priority for rule in rules]
    if len(set(priorities)) != len(priorities):
        raise _invalid("Lifecycle policy rules must have unique rulePriority values.")
    if sum(rule.tag_status == "untagged" for rule in rules) > 1:
        raise _invalid("Only one rule can select Untagged images per storage class")
    anys = [rule.priority for rule in rules if rule.tag_status == "any"]
    if len(anys) > 1 or (anys and anys[0] != max(priorities)):
        raise _invalid("Rule for tagStatus=ANY must have the lowest priority per storage class")
    selectors = [
        (frozenset(rule.prefixes), frozenset(rule.patterns)) for rule in rules if rule.tag_status == "tagged"
    ]
    if len(set(selectors)) != len(selectors):
        raise _invalid("Tag prefixes and tag patterns must be unique across rules.")


def _check_keys(value: Mapping[str, Any], *, required: set[str], optional: set[str]) -> None:
    missing = required - set(value)
    if missing:
        raise _invalid(f"object has missing required properties ({_compact(sorted(missing))})")
    unknown = set(value) - required - optional
    if unknown:
        names = _compact(sorted(unknown))
        raise _invalid(f"object instance has properties which are not allowed by the schema: ({names})")


def _check_enum(value: Value, allowed: Sequence[str]) -> None:
    if value not in allowed:
        known = _compact(list(allowed))
        raise _invalid(f"instance value ({_compact(value)}) not found in enum (possible values: {known})")


def _type_error(value: Value, allowed: str) -> ApiError:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    found = names.get(type(value), "null")
    return _invalid(
        f'instance type ({found}) does not match any allowed primitive type (allowed: ["{allowed}"])'
    )


def _compact(value: Value) -> str:
    return json.dumps(value, separators=(",", ":"))


def _invalid(reason: str) -> ApiError:
    return invalid_parameter("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}")
