"""One workshop for the run: images share the base and its unpacked layers."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract import base_store
from tests.images import workshop
from tests.images.workshop import Workshop
from understudy.image import builder
from understudy.image.builder import BuildRequest
from understudy.image.builder.env import Host

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop.opened(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def dashboards(shop: Workshop) -> Workshop:
    """The workshop with the dashboard's image as one more base."""
    request = BuildRequest(
        context=ROOT / "service", dockerfile=ROOT / "service" / "Dockerfile", base_resolver=shop.bases
    )
    image = builder.build(
        request,
        store=shop.store,
        steps=base_store.runner(),
        progress=lambda _: None,
        host=Host(environment=os.environ),
    )
    return replace(shop, bases=replace(shop.bases, images={**shop.bases.images, "dashboard": image}))
