"""Brings built images and manifests to a target: render, observe, plan, push, apply; or one image alone."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.manifests.model import ImageBinding, ResourceKey, Stack
from understudy.reconcile import adoption, function_logs, invocation, release, retention
from understudy.reconcile import apply as applier
from understudy.reconcile import observe as observer
from understudy.reconcile import plan as planner
from understudy.reconcile.function_logs import LogLine
from understudy.reconcile.invocation import Invocation
from understudy.reconcile.manager import Mover
from understudy.reconcile.model import ApplyReport, Observed, OnEvent, Plan
from understudy.reconcile.promotion import Promoter
from understudy.reconcile.release import Release
from understudy.reconcile.rollout import subjects
from understudy.reconcile.services import ecr
from understudy.targets import built
from understudy.targets import stack as stacks
from understudy.targets.target import Target
from understudy.targets.uploads import Uploads
from understudy.targets.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a deployment left behind.

    Attributes:
        stack: the rendered manifests.
        observed: the resources afterwards.
        plan: what was decided.
        report: what was done.
    """

    stack: Stack
    observed: Observed
    plan: Plan
    report: ApplyReport

    def api_id(self) -> str:
        """The id of the stack's HTTP API, else of its REST API; empty when it has none."""
        return self.api()[0]

    def api(self) -> tuple[str, str]:
        """The id of that API, and what its paths start with: the stage, where callers have to name it."""
        for api in self.stack.of_kind("API"):
            found = self.observed.get(api.key)
            if found is not None:
                stage = subjects.stage(self.stack, api.key)
                return found.status.get("apiID", ""), "" if stage == "$default" else f"/{stage}"
        for one in self.stack.of_kind("RestStage"):
            found = self.observed.get(one.key)
            if found is not None:
                return found.status["restAPIID"], f"/{found.status['stageName']}"
        return "", ""

    def functions_of(self, image: str) -> Iterator[tuple[str, str]]:
        """Yields ``NAME:ALIAS`` of each function that runs `image`, with its function URL or nothing."""
        for one in release.of_image(self.stack, image):
            yield _qualified(one), self._url(one.function)

    def _url(self, function: str) -> str:
        for url in self.stack.of_kind("FunctionURLConfig"):
            found = self.observed.get(url.key)
            if found is not None and url.spec["functionName"] == function:
                return found.status.get("functionURL", "").rstrip("/")
        return ""


class PushGate(Protocol):
    """Says which images may be pushed."""

    def check(self, digests: Mapping[str, str]) -> object:
        """Returns when all of these images may; raises `UnderstudyError` otherwise."""


