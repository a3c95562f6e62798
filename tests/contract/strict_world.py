"""A strict double before a real engine with its delegate, time that tests move, and plain boto3 clients."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.contract.engine_process import EngineProcess
from tests.doubles import strict
from tests.doubles.server import Double
from tests.doubles.strict import Delays
from tests.doubles.strict_rules import Rules

ACCOUNT = "123456789012"
MARK = "asked-by-the-test-itself"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


class Time:
    """A clock that goes on with the real one, and ahead of it when told."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        """Seconds."""
        return time.monotonic() + self._ahead_s

    def pass_s(self, seconds: float) -> None:
        """Lets time pass for the double at once."""
        self._ahead_s += seconds


class StrictWorld:
    """What a test holds."""

    def __init__(self, running: Double, clock: Time) -> None:
        self.double = running
        self.clock = clock

    @property
    def url(self) -> str:
        """Where AWS is."""
        return self.double.url

    @property
    def refused(self) -> list[str]:
        """What the rules answered themselves, `Rule: Operation`."""
        assert isinstance(self.double.hook, Rules)
        return self.double.hook.refused

    def client(self, service: str, *, account: str = ACCOUNT, region: str = "us-east-1") -> Any:
        """A boto3 client that tries once."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="test",
            config=Config(
                retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, user_agent_extra=MARK
            ),
        )


@contextmanager
def serving(folder: Path, delays: Delays | None = None) -> Iterator[StrictWorld]:
    """A world with nothing in it."""
    clock = Time()
    engine = EngineProcess(folder / "data").start()
    try:
        with strict.double(engine.url, clock.now, delays) as running:
            yield StrictWorld(running, clock)
    finally:
        engine.close()


def refusal(operation: Any, **params: Any) -> str:
    """How AWS refuses a call: ``Code: message``."""
    try:
        operation(**params)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    raise AssertionError(f"{operation} was not refused")
