import base64
from pathlib import Path

import pytest

from tests.fakes.aws import ScriptedAws
from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import file, image_of, store_at
from understudy.image.registry.events import BlobDone, RegistryEvent
from understudy.image.store import Store
from understudy.manifests.model import ImageBinding
from understudy.reconcile.aws import Access, Credentials
from understudy.reconcile.promotion import Promoter


@pytest.mark.parametrize(
    ("endpoint", "host", "address"),
    [
        ("http://127.0.0.1:4566", "1.dkr.ecr.us-east-1.localhost.localstack.cloud:4566", "127.0.0.1:4566"),
        ("http://localhost:4566", "localhost:4566", "localhost:4566"),
        ("http://localhost:4566", "localhost.localstack.cloud:4510", "localhost:4510"),
        ("http://localhost:4566", "1.dkr.ecr.us-east-1.localhost.localstack.cloud", "localhost:4566"),
        (None, "1.dkr.ecr.us-east-1.amazonaws.com", "1.dkr.ecr.us-east-1.amazonaws.com"),
    ],
)
def test_local_names_mean_the_host_of_the_endpoint(
    tmp_path: Path, endpoint: str | None, host: str, address: str
) -> None:
    fake = ScriptedAws()
    fake.aws.access = Access(region="us-east-1", endpoint_url=endpoint, credentials=Credentials())
    assert Promoter(fake.aws, Store(tmp_path)).address_of(host) == address


def _tokens(*passwords: str) -> ScriptedAws:
    """ECR whose authorization tokens carry these passwords, one after the other."""
    answers = [
        {"authorizationData": [{"authorizationToken": base64.b64encode(f"AWS:{one}".encode()).decode()}]}
        for one in passwords
    ]
    return ScriptedAws({"GetAuthorizationToken": answers})


def test_token_that_ends_on_the_way_is_asked_for_again(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    fake = FakeRegistry(users={"AWS": "first"})
    fake.passwords, fake.expire_at_requests = ["second"], {5}
    world = _tokens("first", "second")
    binding = ImageBinding(name="app", repository="r", digest=image.digest, tags=("latest", "abc-dirty"))

    with fake.serving() as host:
        promoter = Promoter(world.aws, store)
        promoter.push(binding, f"{host}/app")

    assert [name for name, _ in world.calls] == ["GetAuthorizationToken"] * 2
    assert {"latest", "abc-dirty", image.digest} == fake.manifests["app"].keys()
    assert promoter.reports["app"].blobs_sent == 2


def test_layers_that_two_images_share_are_sent_once(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    images = {name: image_of(store, [file("shared")], [file(name)]) for name in ("app", "jobs")}
    events: list[RegistryEvent] = []
    fake = FakeRegistry(users={"AWS": "x"})

    with fake.serving() as host:
        promoter = Promoter(_tokens("x").aws, store, progress=events.append)
        for name, image in images.items():
            binding = ImageBinding(name=name, repository="r", digest=image.digest)
            promoter.push(binding, f"{host}/{name}")

    shared = images["app"].manifest.layers[0].digest
    outcomes = [event.outcome for event in events if isinstance(event, BlobDone) and event.digest == shared]
    assert outcomes == ["sent", "mounted"]
    assert promoter.reports["jobs"].blobs_mounted == 1


def test_registry_is_asked_for_the_account_that_the_repository_names(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    fake = FakeRegistry(users={"AWS": "x"})
    world = _tokens("x")

    with fake.serving() as address:
        world.aws.access = Access(
            region="us-east-1", endpoint_url=f"http://{address}", credentials=Credentials()
        )
        host = f"123456789012.dkr.ecr.us-east-1.localhost.localstack.cloud:{address.rpartition(':')[2]}"
        Promoter(world.aws, store).push(
            ImageBinding(name="app", repository="r", digest=image.digest), f"{host}/app"
        )

    assert fake.hosts == {host}
