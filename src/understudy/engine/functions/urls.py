"""Function URLs: their configurations, and which function stands behind a host name.

What a request to one becomes is the business of `engine.urls`. An id is made once per URL, as on AWS, where a
new URL of the same function has another one.
"""

import secrets
import string
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from understudy.engine.functions import errors, names, render
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import LATEST, Function, FunctionId, FunctionUrl
from understudy.engine.functions.names import Target
from understudy.engine.protocol import Call, Operation

_ID_LENGTH = 32
_ID_LETTERS = string.ascii_lowercase + string.digits
_MOST_URLS = 50


class FunctionUrls:
    """The operations on function URLs.

    Args:
        lookup: finds functions.
        authority: host and port that every URL ends with.
    """

    def __init__(self, lookup: Lookup, authority: str) -> None:
        self._lookup = lookup
        self._authority = authority
        self._places: dict[str, tuple[FunctionId, str]] | None = None
        lookup.table.on_change(self._changed)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "CreateFunctionUrlConfig": self.create,
            "GetFunctionUrlConfig": self.get,
            "UpdateFunctionUrlConfig": self.update,
            "DeleteFunctionUrlConfig": self.delete,
            "ListFunctionUrlConfigs": self.list,
        }

    def find(self, url_id: str) -> tuple[Function, FunctionUrl] | None:
        """The function behind the host name that starts with `url_id`, and its URL."""
        if self._places is None:
            self._places = {
                url.url_id: (function.id, url.qualifier)
                for function in self._lookup.table.all()
                for url in function.urls.values()
            }
        place = self._places.get(url_id)
        function = self._lookup.table.get(place[0]) if place else None
        return (function, function.urls[place[1]]) if place and function else None

    async def create(self, call: Call) -> dict[str, Any]:
        """CreateFunctionUrlConfig."""
        target = self._lookup.target(call)
        function = self._lookup.table.get(target.id)
        qualifier = target.qualifier or LATEST
        if function is None or (target.qualifier and qualifier not in function.aliases):
            raise errors.not_found("Function does not exist")
        if qualifier in function.urls:
            raise errors.conflict(
                f"Failed to create function url config for [functionArn = {target.arn}]. "
                "Error message:  FunctionUrlConfig exists for this Lambda function"
            )
        now = self._lookup.now()
        url = FunctionUrl(
            qualifier=qualifier,
            url_id="".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH)),
            auth_type=call.params["AuthType"],
            invoke_mode=call.params.get("InvokeMode") or "BUFFERED",
            cors=call.params.get("Cors") or None,
            created=now,
            modified=now,
        )
        answer = self._store(function, url)
        del answer["LastModifiedTime"]
        return answer

    async def get(self, call: Call) -> dict[str, Any]:
        """GetFunctionUrlConfig."""
        function, url = self._found(self._lookup.target(call))
        return self._rendered(function, url)

    async def update(self, call: Call) -> dict[str, Any]:
        """UpdateFunctionUrlConfig: changes the members that are given; an empty Cors takes it away."""
        function, url = self._found(self._lookup.target(call))
        params = call.params
        cors = url.cors if params.get("Cors") is None else params["Cors"] or None
        changed = replace(
            url,
            auth_type=params.get("AuthType") or url.auth_type,
            invoke_mode=params.get("InvokeMode") or url.invoke_mode,
            cors=cors,
            modified=self._lookup.now(),
        )
        return self._store(function, changed)

    async def delete(self, call: Call) -> dict[str, Any]:
        """DeleteFunctionUrlConfig."""
        function, url = self._found(self._lookup.target(call))
        kept = {name: item for name, item in function.urls.items() if name != url.qualifier}
        self._lookup.table.put(replace(function, urls=kept))
        return {}

    async def list(self, call: Call) -> dict[str, Any]:
        """ListFunctionUrlConfigs: of the function and its aliases."""
        function = self._lookup.called_function(call)
        found = sorted(function.urls.values(), key=lambda url: url.qualifier)
        shown, marker = render.page(
            [self._rendered(function, url) for url in found],
            [url.qualifier for url in found],
            call.params.get("Marker"),
            call.params.get("MaxItems"),
            _MOST_URLS,
        )
        return {"FunctionUrlConfigs": shown, **({"NextMarker": marker} if marker else {})}

    def _found(self, target: Target) -> tuple[Function, FunctionUrl]:
        function = self._lookup.table.get(target.id)
        url = function.urls.get(target.qualifier or LATEST) if function else None
        if function is None or url is None:
            raise errors.not_found("The resource you requested does not exist.")
        return function, url

    def _store(self, function: Function, url: FunctionUrl) -> dict[str, Any]:
        self._lookup.table.put(replace(function, urls={**function.urls, url.qualifier: url}))
        return self._rendered(function, url)

    def _rendered(self, function: Function, url: FunctionUrl) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "FunctionUrl": f"http://{host(function.id, url, self._authority)}/",
            "FunctionArn": names.arn(function.id, None if url.qualifier == LATEST else url.qualifier),
            "AuthType": url.auth_type,
            "InvokeMode": url.invoke_mode,
            "CreationTime": _moment(url.created),
            "LastModifiedTime": _moment(url.modified),
        }
        return answer if url.cors is None else {**answer, "Cors": dict(url.cors)}

    def _changed(self, _: FunctionId) -> None:
        self._places = None


def host(function: FunctionId, url: FunctionUrl, end: str = "localhost.localstack.cloud") -> str:
    """The host name of a URL; on AWS the last labels are ``on.aws``."""
    return f"{url.url_id}.lambda-url.{function.region}.{end}"


def _moment(epoch_s: float) -> str:
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
