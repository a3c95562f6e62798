"""How FROM finds its image: the store, then the registry, then, for AWS's Python base alone, the stand-in."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Final, Protocol

from understudy.image import atomic, reference
from understudy.image.base import build
from understudy.image.builder import BuildEvent, ResolvedBase, StandInUsed, Work, cache
from understudy.image.registry import RegistryClient, RegistryUnreachableError, Timeouts
from understudy.image.registry import auth as registry_auth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from understudy.image.model import Image
    from understudy.image.reference import Ref
    from understudy.image.steps import StepRunner
    from understudy.image.store import Store

_STAND_INS: Final = {
    # public.ecr.aws/lambda/python:3.13, 3.13-x86_64 and dated ones such as 3.13.2025.06.10.15
    "python3.13": re.compile(r"3\.13(?:-x86_64|\.\d{4}\.\d{2}\.\d{2}\.\d{2}(?:-x86_64)?)?"),
}
_REPOSITORIES: Final = frozenset({"public.ecr.aws/lambda/python", "docker.io/amazon/aws-lambda-python"})
_PLATFORM: Final = "linux/amd64"
_FORGET_AFTER_S: Final = 900.0


class Registry(Protocol):
    """Where images come from; `registry.RegistryClient` behind one function."""

    def __call__(self, ref: Ref, platform: str) -> Image:
        """Returns the image, with all its blobs in the store.

        Raises:
            RegistryUnreachableError: the registry does not answer.
            UnderstudyError: it answers, and not with the image.
        """
        ...


def stands_in_for(ref: Ref, platform: str) -> str | None:
    """Returns the name of the base that can replace `ref`, None when nothing can."""
    if ref.name not in _REPOSITORIES or ref.digest or platform != _PLATFORM:
        return None
    for name, pattern in _STAND_INS.items():
        if pattern.fullmatch(ref.tag or ""):
            return name
    return None


def _told(wanted: Ref, error: RegistryUnreachableError) -> RegistryUnreachableError:
    """`error`; for AWS's Python also which image of it would have had a stand-in."""
    if wanted.name not in _REPOSITORIES:
        return error
    known = ", ".join(build.NAMES.values())
    return RegistryUnreachableError(
        error.code,
        f"{error.message}; a stand-in is known for {known} on {_PLATFORM} alone",
        hint=error.hint,
        where=str(wanted),
        retryable=error.retryable,
    )


class FallbackResolver:
    """Finds bases for a build; remembers which registries did not answer.

    Args:
        store: where images are looked up and kept.
        pull: brings an image from its registry into the store.
        steps: builds the stand-in when it is missing.
        progress: hears of pulls and stand-ins.
        refresh: whether registries are asked although the store has the image.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        pull: Registry,
        steps: StepRunner,
        *,
        progress: Callable[[BuildEvent], None],
        refresh: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._pull = pull
        self._steps = steps
        self._progress = progress
        self._refresh = refresh
        self._clock = clock
        self._silent: dict[str, RegistryUnreachableError] = {}
        self._resolved: dict[tuple[str, str], ResolvedBase] = {}

    def resolve(self, ref: str, platform: str) -> ResolvedBase:
        """Returns the image for a FROM line.

        Raises:
            ReferenceInvalidError: `ref` is no reference.
            UnderstudyError: neither the store nor the registry has it, and nothing stands in for it.
        """
        key = (ref, platform)
        if key not in self._resolved:
            self._resolved[key] = self._found(reference.parse(ref), platform)
        return self._resolved[key]

    def _found(self, wanted: Ref, platform: str) -> ResolvedBase:
        tag = f"{wanted}|{platform}"
        known = self._store.tags().get(tag)
        if known is not None and not self._refresh:
            return ResolvedBase(image=self._store.image(known))
        stand_in = stands_in_for(wanted, platform)
        if stand_in is not None and self._was_silent(wanted.registry):
            return self._stand_in(wanted, stand_in, f"{wanted.registry} did not answer a moment ago")
        try:
            image = self._pulled(wanted, platform)
        except RegistryUnreachableError as exc:
            self._remember(wanted.registry, exc)
            if stand_in is None:
                raise _told(wanted, exc) from exc
            return self._stand_in(wanted, stand_in, exc.message)
        self._store.tag(tag, image.digest)
        return ResolvedBase(image=image)

    def _pulled(self, wanted: Ref, platform: str) -> Image:
        if wanted.registry in self._silent:
            raise self._silent[wanted.registry]
        self._progress(Work(message=f"pulling {wanted} for {platform}"))
        return self._pull(wanted, platform)

    def _stand_in(self, wanted: Ref, name: str, reason: str) -> ResolvedBase:
        self._progress(StandInUsed(ref=str(wanted), reason=reason))
        image = build.build_base(name, store=self._store, steps=self._steps, progress=self._progress)
        return ResolvedBase(image=image, stand_in_for=build.NAMES[name])

    def _was_silent(self, registry: str) -> bool:
        """Whether an earlier build found the registry silent; without this every build would wait for it."""
        if self._refresh:
            return False
        if registry in self._silent:
            return True
        try:
            document = json.loads(self._note(registry).read_bytes())
            at = float(document["at"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return False
        return 0 <= self._clock() - at < _FORGET_AFTER_S

    def _remember(self, registry: str, error: RegistryUnreachableError) -> None:
        self._silent[registry] = error
        note = self._note(registry)
        note.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(note, json.dumps({"registry": registry, "at": self._clock()}).encode())

    def _note(self, registry: str) -> Path:
        return self._store.root / "cache" / "silent" / f"{cache.key(registry)}.json"


def from_registries(store: Store, *, connect_s: float = 3.0) -> Registry:
    """Returns a puller that uses the credentials of `docker login` and gives up soon on silent hosts."""

    def pull(ref: Ref, platform: str) -> Image:
        auth = registry_auth.from_docker_config(ref.registry)
        with RegistryClient(ref.registry, auth=auth, timeouts=Timeouts(connect_s=connect_s)) as client:
            return client.pull(ref, store, platform=platform)

    return pull
