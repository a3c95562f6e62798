"""A step runner without isolation: a Python function plays the command and writes into `upper`."""

from collections.abc import Callable

from understudy.image.steps import Step

Script = Callable[[Step], int | None]


class FakeSteps:
    """Runs `script` for every step and remembers the steps."""

    def __init__(self, script: Script | None = None) -> None:
        self.steps: list[Step] = []
        self._script = script

    def run(self, step: Step, output: Callable[[bytes], None]) -> int:
        """Returns the script's status; creates mount points as a real runner does."""
        self.steps.append(step)
        for mount in step.mounts:
            point = step.upper / str(mount.target).lstrip("/")
            point.parent.mkdir(parents=True, exist_ok=True)
            if mount.source is not None and mount.source.is_file():
                point.touch()
            else:
                point.mkdir(exist_ok=True)
        output(b"hello from " + step.argv[-1].encode() + b"\n")
        return (self._script(step) if self._script else None) or 0


def writes(path: str, text: str) -> Script:
    """Returns a script that writes one file."""

    def script(step: Step) -> None:
        place = step.upper / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    return script
