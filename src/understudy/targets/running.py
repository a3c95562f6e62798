"""What runs on a target now: read from the target, whatever was built here since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from understudy.errors import UnderstudyError
from understudy.manifests.model import Stack
from understudy.reconcile import observe, release
from understudy.reconcile.aws import Aws
from understudy.reconcile.model import Observed
from understudy.reconcile.rollout import aliases, probes, subjects
from understudy.reconcile.rollout.model import Subject
from understudy.reconcile.services import ecr
from understudy.reconcile.services.lambda_ import LATEST
from understudy.targets import stack as stacks
from understudy.targets.target import Target
from understudy.targets.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What callers of one function get.

    Attributes:
        alias: empty where the function has none.
        version: what runs.
        digest: of its image, read back from the target.
        previous: version before; empty when it is the same, or there was none.
        is_new: whether the alias was just made.
    """

    function: str
    alias: str
    version: str
    digest: str
    previous: str = ""
    is_new: bool = False

    def __str__(self) -> str:
        return f"{self.function}:{self.alias}" if self.alias else self.function


class Running:
    """The functions of a project on a target."""

    def __init__(self, workspace: Workspace, target: Target, aws: Aws) -> None:
        self._workspace = workspace
        self._target = target
        self._aws = aws
        self._known: Stack | None = None

    @property
    def _stack(self) -> Stack:
        if self._known is None:
            project = self._workspace.project
            digests = stacks.any_digests(project)
            self._known = stacks.load(self._workspace.root, project, self._target, digests)
        return self._known

    def subjects(self) -> Iterator[tuple[str, Subject]]:
        """Yields the functions that run images of the project, each with its image's name."""
        found = subjects.of_stack(self._stack)
        for name in self._workspace.project.images:
            for one in release.of_image(self._stack, name):
                yield name, found[one.function]

    def live(self, subject: Subject) -> Live:
        """What callers of a function get.

        Raises:
            UnderstudyError: the function, or its alias, is not there.
        """
        alias = subject.aliases[0] if subject.aliases else ""
        found = aliases.find(self._aws, subject.function, alias) if alias else None
        version = found.version if found else LATEST
        digest = probes.running_digest(self._aws, subject.function, version)
        if not digest or (alias and not found):
            raise UnderstudyError(
                "not-deployed",
                f"function {subject.function} was not deployed to target {self._target.name}",
                hint=f"./understudy deploy --target {self._target.name}",
            )
        return Live(function=subject.function, alias=alias, version=version, digest=digest)

    def tags(self, digests: Mapping[str, str]) -> tuple[str, ...]:
        """The tags that images of these digests carry in their repositories: what all of them have."""
        stack = stacks.load(self._workspace.root, self._workspace.project, self._target, digests)
        keyed = {one.key: one for one in stack}
        found = [
            set(ecr.image_tags(self._aws, observe.repository_name(image, keyed), image.digest) or ())
            for image in stack.images
        ]
        return ("latest", *sorted(set.intersection(*found) - {"latest"})) if found else ("latest",)

    def door(self, subject: Subject) -> Observed:
        """What leads HTTP requests to a function, as far as it is there."""
        wanted = self._stack.get(subject.door) if subject.door else None
        found = observe.resource(self._aws, wanted, {}) if wanted else None
        return Observed(resources={found.key: found} if found else {})


def url(target: Target, subject: Subject, observed: Observed) -> str:
    """Base URL of a function; empty when HTTP does not reach it."""
    door = observed.get(subject.door) if subject.door else None
    if door is None:
        return ""
    if door.key.kind == "FunctionURLConfig":
        return target.function_url(door.status.get("functionURL", "").rstrip("/"))
    api_id = door.status["id" if door.key.kind == "RestAPI" else "apiID"]
    return target.api_url(api_id) + subject.path
