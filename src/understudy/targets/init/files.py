"""All files that a service needs to run here: the project file, the manifests, what was generated; pure."""

from understudy.manifests import emit
from understudy.manifests.model import Json
from understudy.targets.init import manifests
from understudy.targets.init.model import ServiceInput
from understudy.targets.init.tree import Tree, is_test
from understudy.targets.layout import PROJECT_FILE

PLACEHOLDER_ACCOUNT = "123456789012"
_PLATFORMS = {"arm64": "linux/arm64"}
_UNWATCHED = frozenset({"deploy", "understudy.yaml", "README.md", "LICENSE"})


def of(service: ServiceInput, tree: Tree) -> dict[str, str]:
    """Text by path, the project file first."""
    return {PROJECT_FILE: _project(service, tree), **service.generated, **manifests.files(service)}


def _project(service: ServiceInput, tree: Tree) -> str:
    document: dict[str, Json] = {
        "project": service.name,
        "images": {one.name: _image(service, one.name) for one in service.functions},
        "targets": {
            "local": {
                "type": "local",
                "endpoint": "http://localhost:4566",
                "overlay": "deploy/overlays/local",
            },
            "localstack": {
                "type": "localstack",
                "endpoint": "http://localhost:4566",
                "overlay": "deploy/overlays/localstack",
            },
            "preprod": {
                "type": "aws",
                "region": "us-east-1",
                "account": service.account or PLACEHOLDER_ACCOUNT,
                "overlay": "deploy/overlays/preprod",
                "production": True,
            },
        },
    }
    if service.dev_server is not None:
        document["devServer"] = {
            "image": service.functions[0].name,
            "app": service.dev_server.app,
            "port": 8000,
            "source": service.dev_server.source,
        }
    document["watch"] = {"paths": list(_watched(service, tree))}
    return emit.dump([document]).removeprefix("---\n")


def _image(service: ServiceInput, name: str) -> Json:
    image = next(one.image for one in service.functions if one.name == name)
    section: dict[str, Json] = {
        "context": image.context,
        "dockerfile": image.dockerfile,
        "repository": name,
    }
    architecture = next(one.architecture for one in service.functions if one.name == name)
    if architecture in _PLATFORMS:
        section["platform"] = _PLATFORMS[architecture]
    if image.build_target:
        section["buildTarget"] = image.build_target
    if image.build_args:
        section["buildArgs"] = dict(image.build_args)
    return section


def _watched(service: ServiceInput, tree: Tree) -> list[str]:
    """What saves of rebuild an image: contexts, and of the whole repository the parts that may be in one.

    The repository itself is never watched: the state of a running stack lies in it.
    """
    contexts = {one.image.context for one in service.functions}
    if "." not in contexts:
        return sorted({*contexts, *(one.image.dockerfile for one in service.functions)})
    tops = {path.partition("/")[0] for path in (*tree.paths, *tree.folders, *service.generated)}
    return sorted(
        top for top in tops if top not in _UNWATCHED and not top.startswith(".") and not is_test(f"{top}/x")
    )
