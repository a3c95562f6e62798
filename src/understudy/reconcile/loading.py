"""botocore's data, with the service models that `manifests` has read already.

Parsing one twice would cost more than any call that the client made of it does.
"""

from typing import Any

from botocore.loaders import Loader

from understudy.manifests import models


class Models(Loader):
    """Loads as botocore does, but newest service models from `models`."""

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> dict[str, Any]:
        """Returns the data of that type, such as ``service-2`` or ``paginators-1``."""
        if type_name == "service-2" and api_version is None:
            return models.load(service_name).document
        found: dict[str, Any] = super().load_service_model(service_name, type_name, api_version)
        return found
