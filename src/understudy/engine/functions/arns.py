"""ARNs of what Lambda reads from and delivers to: queues, streams, topics, buckets, buses, functions."""

from dataclasses import dataclass

from understudy.engine.functions import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """The parts of ``arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE``.

    Attributes:
        region: empty for a bucket.
        account_id: empty for a bucket.
        resource: everything behind the account, colons and slashes included.
    """

    text: str
    service: str
    region: str
    account_id: str
    resource: str


def parse(text: str) -> Arn:
    """The parts of an ARN.

    Raises:
        ApiError: it is none.
    """
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2] or not parts[5]:
        raise errors.invalid_parameter(f"The provided ARN is not valid: {text}")
    _, _, service, region, account_id, resource = parts
    return Arn(text=text, service=service, region=region, account_id=account_id, resource=resource)
