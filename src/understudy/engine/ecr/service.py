"""The service ``ecr``: one table of operations over repositories, images and layers (`api_*`).

Scanning is not emulated: scan-on-push flags are kept and reported, findings are refused by name.
"""

import base64
import secrets
from typing import Any

from understudy.engine.ecr import errors
from understudy.engine.ecr.api_images import ImageOperations
from understudy.engine.ecr.api_layers import LayerOperations
from understudy.engine.ecr.api_repositories import RepositoryOperations, timestamp
from understudy.engine.ecr.model import DEFAULT_PORT, Registry
from understudy.engine.ecr.repositories import Repositories
from understudy.engine.ecr.uploads import Uploads
from understudy.engine.protocol import Call, Operation

_TOKEN_LIFE_S = 12 * 3600


class EcrService:
    """ECR as the engine's dispatcher calls it."""

    name = "ecr"

    def __init__(self, repositories: Repositories, uploads: Uploads, *, port: int = DEFAULT_PORT) -> None:
        self._repositories = repositories
        self._port = port
        self.operations: dict[str, Operation] = {
            **RepositoryOperations(repositories, port).operations,
            **ImageOperations(repositories).operations,
            **LayerOperations(repositories, uploads, port).operations,
            "GetAuthorizationToken": self.authorization_token,
            "DescribeRegistry": self.describe_registry,
            "GetRegistryPolicy": self.get_registry_policy,
            "GetRegistryScanningConfiguration": self.get_registry_scanning,
        }

    async def authorization_token(self, call: Call) -> dict[str, Any]:
        """GetAuthorizationToken: a password for `docker login -u AWS`; the registry works without, too."""
        token = base64.b64encode(f"AWS:{secrets.token_urlsafe(48)}".encode()).decode()
        accounts = call.params.get("registryIds") or [call.account_id]
        expires = timestamp(self._repositories.now() + _TOKEN_LIFE_S)
        return {
            "authorizationData": [
                {
                    "authorizationToken": token,
                    "expiresAt": expires,
                    "proxyEndpoint": f"http://{self._host(call, account)}",
                }
                for account in accounts
            ]
        }

    def _host(self, call: Call, account: str) -> str:
        return Registry(account_id=account, region=call.region).host(self._port)

    async def describe_registry(self, call: Call) -> dict[str, Any]:
        """DescribeRegistry: nothing is replicated."""
        return {"registryId": call.account_id, "replicationConfiguration": {"rules": []}}

    async def get_registry_policy(self, call: Call) -> dict[str, Any]:
        """GetRegistryPolicy: none can be set here."""
        raise errors.registry_policy_not_found(call.account_id)

    async def get_registry_scanning(self, call: Call) -> dict[str, Any]:
        """GetRegistryScanningConfiguration: AWS's default, under which repositories decide."""
        return {"registryId": call.account_id, "scanningConfiguration": {"scanType": "BASIC", "rules": []}}
