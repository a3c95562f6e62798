"""An engine's executor in a process of its own, to be asked and killed."""

import contextlib
import json
import subprocess
import time
from typing import Any

from tests.fakes.runtime_root import Place

_PATIENCE_S = 60


class Engine:
    """A driver process with one environment, run as a user or over the executor ``docker``."""

    def __init__(self, place: Place, who: int | str) -> None:
        self.process = subprocess.Popen(
            place.driver(who, "hang"),
            **place.identity(who),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.seen = self.read()

    def read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def eventually(left: Any) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not found
