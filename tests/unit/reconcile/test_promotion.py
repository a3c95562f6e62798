from pathlib import Path

import pytest

from tests.fakes.aws import ScriptedAws
from understudy.image.store import Store
from understudy.reconcile.aws import Access, Credentials
from understudy.reconcile.promotion import Promoter


@pytest.mark.parametrize(
    ("endpoint", "host", "registry"),
    [
        ("http://127.0.0.1:4566", "1.dkr.ecr.us-east-1.localhost.localstack.cloud:4566", "127.0.0.1:4566"),
        ("http://localhost:4566", "localhost:4566", "localhost:4566"),
        ("http://localhost:4566", "localhost.localstack.cloud:4510", "localhost:4510"),
        ("http://localhost:4566", "1.dkr.ecr.us-east-1.localhost.localstack.cloud", "localhost:4566"),
        (None, "1.dkr.ecr.us-east-1.amazonaws.com", "1.dkr.ecr.us-east-1.amazonaws.com"),
    ],
)
def test_local_names_mean_the_host_of_the_endpoint(
    tmp_path: Path, endpoint: str | None, host: str, registry: str
) -> None:
    fake = ScriptedAws()
    fake.aws.access = Access(region="us-east-1", endpoint_url=endpoint, credentials=Credentials())
    assert Promoter(fake.aws, Store(tmp_path)).registry_of(host) == registry
