"""What a repository's own code and Dockerfile say about its service; pure.

Decides as little as it can: what the code leaves open becomes a note, never a guess that looks like a fact.
"""

import ast
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.errors import UnderstudyError
from understudy.targets.init import apps, bindings, dockerfiles, generated, modules, names
from understudy.targets.init.dockerfiles import LambdaImage
from understudy.targets.init.model import (
    DevServer,
    FunctionInput,
    ImageInput,
    Note,
    Options,
    RouteInput,
    ServiceInput,
)
from understudy.targets.init.modules import Code
from understudy.targets.init.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """Where a function's code begins.

    Attributes:
        path: of the handler's module, or of the application's; empty when it is not in the repository.
        root: folder that its modules are imported from.
        app: `package.module:attribute` of its ASGI application; empty when there is none.
    """

    path: str = ""
    root: str = "."
    app: str = ""


def service(tree: Tree, options: Options) -> ServiceInput:
    """The service in a repository.

    Raises:
        UnderstudyError: there is nothing that could run on Lambda, or there are several such things.
    """
    trees = modules.parse(tree.python())
    image = _image(tree, options.dockerfile)
    if image is None:
        return _without_dockerfile(tree, trees, options)
    entry, notes = _entry(image, trees)
    inputs = ImageInput(context=image.context, dockerfile=image.path)
    found = _Parts(tree=tree, trees=trees, entry=entry, options=options, image=image)
    return found.service(inputs, notes)


def _without_dockerfile(tree: Tree, trees: Mapping[str, ast.Module], options: Options) -> ServiceInput:
    """The service of an application that no Dockerfile brings to Lambda yet."""
    handlers, applications = apps.handlers(trees), apps.applications(trees)
    chosen = next(iter((*handlers, *applications)), None)
    if chosen is None:
        raise UnderstudyError(
            "init-nothing",
            f"{tree.name} holds no Dockerfile for Lambda, and no Mangum() or FastAPI() in its Python files",
            hint="run it where the service's code is: understudy init FOLDER",
        )
    root = _import_root(chosen.path, trees)
    package = modules.name_in(chosen.path, root)
    written, handler = {}, f"{package}.{chosen.name}"
    if not handlers:
        place = generated.HANDLER_MODULE + ".py"
        written[place if root == "." else f"{root}/{place}"] = generated.handler(package, chosen.name)
        handler = f"{generated.HANDLER_MODULE}.handler"
    with_mangum = not generated.requires(tree, "mangum")
    text, notes = generated.dockerfile(tree, root, handler, with_mangum=with_mangum)
    # Somebody else's Dockerfile, one that starts a server, keeps its name.
    path = "Dockerfile.lambda" if "Dockerfile" in tree.paths else "Dockerfile"
    written[path] = text
    if ".dockerignore" not in tree.paths:
        written[".dockerignore"] = generated.IGNORED
    app = chosen.wraps or ("" if handlers else chosen.name)
    entry = _Entry(path=chosen.path, root=root, app=f"{package}:{app}" if app else "")
    others = [one for one in (handlers or applications)[1:] if one.path != chosen.path]
    told = [
        Note(subject=chosen.path, text=f"taken as the service's entry; also possible: {one.path}:{one.name}")
        for one in others
    ]
    found = _Parts(tree=tree, trees=trees, entry=entry, options=options)
    return found.service(ImageInput(context=".", dockerfile=path), [*notes, *told], written)


def _image(tree: Tree, wanted: str) -> LambdaImage | None:
    """The image of the one Dockerfile that Lambda can run, or of the one that the user named."""
    paths = (wanted,) if wanted else tree.dockerfiles()
    found = [image for path in paths if (image := dockerfiles.read(tree, path)) is not None]
    if wanted and not found:
        raise UnderstudyError(
            "init-dockerfile",
            f"{wanted} describes no image that Lambda runs: its base is not AWS's, and it has neither "
            "awslambdaric nor the Lambda Web Adapter",
            hint="understudy init, without its name, writes a Dockerfile beside it",
            where=wanted,
        )
    nearest = [image for image in found if image.path.count("/") == found[0].path.count("/")]
    plain = [image for image in nearest if posixpath.basename(image.path) == "Dockerfile"]
    candidates = plain or nearest
    if len(candidates) > 1:
        listed = ", ".join(image.path for image in candidates)
        raise UnderstudyError(
            "init-several",
            f"{tree.name} holds several Dockerfiles for Lambda: {listed}",
            hint=f"name one: understudy init {candidates[0].path}",
        )
    return candidates[0] if candidates else None


