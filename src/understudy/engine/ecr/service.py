"""The service ``ecr``: one table of operations over repositories, images and layers (`api_*`).

Scanning is not emulated: scan-on-push flags are kept and reported, findings are refused by name.
"""

import asyncio
import base64
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from understudy.engine.ecr import errors
from understudy.engine.ecr.api_images import ImageOperations
from understudy.engine.ecr.api_layers import LayerOperations
from understudy.engine.ecr.api_repositories import RepositoryOperations, timestamp
from understudy.engine.ecr.model import DEFAULT_PORT, Registry
from understudy.engine.ecr.repositories import Repositories
from understudy.engine.ecr.uploads import Uploads
from understudy.engine.protocol import ApiError, Call, Operation
from understudy.errors import UnderstudyError

_TOKEN_LIFE_S = 12 * 3600
# AWS lets up to 24 hours pass: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
_EXPIRE_EVERY_S = 3600.0

logger = logging.getLogger(__name__)


class EcrService:
    """ECR as the engine's dispatcher calls it; `start` and `close` for what goes on between calls."""

    name = "ecr"

    def __init__(
        self,
        repositories: Repositories,
        uploads: Uploads,
        *,
        port: int = DEFAULT_PORT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._repositories = repositories
        self._uploads = uploads
        self._sleep = sleep
        self._expiring: asyncio.Task[None] | None = None
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

    def start(self) -> None:
        """Begins to run lifecycle rules by age, now and every hour; the others run with every push."""
        self._expiring = asyncio.get_running_loop().create_task(self._expire_hourly())

    async def close(self) -> None:
        """Lets go of uploads, which can go on after a restart, and of time."""
        if self._expiring is not None:
            self._expiring.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._expiring
            self._expiring = None
        await self._uploads.close()

    async def _expire_hourly(self) -> None:
        while True:
            try:
                expired = await self._repositories.expire_all()
            except (ApiError, UnderstudyError):
                # A repository may go away meanwhile, and another process may hold the store.
                logger.exception("ecr: lifecycle rules did not run")
            else:
                if expired:
                    logger.info("ecr: %d images expired by their lifecycle rules", expired)
            await self._sleep(_EXPIRE_EVERY_S)

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
