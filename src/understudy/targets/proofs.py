"""The gate before a guarded target: images that `verify` and the end-to-end suite have passed, on AWS's base.

Both halves are looked for, for exactly this digest, signed by this project's key. A reason in their place
passes, and stays on record where the image runs: in the version and on the function.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from understudy.errors import UnderstudyError
from understudy.image.builder import model
from understudy.image.store import Store
from understudy.reconcile.rollout import plan
from understudy.targets import proof_key, suite
from understudy.targets.target import Target
from understudy.targets.verification import Gate
from understudy.targets.workspace import Workspace
from understudy.verify import e2e
from understudy.verify.e2e import E2eProof

_COUNTS = ("local", "localstack")
_SHORT = len("sha256:") + 12


class ProofMissingError(UnderstudyError):
    """An image may not go to a guarded target; nothing was written there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What a deploy rests on.

    Attributes:
        words: for the description of a version.
        reason: why it goes without proof; empty when it has one, or the target asks for none.
    """

    words: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofGate:
    """Asks for the proofs of images.

    Attributes:
        workspace: the project.
        target: where they are to go.
        store: where they and their proofs are.
        gate: finds verify's half.
    """

    workspace: Workspace
    target: Target
    store: Store
    gate: Gate

    def check(self, digests: Mapping[str, str], reason: str) -> Proved:
        """Returns what these images rest on, once they may go to the target.

        Args:
            digests: by the image's name in the project file.
            reason: why they may go without proof; empty for no such wish.

        Raises:
            ProofMissingError: a half is missing, or an image is not on AWS's base, and no reason was given.
        """
        if not self.target.guarded:
            return Proved()
        problems = [one for name, digest in digests.items() for one in self._problems(name, digest)]
        if problems and reason:
            return Proved(words=plan.without_proof(reason), reason=reason)
        if problems:
            first, *others = problems
            told = "".join(f"\n  also: {one.message}" for one in others)
            raise ProofMissingError(first.code, f"{first.message}{told}", hint=first.hint)
        records = (record for digest in digests.values() for record in self._records(digest)[:1])
        return Proved(
            words="verified, E2E " + ", ".join(f"{one.target} {one.digest[:_SHORT]}" for one in records)
        )

    def _problems(self, name: str, digest: str) -> Iterator[UnderstudyError]:
        instead = f'or ./understudy deploy --target {self.target.name} --without-proof "REASON"'
        base = self.store.image(digest).config.labels.get(model.STAND_IN_LABEL)
        if base:
            yield UnderstudyError(
                "proof-stand-in",
                f"image {name} is on the stand-in for {base}, not on AWS's base",
                hint=f"build where {base} can be pulled, {instead}",
            )
        for launch in self.gate.launches({name: digest}):
            if self.gate.find(launch, digest) is None:
                yield UnderstudyError(
                    "proof-verify",
                    f"image {name}@{digest} has no proof of verify as function {launch.function} runs it",
                    hint=f"./understudy verify --target {self.target.name}, {instead}",
                )
        if not self._records(digest):
            yield UnderstudyError(
                "proof-e2e", self._without_e2e(name, digest), hint=self._suite_hint(instead)
            )

    def _records(self, digest: str) -> tuple[E2eProof, ...]:
        """The records of the suite as it is now, against targets that are no account of AWS."""
        try:
            now = suite.revision(self.workspace.root)
        except UnderstudyError:
            # No suite, so nothing can have passed it: `understudy e2e` says what to write.
            return ()
        return tuple(one for one in self._all(digest) if one.suite == now and one.target_type in _COUNTS)

    def _all(self, digest: str) -> tuple[E2eProof, ...]:
        return e2e.records(self.store, proof_key.load(self.workspace.layout), digest)

    def _without_e2e(self, name: str, digest: str) -> str:
        older = [one for one in self._all(digest) if one.target_type in _COUNTS]
        changed = f"; the suite changed since it passed on {older[0].target}" if older else ""
        return f"image {name}@{digest} has no record of the end-to-end suite on local or localstack{changed}"

    @staticmethod
    def _suite_hint(instead: str) -> str:
        return f"./understudy e2e --target local, {instead}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedGate:
    """The gate of commands that take no reason in the place of a proof.

    Attributes:
        proofs: asked once an image is known to start on Lambda.
    """

    proofs: ProofGate

    def check(self, digests: Mapping[str, str]) -> None:
        """Returns when these images may go to the target.

        Raises:
            UnderstudyError: one would not start on Lambda, or is not proved and the target wants that.
        """
        self.proofs.gate.check(digests)
        self.proofs.check(digests, "")
