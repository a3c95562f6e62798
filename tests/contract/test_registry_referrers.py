"""Artifacts attached to an image, in a registry that does not list referrers: Debian's docker-registry."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.registry_servers import docker_registry
from tests.tools import require_tool
from tests.unit.image.samples import file, image_of, store_at
from understudy.image import referrers
from understudy.image.registry import Auth, RegistryClient
from understudy.image.registry.http import RegistryHttp
from understudy.image.registry.referrers import ReferrerTransfer
from understudy.image.store import attachments


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    with docker_registry(tmp_path) as address:
        yield address


def _inspect(host: str, reference: str) -> dict[str, object]:
    done = subprocess.run(
        [require_tool("skopeo"), "inspect", "--raw", "--tls-verify=false", f"docker://{host}/{reference}"],
        check=True,
        capture_output=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_list_under_the_referrers_tag_leads_a_foreign_client_to_the_artifact(
    host: str, tmp_path: Path
) -> None:
    store = store_at(tmp_path / "store")
    image = image_of(store, [file("a")])
    made = [
        attachments.attach(
            store, image.digest, "application/x", [("text/plain", text)], annotations={"n": text.decode()}
        )
        for text in (b"one", b"two")
    ]
    http = RegistryHttp(host, auth=Auth.anonymous())
    with RegistryClient(host, http=http) as client:
        client.push(image, store, "team/app", ["latest"])
        transfer = ReferrerTransfer(http, "team/app", store)
        assert [transfer.push(one) for one in made] == [True, True]
        assert [transfer.push(one) for one in made] == [False, False]

    listed = _inspect(host, f"team/app:{referrers.tag_of(image.digest)}")["manifests"]

    assert isinstance(listed, list)
    assert {one["digest"] for one in listed} == {one.digest for one in made}
    assert {one["artifactType"] for one in listed} == {"application/x"}
    subject = _inspect(host, f"team/app@{made[0].digest}")["subject"]
    assert isinstance(subject, dict)
    assert subject["digest"] == image.digest
