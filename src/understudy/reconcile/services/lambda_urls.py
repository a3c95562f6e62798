"""Function URLs.

ACK has no field for the invoke mode; `invokeMode` comes from the annotation ``understudy.dev/invoke-mode``.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from understudy.manifests.model import DesiredResource, JsonMap
from understudy.reconcile import convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, touched
from understudy.reconcile.model import Change, ObservedResource


class FunctionUrlManager(ResourceManager):
    """Kind FunctionURLConfig, found by its function and qualifier."""

    supported: ClassVar[frozenset[str]] = frozenset(
        ["authType", "cors", "functionName", "invokeMode", "qualifier"]
    )
    immutable: ClassVar[frozenset[str]] = frozenset({"functionName", "qualifier"})
    defaults: ClassVar[JsonMap] = {"cors": None, "invokeMode": "BUFFERED"}

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The URL of the function or alias."""
        answer = aws.find(aws.lambda_().get_function_url_config, **_url_key(desired.spec))
        if answer is None:
            return None
        spec = convert.spec("FunctionURLConfig", answer)
        spec["invokeMode"] = answer.get("InvokeMode", "BUFFERED")
        spec.update(
            {name: desired.spec[name] for name in ("functionName", "qualifier") if name in desired.spec}
        )
        return ObservedResource(key=desired.key, spec=spec, status={"functionURL": answer["FunctionUrl"]})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the URL."""
        aws.call(aws.lambda_().create_function_url_config, **_params(desired.spec))

    def update(
        self,
        aws: Aws,
        desired: DesiredResource,
        observed: ObservedResource,  # noqa: ARG002 - written whole
        changes: Sequence[Change],
    ) -> None:
        """Writes the URL's settings."""
        params = _params(desired.spec)
        if "cors" in touched(changes):
            params.setdefault("Cors", {})
        aws.call(aws.lambda_().update_function_url_config, **params)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the URL."""
        aws.find(aws.lambda_().delete_function_url_config, **_url_key(observed.spec))


def _params(spec: JsonMap) -> dict[str, Any]:
    named = {name: value for name, value in spec.items() if name != "invokeMode"}
    params = convert.create_params("FunctionURLConfig", named)
    return {**params, "InvokeMode": spec.get("invokeMode", "BUFFERED")}


def _url_key(spec: JsonMap) -> dict[str, Any]:
    return convert.params("FunctionURLConfig", spec, ["functionName", "qualifier"])
