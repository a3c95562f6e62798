"""The OCI distribution protocol on the engine's port: what `docker push`, skopeo and containerd speak.

Repositories are ECR's, and as on ECR a push to one that was not created is refused. Nothing is ever kept in
memory but a piece of a blob. Credentials are optional: the engine listens on loopback only, and who can reach
it can read its store as well; what is sent must still be a plausible ECR login.

OCI Distribution Specification 1.1, https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

from collections.abc import Awaitable, Callable, Mapping

from understudy.engine.ecr import Registry, Repositories, Uploads, registry_of_host
from understudy.engine.protocol import ApiError, Receive, Scope, Send
from understudy.engine.registry import model, wire
from understudy.engine.registry.blobs import BlobResource
from understudy.engine.registry.manifests import ManifestResource
from understudy.engine.registry.model import RegistryError, Route
from understudy.engine.registry.wire import ClientGoneError, Request, Response

_PAGE_LENGTH = 1000

Handler = Callable[[Request, Registry, Route], Awaitable[Response]]


class RegistryRouter:
    """Raw ASGI router for ``/v2/``.

    Shares its uploads with ECR's layer operations. `default_registry` is what any host name but one of ECR's
    own means: which hosts are this engine's at all is decided before, by its origin rule.
    """

    def __init__(
        self, repositories: Repositories, uploads: Uploads, *, default_registry: Registry | None = None
    ) -> None:
        self._repositories = repositories
        self._default = default_registry or Registry()
        blobs = BlobResource(repositories, uploads)
        manifests = ManifestResource(repositories)
        self._handlers: Mapping[str, Mapping[str, Handler]] = {
            "ping": {"GET": self._ping, "HEAD": self._ping},
            "catalog": {"GET": self._catalog},
            "tags": {"GET": self._tags},
            "manifest": {
                "GET": manifests.get,
                "HEAD": manifests.get,
                "PUT": manifests.put,
                "DELETE": manifests.delete,
            },
            "referrers": {"GET": manifests.referrers},
            "blob": {"GET": blobs.get, "HEAD": blobs.get},
            "uploads": {"POST": blobs.start},
            "upload": {
                "GET": blobs.status,
                "PATCH": blobs.append,
                "PUT": blobs.finish,
                "DELETE": blobs.cancel,
            },
        }

    def matches(self, scope: Scope) -> bool:
        """Whether the request speaks the registry protocol; API Gateway's own ``/v2/apis`` does not."""
        if scope["type"] != "http" or not scope["path"].startswith("/v2"):
            return False
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        is_signed = headers.get(b"authorization", b"").startswith(b"AWS4-")
        is_api = b".execute-api." in headers.get(b"host", b"")
        return not (is_api or is_signed) and model.route(scope["path"]) is not None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = wire.request_of(scope, receive)
        try:
            response = await self._answer(request)
        except RegistryError as failure:
            response = wire.error(failure)
        except ApiError as failure:
            response = wire.error(model.from_api_error(failure))
        except ClientGoneError:
            return
        await wire.reply(response, send, head=request.method == "HEAD")

    async def _answer(self, request: Request) -> Response:
        route = model.route(request.path)
        registry = registry_of_host(request.host) or self._default
        if route is None:
            raise RegistryError(
                404, "NAME_UNKNOWN", f"{request.host}{request.path} is no address of this registry"
            )
        model.basic_password(request.headers.get("authorization"))
        methods = self._handlers[route.resource]
        handler = methods.get(request.method)
        if handler is None:
            allowed = ", ".join(methods)
            raise RegistryError(
                405, "UNSUPPORTED", f"{request.method} is not one of {allowed}", headers={"Allow": allowed}
            )
        return await handler(request, registry, route)

    async def _ping(self, _request: Request, _registry: Registry, _route: Route) -> Response:
        return wire.document(200, {})

    async def _catalog(self, request: Request, registry: Registry, _route: Route) -> Response:
        names = [each.name for each in self._repositories.all_of(registry)]
        page, headers = _page(request, names)
        return wire.document(200, {"repositories": page}, headers)

    async def _tags(self, request: Request, registry: Registry, route: Route) -> Response:
        repository = self._repositories.get(registry, route.name)
        tags = sorted(tag for image in self._repositories.images(repository) for tag in image.tags)
        page, headers = _page(request, tags)
        return wire.document(200, {"name": route.name, "tags": page}, headers)


def _page(request: Request, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Returns the names behind ``last``, at most ``n``, and a Link header when more remain."""
    asked = request.query.get("n", "")
    if asked and not asked.isdigit():
        raise RegistryError(400, "PAGINATION_NUMBER_INVALID", f"n is {asked!r}, expected a whole number")
    length = int(asked) if asked else _PAGE_LENGTH
    last = request.query.get("last", "")
    rest = [name for name in names if name > last]
    page = rest[:length]
    if not page or len(rest) <= length:
        return page, {}
    return page, {"Link": f'<{request.path}?n={length}&last={page[-1]}>; rel="next"'}