def _entry(image: LambdaImage, trees: Mapping[str, ast.Module]) -> tuple[_Entry, list[Note]]:
    """Where the code of an image's handler begins, in the repository."""
    if not image.handler:
        found = next(iter(apps.applications(trees)), None)
        if found is None:
            return _Entry(), []
        root = _import_root(found.path, trees)
        return _Entry(path=found.path, root=root, app=_application(found.path, trees, root)), []
    name, _, attribute = image.handler.replace("/", ".").rpartition(".")
    path = modules.find(name, trees, image.context) or ""
    if not path:
        text = f"CMD of {image.path} names it, and no file of the repository is module {name}"
        return _Entry(), [Note(subject=image.handler, text=text)]
    notes = []
    if not apps.defines(trees[path], attribute):
        notes.append(Note(subject=image.handler, text=f"{path} does not define {attribute}"))
    wraps = next((one.wraps for one in apps.handlers({path: trees[path]}) if one.name == attribute), "")
    root = modules.root_of(path, name)
    app = f"{name}:{wraps}" if wraps else _application(path, trees, root)
    return _Entry(path=path, root=root, app=app), notes


def _application(path: str, trees: Mapping[str, ast.Module], root: str) -> str:
    """The likeliest application that importing the module at `path` loads, as a server is told of it."""
    loaded = {code.path: code.tree for code in modules.reached(path, trees, root)}
    found = next(iter(apps.applications(loaded)), None)
    return f"{modules.name_in(found.path, root)}:{found.name}" if found else ""


def _import_root(path: str, trees: Mapping[str, ast.Module]) -> str:
    """The folder that modules beside `path` are imported from: the first upwards that is no package."""
    folder = posixpath.dirname(path)
    while folder and f"{folder}/__init__.py" in trees:
        folder = posixpath.dirname(folder)
    top = folder.partition("/")[0]
    spelled = any(
        isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == top
        for tree in trees.values()
        for node in ast.walk(tree)
    )
    # A folder without __init__.py is a package too when the code imports from it by its name.
    return "." if spelled or not folder else folder


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A repository whose entry is known.

    Attributes:
        image: what its Dockerfile says; None for one that is only written now.
    """

    tree: Tree
    trees: Mapping[str, ast.Module]
    entry: _Entry
    options: Options
    image: LambdaImage | None = None

    def service(
        self, inputs: ImageInput, notes: Sequence[Note], written: Mapping[str, str] | None = None
    ) -> ServiceInput:
        """The service of one function."""
        name = names.slug(self._name())
        codes = self._codes()
        set_by_image = self.image.variables if self.image else frozenset[str]()
        needs = bindings.Needs(set_by_image=set_by_image, samples=self._samples(), tables=self.options.tables)
        bound = bindings.bind(name, codes, needs)
        server, told = self._dev_server()
        function = FunctionInput(
            name=name,
            image=inputs,
            architecture=self.image.architecture if self.image else "x86_64",
            variables=bound.variables,
            local_variables=bound.local_variables,
            statements=bound.statements,
        )
        return ServiceInput(
            name=name,
            functions=(function,),
            routes=(RouteInput(key="$default", function=name),),
            resources=bound.resources,
            dev_server=server,
            account=self.options.account,
            notes=(*notes, *bound.notes, *told),
            generated=written or {},
        )

    def _name(self) -> str:
        """The repository's name, or that of the one service of several that the user named."""
        context = self.image.context if self.image and self.options.dockerfile else "."
        return self.tree.name if context == "." else posixpath.basename(context)

    def _codes(self) -> tuple[Code, ...]:
        if self.entry.path:
            return modules.reached(self.entry.path, self.trees, self.entry.root)
        return tuple(Code(name=path, path=path, tree=tree) for path, tree in self.trees.items())

    def _samples(self) -> dict[str, str]:
        """Values of variables in the repository's own example of a `.env`."""
        found = {}
        for path, text in self.tree.texts.items():
            if posixpath.basename(path).startswith(".env"):
                for line in text.splitlines():
                    key, equals, value = line.removeprefix("export ").partition("=")
                    if equals and not key.lstrip().startswith("#"):
                        found[key.strip()] = value.split(" #")[0].strip().strip("\"'")
        return found

    def _dev_server(self) -> tuple[DevServer | None, list[Note]]:
        if not self.entry.app:
            return None, []
        if not generated.serves(self.tree):
            reason = "uvicorn is not among the requirements"
        elif self.image and self.image.packages_beside_code:
            reason = "packages lie beside the code, which the server's mount would hide"
        else:
            return DevServer(app=self.entry.app, source=self.entry.root), []
        return None, [Note(subject="devServer", text=f"no development server: {reason}")]
