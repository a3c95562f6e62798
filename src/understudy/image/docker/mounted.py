"""What RUN gets of this machine: BuildKit secrets for the step alone, in no layer, config or cache key.

Certificates are a file that programs have to be told of; pip is told by a pip.conf of its own, unless the
Dockerfile brings one. Environment variables cannot be given that way before BuildKit 0.16.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from understudy.image.builder.env import Host

# In a folder that every base has: BuildKit takes a mount point's file away again, and leaves its folder.
CA_FILE: Final = "/etc/understudy-ca.pem"
_PIP_FILE: Final = "/etc/pip.conf"
_PIP_OPTIONS: Final = ("index-url", "extra-index-url", "find-links", "trusted-host", "default-timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A file of this machine for every RUN.

    Attributes:
        identity: its name in the build.
        source: the file here.
        target: where RUN sees it.
    """

    identity: str
    source: Path
    target: str

    @property
    def flags(self) -> tuple[str, str]:
        """What the build command gets."""
        return ("--secret", f"id={self.identity},src={self.source}")

    @property
    def mount(self) -> str:
        """What RUN gets."""
        return f"--mount=type=secret,id={self.identity},target={self.target},mode=0444"


def secrets(host: Host, space: Path, dockerfile: str) -> tuple[Secret, ...]:
    """Returns the secrets of a build, their files written below `space`.

    Args:
        host: this machine.
        space: a private folder that outlives the build.
        dockerfile: its text; one that mentions a pip.conf keeps pip to itself.
    """
    found = []
    options = pip_options(host.variables())
    bundle = host.bundle()
    if bundle is not None:
        copy = shutil.copyfile(bundle, space / "ca.pem")
        found.append(Secret(identity="understudy-ca", source=copy, target=CA_FILE))
        options["cert"] = CA_FILE
    if options and "pip.conf" not in dockerfile:
        path = space / "pip.conf"
        path.write_text("\n".join(["[global]", *(f"{name} = {text}" for name, text in options.items()), ""]))
        found.append(Secret(identity="understudy-pip", source=path, target=_PIP_FILE))
    return tuple(found)


def mounts(found: Sequence[Secret]) -> str:
    """Returns the flags of RUN for these secrets, empty for none."""
    return " ".join(secret.mount for secret in found)


def pip_options(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns pip's settings as options of its file; folders of this machine are none of the build's."""
    found = {}
    for option in _PIP_OPTIONS:
        text = variables.get(f"PIP_{option.replace('-', '_').upper()}", "")
        words = [word for word in text.split() if not word.startswith(("/", "file:"))]
        if words:
            found[option.removeprefix("default-")] = " ".join(words)
    return found
