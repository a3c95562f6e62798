"""The key that a project's proofs are signed with: its own, or one that machines share in a variable.

A proof that one machine writes counts on another only where both have the key: CI keeps it in a secret and
hands it over as ``UNDERSTUDY_PROOF_KEY`` (docs/decisions/0058).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from understudy.errors import UnderstudyError
from understudy.verify import proof

if TYPE_CHECKING:
    from understudy.targets.layout import Layout
    from understudy.verify.signing import Key

VARIABLE = "UNDERSTUDY_PROOF_KEY"


def load(layout: Layout) -> Key:
    """The key: from the variable where it is set, else from the project's file, made at first use.

    Raises:
        UnderstudyError: the variable or the file holds no ed25519 key.
    """
    # The cryptography behind it is only loaded where a proof is read or written.
    from understudy.verify.signing import Key  # noqa: PLC0415 - as above

    given = os.environ.get(VARIABLE)
    if not given:
        return Key.load(layout.state / proof.KEY_NAME)
    found = Key.parse(given.encode())
    if found is None:
        raise UnderstudyError(
            "proof-key",
            f"{VARIABLE} holds no ed25519 key in PEM",
            hint=f"set it to the text of {proof.KEY_NAME}, or unset it",
        )
    return found
