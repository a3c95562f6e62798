"""A target's access as the variables that every AWS tool reads, for a program that is started with them."""

from understudy.errors import EnvironmentProblemError
from understudy.reconcile import errors
from understudy.reconcile.aws import Aws

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
CHOICES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")
"""What must not be inherited beside `variables`: it would lead elsewhere."""


def variables(aws: Aws) -> dict[str, str]:
    """Region, endpoint and keys; those of a profile, a role or a single sign-on are asked for now.

    Raises:
        EnvironmentProblemError: there are no credentials.
    """
    access = aws.access
    found = {"AWS_REGION": access.region, "AWS_DEFAULT_REGION": access.region}
    if access.endpoint_url:
        found["AWS_ENDPOINT_URL"] = access.endpoint_url
    keys: tuple[str | None, ...]
    if access.credentials:
        keys = (access.credentials.access_key, access.credentials.secret_key)
    else:
        with errors.translated():
            known = aws.session.get_credentials()
            if known is None:
                raise EnvironmentProblemError(
                    "aws-credentials",
                    "no AWS credentials were found",
                    hint="sign in, for example aws sso login",
                )
            keys = tuple(known.get_frozen_credentials())
    found.update({name: key for name, key in zip(_KEYS, keys, strict=False) if key})
    return found
