"""Whether Lambda would start a function from a snapshot in place of running init (SnapStart).

Container images can have it since July 2026 (https://aws.amazon.com/about-aws/whats-new/2026/07/
aws-lambda-snapstart-container/); pages and answers from before say that they cannot. AWS's own bases for
Python 3.12 or later need nothing for it; every other image has to call ``/restore/next`` or carry a label,
else publishing fails (https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-custom.html). It
excludes provisioned concurrency, EFS and more than 512 MB of ``/tmp``, takes published versions only, and
bills the snapshot's caching and each restore (https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html).
How long a restore takes cannot be measured here, and no figure is made up for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.coldstart.watched import Suggestion

if TYPE_CHECKING:
    from understudy.coldstart.model import Subject
    from understudy.image.rootfs_view import RootfsView

LABEL = "com.amazonaws.lambda.feature.snapstart"
_ENTRYPOINT = "/lambda-entrypoint.sh"
_BOOTSTRAP = "/var/runtime/bootstrap"
_LIBRARIES = "/var/lang/lib"
_VERSION = re.compile(r"python3\.(?P<minor>\d+)t?\Z")
_LEAST_MINOR = 12
_TMP_MB = 512
_ELIGIBLE = (
    "SnapStart takes this image: published versions restore a snapshot in place of running init. "
    "What that saves only AWS can show; caching and each restore are billed"
)
_TURN_ON = (
    "snapStart: {applyOn: PublishedVersions} of the Function in the overlay of a target on AWS, then deploy; "
    "all that are restored share what init makes, so make nothing unique there"
)
_NO_HOOKS = (
    "its base is not AWS's for Python 3.12 or later",
    f'LABEL {LABEL}="Allow" where init makes nothing that has to be unique, or a runtime client that calls '
    "/restore/next",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """What an image and its function have to do with SnapStart.

    Attributes:
        has_hooks: whether the base does what a snapshot needs, or the image says that it needs nothing.
        ephemeral_mb: size of ``/tmp``.
    """

    has_hooks: bool
    ephemeral_mb: int


def of(view: RootfsView, subject: Subject) -> Eligibility:
    """The eligibility of an image as its function runs it; a stand-in counts as what it stands for.

    Args:
        view: of the image.
        subject: of the same.
    """
    spec = subject.spec
    is_aws = spec.entrypoint[:1] == (_ENTRYPOINT,) and view.resolve(_BOOTSTRAP) is not None
    own = is_aws and _minor(view.names(_LIBRARIES)) >= _LEAST_MINOR
    return Eligibility(has_hooks=own or subject.labels.get(LABEL) == "Allow", ephemeral_mb=spec.ephemeral_mb)


def suggestion(found: Eligibility) -> Suggestion:
    """What to know about SnapStart for an image; it saves what nobody can tell here."""
    missing = [] if found.has_hooks else [_NO_HOOKS]
    if found.ephemeral_mb > _TMP_MB:
        missing.append((f"{found.ephemeral_mb} MB of ephemeral storage", f"ephemeralStorage.size: {_TMP_MB}"))
    refused = "; ".join(reason for reason, _ in missing)
    return Suggestion(
        rule="snapstart",
        what=f"SnapStart does not take this image as it is: {refused}" if missing else _ELIGIBLE,
        fix="; ".join(fix for _, fix in missing) or _TURN_ON,
        saves_ms=None,
        subject="SnapStart",
    )


def _minor(names: list[str]) -> int:
    """Of the Python whose library is among `names`; 0 for none."""
    return max((int(found["minor"]) for found in map(_VERSION.match, names) if found), default=0)
