"""Operations on functions: create, read, list, change, delete.

A change is checked, recorded with a new RevisionId and handed to `Lifecycle`; the answer shows it under way.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import errors, names, render, settings, tagging, versions
from understudy.engine.functions import lookup as lookups
from understudy.engine.functions.images import Images
from understudy.engine.functions.lifecycle import Lifecycle
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import LATEST, Function, Version
from understudy.engine.protocol import Call, Operation

_MOST_ITEMS = 50


class FunctionOperations:
    """The operations on functions and their code and configuration."""

    def __init__(self, lookup: Lookup, images: Images, lifecycle: Lifecycle) -> None:
        self._lookup = lookup
        self._images = images
        self._lifecycle = lifecycle

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "CreateFunction": self.create,
            "GetFunction": self.get,
            "GetFunctionConfiguration": self.get_configuration,
            "ListFunctions": self.list,
            "DeleteFunction": self.delete,
            "UpdateFunctionCode": self.update_code,
            "UpdateFunctionConfiguration": self.update_configuration,
        }

    async def create(self, call: Call) -> dict[str, Any]:
        """CreateFunction."""
        params = call.params
        key = names.parse_new(params["FunctionName"], account_id=call.account_id, region=call.region)
        uri = settings.check_image_package(params)
        architecture = settings.architecture(params)
        configured = settings.created(key.name, params)
        tags = dict(params.get("Tags") or {})
        tagging.check(tags)
        if self._lookup.table.get(key) is not None:
            raise errors.conflict(f"Function already exist: {key.name}")
        latest = Version(
            number=LATEST,
            code=self._images.resolve(uri, architecture, key),
            settings=configured,
            content_id=uuid.uuid4().hex,
            revision_id=lookups.revision(),
            last_modified=self._lookup.date(),
        )
        function, shown = Function(id=key, versions={LATEST: latest}, tags=tags), latest
        if params.get("Publish"):
            function, shown = versions.publish(function, None)
        self._lookup.table.put(function)
        self._lifecycle.begin(function)
        return render.configuration(function, shown)

    async def get(self, call: Call) -> dict[str, Any]:
        """GetFunction."""
        target = self._lookup.target(call)
        function, version = self._lookup.version(target)
        answer: dict[str, Any] = {
            "Configuration": render.configuration(function, version, qualifier=target.qualifier),
            "Code": render.code_location(version),
        }
        if function.tags:
            answer["Tags"] = dict(function.tags)
        if function.reserved is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        return answer

    async def get_configuration(self, call: Call) -> dict[str, Any]:
        """GetFunctionConfiguration."""
        target = self._lookup.target(call)
        function, version = self._lookup.version(target)
        return render.configuration(function, version, qualifier=target.qualifier)

    async def list(self, call: Call) -> dict[str, Any]:
        """ListFunctions."""
        which = call.params.get("FunctionVersion")
        if which not in (None, "ALL"):
            raise errors.validation("functionVersion", which, "Member must satisfy enum value set: [ALL]")
        items: list[dict[str, Any]] = []
        for function in self._lookup.table.within(call.account_id, call.region):
            if which is None:
                items.append(render.listed(function, function.latest))
            else:
                items += [
                    render.listed(function, version, qualifier=version.number)
                    for version in render.versions(function)
                ]
        shown, marker = render.page(
            items,
            [item["FunctionArn"] for item in items],
            call.params.get("Marker"),
            call.params.get("MaxItems"),
            _MOST_ITEMS,
        )
        return {"Functions": shown, **({"NextMarker": marker} if marker else {})}

    async def delete(self, call: Call) -> dict[str, Any]:
        """DeleteFunction: the function, or one version of it."""
        target = self._lookup.target(call)
        if target.qualifier == LATEST:
            raise errors.invalid_parameter("$LATEST version cannot be deleted without deleting the function.")
        function = self._lookup.function(target)
        if target.qualifier is None:
            self._lookup.table.remove(function.id)
            self._lifecycle.settled(function.id)
            return {"StatusCode": 204}
        if not names.is_version(target.qualifier):
            raise errors.invalid_parameter("Deletion of aliases is not currently supported.")
        problem = versions.check_deletable(function, target.qualifier)
        if problem is not None:
            raise problem
        if target.qualifier in function.versions:
            self._lookup.table.put(function.without(target.qualifier))
            self._lifecycle.settled(function.id)
        return {"StatusCode": 204}

    async def update_code(self, call: Call) -> dict[str, Any]:
        """UpdateFunctionCode."""
        params = call.params
        function = self._lookup.called_function(call)
        latest = function.latest
        lookups.check_revision(params.get("RevisionId"), latest.revision_id)
        uri = params.get("ImageUri")
        if not uri:
            raise errors.invalid_parameter(
                "Please provide ImageUri when updating a function with packageType Image."
            )
        lookups.check_settled(function)
        architecture = settings.architecture(params, latest.code.architecture)
        changed = replace(latest, code=self._images.resolve(uri, architecture, function.id))
        return self._change(
            function, changed, publish=bool(params.get("Publish")), dry_run=bool(params.get("DryRun"))
        )

    async def update_configuration(self, call: Call) -> dict[str, Any]:
        """UpdateFunctionConfiguration."""
        function = self._lookup.called_function(call)
        latest = function.latest
        lookups.check_revision(call.params.get("RevisionId"), latest.revision_id)
        lookups.check_settled(function)
        configured = settings.updated(function.id.name, latest.settings, call.params)
        return self._change(function, replace(latest, settings=configured))

    def _change(
        self, function: Function, changed: Version, *, publish: bool = False, dry_run: bool = False
    ) -> dict[str, Any]:
        if dry_run:
            return render.configuration(function, changed)
        # Setting what is set already leaves nothing new to publish
        # (https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html).
        before = function.latest
        same = changed.code.digest == before.code.digest and changed.settings == before.settings
        same = same and changed.code.architecture == before.code.architecture
        content_id = before.content_id if same else uuid.uuid4().hex
        latest = changed.updating(lookups.revision(), self._lookup.date(), content_id)
        recorded, shown, qualifier = function.with_version(latest), latest, None
        if publish:
            recorded, shown = versions.publish(recorded, None)
            qualifier = shown.number
        self._lookup.table.put(recorded)
        self._lifecycle.begin(recorded)
        return render.configuration(recorded, shown, qualifier=qualifier)
