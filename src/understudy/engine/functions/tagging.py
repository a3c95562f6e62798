"""Tags of functions and of event source mappings.

A change to them leaves code, configuration, environments and readers alone.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import errors, names
from understudy.engine.functions import lookup as lookups
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import Function
from understudy.engine.functions.sources import MappingTable, SourceMapping
from understudy.engine.protocol import Call, Operation

_MOST_TAGS = 50
_MAPPING = ":event-source-mapping:"
_FUNCTION_ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:[^:]+:\d{12}:function:(?P<name>[a-zA-Z0-9-_]+)(:(?P<qualifier>.+))?"
)
_RESOURCE_PATTERN = (
    r"arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:"
    r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|"
    r"code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:"
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
)


class TagOperations:
    """TagResource and its sisters."""

    def __init__(self, lookup: Lookup, mappings: MappingTable) -> None:
        self._lookup = lookup
        self._mappings = mappings

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTags": self.list_tags,
        }

    async def tag_resource(self, call: Call) -> dict[str, Any]:
        """TagResource."""
        if not call.params["Tags"]:
            raise errors.invalid_parameter("An error occurred and the request cannot be processed.")
        tagged = self._tagged(call)
        self._store(tagged, {**tagged.tags, **call.params["Tags"]})
        return {}

    async def untag_resource(self, call: Call) -> dict[str, Any]:
        """UntagResource; unknown keys are ignored."""
        tagged = self._tagged(call)
        gone = set(call.params["TagKeys"])
        self._store(tagged, {key: value for key, value in tagged.tags.items() if key not in gone})
        return {}

    async def list_tags(self, call: Call) -> dict[str, Any]:
        """ListTags."""
        return {"Tags": dict(self._tagged(call).tags)}

    def _tagged(self, call: Call) -> Function | SourceMapping:
        arn = call.params["Resource"]
        if _MAPPING in arn:
            mapping = self._mappings.get(arn.rpartition(":")[2])
            if mapping is None or mapping.arn != arn:
                raise errors.not_found("The resource you requested does not exist.")
            return mapping
        match = _FUNCTION_ARN.fullmatch(arn)
        if match is None:
            raise errors.validation(
                "resource", arn, f"Member must satisfy regular expression pattern: {_RESOURCE_PATTERN}"
            )
        if match["qualifier"]:
            raise errors.invalid_parameter(
                "Tags on function aliases and versions are not supported. Please specify a function ARN."
            )
        target = names.parse(arn, None, account_id=call.account_id, region=call.region)
        return self._lookup.function(target)

    def _store(self, tagged: Function | SourceMapping, tags: Mapping[str, str]) -> None:
        check(tags)
        if isinstance(tagged, Function):
            latest = replace(tagged.latest, revision_id=lookups.revision())
            self._lookup.table.put(replace(tagged.with_version(latest), tags=dict(tags)))
        else:
            self._mappings.put(replace(tagged, tags=dict(tags)))


def check(tags: Mapping[str, str]) -> None:
    """Passes when a function or mapping may carry `tags`.

    Raises:
        ApiError: there are too many.
    """
    if len(tags) > _MOST_TAGS:
        raise errors.invalid_parameter("Number of tags exceeds resource tag limit.")
