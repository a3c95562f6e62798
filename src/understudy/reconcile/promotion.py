"""Carries an image, and what is attached to it, from the store into the target's repository, byte for byte.

The digest that was built is the digest that the repository answers with, or the push is an error.
"""

import base64
from urllib.parse import urlsplit

from understudy.image.registry import Auth, Progress, PushReport, RegistryClient, silent
from understudy.image.registry.http import RegistryHttp, through
from understudy.image.registry.referrers import ReferrerTransfer
from understudy.image.store import Store, attachments
from understudy.manifests.model import ImageBinding
from understudy.reconcile.aws import Aws

_LOCAL_SUFFIXES = ("localhost", "localhost.localstack.cloud")


class Promoter:
    """Pushes images; what `apply` takes as its pusher.

    Attributes:
        progress: told what each blob does.
        reports: what each push moved, by image name.
    """

    def __init__(self, aws: Aws, store: Store, *, progress: Progress = silent) -> None:
        self._aws = aws
        self._store = store
        self.progress = progress
        self._known: Auth | None = None
        self._homes: dict[str, dict[str, str]] = {}
        self.reports: dict[str, PushReport] = {}

    def push(self, image: ImageBinding, repository_uri: str) -> None:
        """Returns once the repository holds the image's digest under all its tags.

        A blob that another image of this run brought into the registry is mounted from there.

        Raises:
            UnderstudyError: the image is not in the store, the registry refused it, or it holds another
                digest afterwards.
        """
        registry, repository, http = self._at(repository_uri)
        stored = self._store.image(image.digest)
        homes = self._homes.setdefault(registry, {})
        with RegistryClient(registry, http=http) as client:
            self.reports[image.name] = client.push(
                stored, self._store, repository, image.tags, mount_from=dict(homes), progress=self.progress
            )
        blobs = (stored.manifest.config, *stored.manifest.layers)
        homes.update((blob.digest, repository) for blob in blobs)

    def attach(self, digest: str, repository_uri: str) -> int:
        """Pushes what is attached to an image next to it; returns how many artifacts had to be sent.

        Raises:
            UnderstudyError: the registry refused one; the image itself is there all the same.
        """
        artifacts = [
            attachments.artifact(self._store, entry.digest)
            for entry in attachments.attached(self._store, digest)
        ]
        if not artifacts:
            return 0
        _, repository, http = self._at(repository_uri)
        with http:
            transfer = ReferrerTransfer(http, repository, self._store)
            return sum(transfer.push(artifact) for artifact in artifacts)

    def _at(self, repository_uri: str) -> tuple[str, str, RegistryHttp]:
        """The registry of a repository, the repository's name there, and how to speak to it."""
        host, _, repository = repository_uri.partition("/")
        address = self.address_of(host)
        endpoint = self._aws.access.endpoint_url
        http = RegistryHttp(
            host,
            auth=self._auth(),
            insecure_http=bool(endpoint and endpoint.startswith("http:")),
            transport=None if address == host else through(address),
        )
        return host, repository, http

    def address_of(self, host: str) -> str:
        """Host and port to connect to for a repository's host.

        `*.localhost.localstack.cloud` resolves only where the internet does: such names mean the host of
        the endpoint, at their own port. They are still what the registry is asked for, because they name
        the account.
        """
        endpoint = urlsplit(self._aws.access.endpoint_url or "")
        named = urlsplit(f"//{host}")
        name = named.hostname or ""
        if endpoint.hostname and any(name == end or name.endswith(f".{end}") for end in _LOCAL_SUFFIXES):
            return f"{endpoint.hostname}:{named.port or endpoint.port or 80}"
        return host

    def _auth(self) -> Auth:
        """The registry's credentials, asked for once: they last twelve hours."""
        if self._known is None:
            self._known = self._new_auth()
        return self._known

    def _new_auth(self) -> Auth:
        """Credentials from GetAuthorizationToken; a push that outlives them asks for others here."""
        answer = self._aws.call(self._aws.ecr().get_authorization_token)
        token = answer["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        self._known = Auth.basic(user, password, renew=self._new_auth)
        return self._known
