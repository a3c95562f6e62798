"""What the user types to run this program: ``./understudy`` in a checkout, ``understudy`` where installed.

Hints are written for the checkout. A process that this one starts is told by the environment.
"""

import os
import sys
from pathlib import Path

VARIABLE = "UNDERSTUDY_COMMAND"
_CHECKOUT, _INSTALLED = "./understudy", "understudy"


def name() -> str:
    """The command's name."""
    told = os.environ.get(VARIABLE)
    if told in (_CHECKOUT, _INSTALLED):
        return told
    return _INSTALLED if Path(sys.argv[0]).name == _INSTALLED else _CHECKOUT


def named(text: str) -> str:
    """`text` with the command as the user types it."""
    return text.replace(_CHECKOUT, name())