class Deployment:
    """One workspace on one target; keeps the clients between calls.

    Args:
        gate: asked before anything is pushed; None for a caller that has asked it already.

    Attributes:
        notices: what was worth knowing so far and stopped nothing.
    """

    def __init__(
        self, workspace: Workspace, target: Target, store: Store, gate: PushGate | None = None
    ) -> None:
        self._workspace = workspace
        self._target = target
        self._store = store
        self._gate = gate
        self._passed: set[tuple[str, str]] = set()
        self.notices: list[str] = []
        self.aws = target.session()
        self._promoter = Promoter(self.aws, store)

    def tell_pushes(self, say: Callable[[str], None]) -> None:
        """Has `say` told, from several threads, how far each push is."""
        self._promoter.progress = Uploads(say)

    @property
    def target(self) -> Target:
        """Where the stack runs."""
        return self._target

    def built(self) -> dict[str, str]:
        """The digest of each image of the project that has been built, by name.

        Raises:
            UnderstudyError: one has not been built yet.
        """
        return built.digests(self._workspace, self._store)

    def check(self, digests: Mapping[str, str]) -> None:
        """Returns when these images may be pushed; asks the gate once for each.

        Raises:
            UnderstudyError: one may not; nothing has been pushed.
        """
        asked = {name: digest for name, digest in digests.items() if (name, digest) not in self._passed}
        if self._gate is not None and asked:
            self._gate.check(asked)
        self._passed.update(asked.items())

    def variables_of(self, image: str, digests: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of the first function that runs `image`, as the manifests state them."""
        stack = stacks.load(self._workspace.root, self._workspace.project, self._target, digests)
        names = {one.function for one in release.of_image(stack, image)}
        for function in stack.of_kind("Function"):
            environment = function.spec.get("environment")
            if function.spec["name"] in names and isinstance(environment, Mapping):
                variables = environment.get("variables")
                if isinstance(variables, Mapping):
                    return {name: str(value) for name, value in variables.items()}
        return {}

    def first_function(self, image: str) -> str:
        """``NAME:ALIAS`` of the first function that runs `image`.

        Raises:
            UnderstudyError: the manifests have no function that does.
        """
        stack = stacks.load(self._workspace.root, self._workspace.project, self._target, self.built())
        for one in release.of_image(stack, image):
            return _qualified(one)
        raise UnderstudyError(
            "function-missing",
            f"no Function of the manifests runs image {image}",
            hint="name a function: ./understudy get Function lists them",
        )

    def invoke(self, function: str, payload: bytes) -> Invocation:
        """Returns the outcome of invoking a function, written ``NAME`` or ``NAME:QUALIFIER``.

        Raises:
            UnderstudyError: nothing answers at the target, or there is no such function.
        """
        self.check_function(function)
        return invocation.invoke(self.aws, function, payload)

    def check_function(self, function: str) -> None:
        """Returns when the target has a function, written ``NAME`` or ``NAME:QUALIFIER``.

        Raises:
            UnderstudyError: it has none of that name, or nothing answers there.
        """
        self._target.guard()
        client = self.aws.lambda_()
        if self.aws.find(client.get_function_configuration, FunctionName=function) is None:
            raise UnderstudyError(
                "function-absent",
                f"target {self._target.name} has no function {function}",
                hint="./understudy get Function lists them, ./understudy apply creates them",
            )

    def log_lines(self, function: str, since_ms: int, pattern: str = "") -> Iterator[LogLine]:
        """Yields the log lines of a function, written ``NAME`` or ``NAME:QUALIFIER``, oldest first."""
        self._target.guard()
        group = f"/aws/lambda/{function.partition(':')[0]}"
        return function_logs.lines(self.aws, group, since_ms=since_ms, pattern=pattern)

    def plan(
        self, digests: Mapping[str, str], tags: Sequence[str], description: str = ""
    ) -> tuple[Stack, Observed, Plan]:
        """Returns the rendered stack, what exists of it, and what apply would do.

        Args:
            digests: digest of each built image, by its name in the project file.
            tags: tags that the images carry in their repositories.
            description: of versions that are published, where the manifest gives none.
        """
        self._target.guard()
        stack = stacks.load(
            self._workspace.root, self._workspace.project, self._target, digests, tags=tuple(tags)
        )
        stack = release.described(stack, description)
        observed = observer.observe(stack, self.aws)
        if self._target.guarded:
            # Other targets publish with every save: old versions are nobody's way back there.
            told = retention.notices(self.aws, stack, now=time.time())
            self.notices += [text for text in told if text not in self.notices]
        return stack, observed, planner.plan(stack, observed)

    def apply(
        self,
        digests: Mapping[str, str],
        tags: Sequence[str],
        on_event: OnEvent = lambda _: None,
        approve: Callable[[Plan], None] = lambda _: None,
    ) -> Deployed:
        """Converges the target.

        Args:
            digests: digest of each built image, by its name in the project file.
            tags: tags that the images carry in their repositories.
            on_event: told about each step as it happens, from several threads.
            approve: told the plan before the first write; raises to stop it.

        Raises:
            UnderstudyError: an image may not be pushed, a manifest is wrong, or a resource failed; what was
                done stays and the next apply goes on from there.
        """
        stack, _, plan = self.plan(digests, tags)
        self.check_owned(plan)
        self.check(digests)
        approve(plan)
        return self.carry_out(stack, plan, on_event)

    def check_owned(self, plan: Plan) -> None:
        """Returns when the plan takes nothing over in an account of AWS.

        Raises:
            UnderstudyError: it would; nothing has been written.
        """
        if self._target.guarded:
            adoption.check(plan)

    def carry_out(
        self, stack: Stack, plan: Plan, on_event: OnEvent = lambda _: None, mover: Mover | None = None
    ) -> Deployed:
        """Does what was planned for images that were checked; `mover` moves the aliases.

        Raises:
            UnderstudyError: a resource failed; what was done stays.
        """
        report = applier.apply(
            plan,
            self.aws,
            on_event,
            pusher=self._promoter,
            mover=mover,
            lock_path=self._workspace.layout.apply_lock(self._target.name),
        )
        deployed = Deployed(stack=stack, observed=report.observed, plan=plan, report=report)
        for image in stack.images:
            self.attach(deployed, image.name, image.digest)
        return deployed

    def attach(self, deployed: Deployed, name: str, digest: str) -> None:
        """Pushes what is attached to an image next to it; a registry that takes none is told, not fatal."""
        repository = deployed.observed.get(ResourceKey("Repository", self._workspace.image(name).repository))
        if repository is not None:
            self._attach(name, digest, repository.status["repositoryURI"])

    def attach_to_repositories(self, digests: Mapping[str, str]) -> None:
        """As `attach`, for images that were deployed before."""
        stack = stacks.load(self._workspace.root, self._workspace.project, self._target, digests)
        for image in stack.images:
            repository = observer.repository_name(image, {one.key: one for one in stack})
            uri = ecr.repository_uri(self.aws, repository)
            if uri is not None:
                self._attach(image.name, image.digest, uri)

    def _attach(self, name: str, digest: str, uri: str) -> None:
        try:
            self._promoter.attach(digest, uri)
        except UnderstudyError as error:
            self.notices.append(f"the proof of {name} was not pushed: {error.message}")

    def push(self, name: str, digest: str, tags: Sequence[str]) -> str:
        """Pushes one image and returns ``REPOSITORY_URI@DIGEST``.

        Raises:
            UnderstudyError: the project has no such image, it may not be pushed, the repository does not
                exist yet, or it refused the image.
        """
        section = self._workspace.image(name)
        self._target.guard()
        self.check({name: digest})
        stack = stacks.load(self._workspace.root, self._workspace.project, self._target, self.built())
        binding = ImageBinding(name=name, repository=section.repository, digest=digest, tags=tuple(tags))
        repository = observer.repository_name(binding, {one.key: one for one in stack})
        uri = ecr.repository_uri(self.aws, repository)
        if uri is None:
            raise _no_repository(repository)
        self._promoter.push(binding, uri)
        self._attach(name, digest, uri)
        return f"{uri}@{digest}"

    def release(self, deployed: Deployed, name: str, digest: str, tags: Sequence[str]) -> None:
        """Makes the functions of one image run a new digest; nothing else of the stack is looked at.

        Raises:
            UnderstudyError: the image was refused, or the function failed to take it.
        """
        section = self._workspace.project.images[name]
        repository = deployed.observed.get(ResourceKey("Repository", section.repository))
        if repository is None:
            raise _no_repository(section.repository)
        uri = repository.status["repositoryURI"]
        binding = ImageBinding(name=name, repository=section.repository, digest=digest, tags=tuple(tags))
        self._promoter.push(binding, uri)
        for one in release.of_image(deployed.stack, name):
            release.release(self.aws, one, f"{uri}@{digest}")


def _no_repository(name: str) -> UnderstudyError:
    return UnderstudyError(
        "repository-absent", f"Repository {name} does not exist", hint="./understudy apply"
    )


def _qualified(one: Release) -> str:
    return f"{one.function}:{one.aliases[0]}" if one.aliases else one.function
