from botocore.loaders import Loader

from understudy.manifests import models
from understudy.reconcile import loading


def test_service_models_are_shared_with_the_manifests() -> None:
    assert loading.Models().load_service_model("logs", "service-2") is models.load("logs").document


def test_all_else_comes_from_botocore() -> None:
    found = loading.Models().load_service_model("logs", "paginators-1")
    assert found == Loader().load_service_model("logs", "paginators-1")
