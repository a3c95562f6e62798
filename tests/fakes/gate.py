"""A gate that knows its answer: what commands need of the verification before a push."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.errors import UnderstudyError
from understudy.targets.verification import VerificationFailedError


@dataclass
class FakeGate:
    """Lets everything pass, or refuses as told.

    Attributes:
        refusal: raised instead of letting anything pass.
        checked: what was asked about, in order.
        allowed: rules that the command line allowed.
    """

    refusal: UnderstudyError | None = None
    checked: list[dict[str, str]] = field(default_factory=list)
    allowed: dict[str, str] = field(default_factory=dict)

    def refuse(self) -> None:
        """Refuses from now on, as for an image of a wrong ABI."""
        self.refusal = VerificationFailedError(
            "verify-failed", "image shop would not start on Lambda\n\n✗ abi-mismatch", hint="rebuild"
        )

    def check(self, digests: Mapping[str, str]) -> tuple[()]:
        """Answers."""
        self.checked.append(dict(digests))
        if self.refusal is not None:
            raise self.refusal
        return ()
