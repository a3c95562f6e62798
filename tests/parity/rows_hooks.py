"""Init hooks: run once by an engine of their own, and looked at from several sides."""

import json
from pathlib import Path

import httpx

from tests.contract.engine_process import eventually
from tests.parity.model import Row
from tests.parity.world import World

AREA = "Init hooks"
_NOTE = """
import json, os
note = {note}
with open(os.environ["PARITY_NOTES"], "a") as notes:
    notes.write(json.dumps(note) + "\\n")
"""
_WHO = '[{stage!r}, "__file__" in globals(), __name__, sorted(n for n in os.environ if n.startswith("AWS_"))]'
# A hook that waits for the engine to answer a request of its own, which it can only do while it runs.
_ASKS = """
import os, urllib.request
endpoint = os.environ.get("AWS_ENDPOINT_URL", "http://localhost:4566")
answer = urllib.request.urlopen(endpoint + "/_localstack/init/ready").read().decode()
note = ["asked", '"completed": false' in answer]
os.environ["PARITY_FROM_HOOK"] = "1"
"""
_PY = {
    "boot.d/a.py": _WHO.format(stage="boot"),
    "start.d/a.py": _WHO.format(stage="start"),
    "ready.d/10.py": _WHO.format(stage="ready"),
    "ready.d/20.txt": '["not a hook"]',
    "ready.d/40.py": '["later", "PARITY_FROM_HOOK" in os.environ]',
    "ready.d/a/first.py": '["subfolder"]',
    "ready.d/B.py": '["upper case"]',
    "shutdown.d/a.py": _WHO.format(stage="shutdown"),
}
_SH = {
    "ready.d/05.sh": ('#!/bin/sh\necho \'["executed"]\' >> "$PARITY_NOTES"; exit 3\n', 0o755),
    "ready.d/06.sh": ('#!/bin/sh\necho \'["without the right to"]\' >> "$PARITY_NOTES"\n', 0o644),
    "ready.d/50.sh": ("#!/bin/sh\nexec awslocal lambda list-functions\n", 0o755),
    "ready.d/07.sh": ('echo \'["without a first line"]\' >> "$PARITY_NOTES"\n', 0o755),
}


class _Ran:
    """What an engine's hooks left behind."""

    def __init__(self, world: World) -> None:
        hooks, notes = world.folder / "hooks", world.folder / "notes"
        for name, note in _PY.items():
            self._write(hooks / name, _NOTE.format(note=note))
        self._write(hooks / "ready.d" / "30.py", _ASKS + _NOTE.format(note="note"))
        for name, (text, mode) in _SH.items():
            self._write(hooks / name, text, mode)
        engine = world.engine("hooking", hooks_dir=hooks, environ={"PARITY_NOTES": str(notes)})
        eventually(lambda: "Ready.\n" in engine.log.read_text(), "the engine says that it is ready")
        document = httpx.get(f"{engine.url}/_localstack/init", timeout=60).json()
        self.completed: dict[str, bool] = document["completed"]
        self.states = {f"{each['stage']} {each['name']}": each["state"] for each in document["scripts"]}
        self.names = [each["name"] for each in document["scripts"] if each["stage"] == "READY"]
        log = engine.log.read_text().splitlines()
        self.marker_is_last = all("hook" not in line for line in log[log.index("Ready.") :])
        engine.stop()
        self.notes = [json.loads(line) for line in notes.read_text().splitlines()]

    @staticmethod
    def _write(path: Path, text: str, mode: int = 0o644) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def note(self, name: str) -> list[object]:
        """What the hook of this name noted."""
        return next(note for note in self.notes if note[0] == name)


def _ran(world: World) -> _Ran:
    ran: _Ran = world.once("hooks", lambda: _Ran(world))
    return ran


def _stages(world: World) -> str:
    stages = ("boot", "start", "ready", "shutdown")
    return " ".join(str(note[0]) for note in _ran(world).notes if note[0] in stages)


def _order(world: World) -> str:
    return " ".join(_ran(world).names)


def _executed(world: World) -> str:
    words = [str(note[0]) for note in _ran(world).notes]
    told = {
        "executed": "executed",
        "without the right to": "chmod +x or not",
        "without a first line": "by a shell",
    }
    return ", ".join(text for word, text in told.items() if word in words)


def _awslocal(world: World) -> str:
    return _ran(world).states["READY 50.sh"]


def _python(world: World) -> str:
    _, has_file, name, _ = _ran(world).note("ready")
    return f"{'with' if has_file else 'without'} __file__, as {name}"


def _python_state(world: World) -> str:
    return "reach the next hook" if _ran(world).note("later")[1] else "end with the hook"


def _failed(world: World) -> str:
    ran = _ran(world)
    return f"{ran.states['READY 05.sh']}, and the next hook is {ran.states['READY 10.py']}"


def _asked(world: World) -> str:
    return "answered, stage not completed" if _ran(world).note("asked")[1] else "not answered"


def _boot_state(world: World) -> str:
    return f"completed {_ran(world).completed['BOOT']}, scripts {_ran(world).states['BOOT a.py']}"


def _waiting(world: World) -> str:
    return _ran(world).states.get("SHUTDOWN a.py", "not listed")


def _variables(world: World) -> str:
    return " ".join(map(str, _ran(world).note("ready")[3])) or "none"  # type: ignore[call-overload]


def _marker(world: World) -> str:
    return "`Ready.` after the last hook" if _ran(world).marker_is_last else "`Ready.` before"


ROWS = (
    Row(area=AREA, name="stages", localstack="boot start ready shutdown", observe=_stages, documented=True),
    Row(
        area=AREA,
        name="order: by name, upper case first, subfolders last; only `.sh` and `.py`",
        localstack="05.sh 06.sh 07.sh 10.py 30.py 40.py 50.sh B.py first.py",
        observe=_order,
        documented=True,
    ),
    Row(area=AREA, name="a `.sh` file", localstack="executed", observe=_executed, documented=True),
    Row(
        area=AREA,
        name="`awslocal` in a `.sh` file",
        localstack="SUCCESSFUL",
        observe=_awslocal,
        documented=True,
    ),
    Row(
        area=AREA,
        name="a `.py` file",
        localstack="without __file__, as builtins",
        observe=_python,
        documented=True,
    ),
    Row(
        area=AREA,
        name="what a `.py` file puts into `os.environ`",
        localstack="reach the next hook",
        observe=_python_state,
        documented=True,
    ),
    Row(
        area=AREA,
        name="an exit code other than 0",
        localstack="ERROR, and the next hook is SUCCESSFUL",
        observe=_failed,
        documented=True,
    ),
    Row(
        area=AREA,
        name="a request that a ready hook makes",
        localstack="answered, stage not completed",
        observe=_asked,
        documented=True,
    ),
    Row(
        area=AREA,
        name="`/_localstack/init` of the boot stage",
        localstack="completed True, scripts UNKNOWN",
        observe=_boot_state,
        documented=True,
    ),
    Row(
        area=AREA,
        name="`/_localstack/init` of a stage that is to come",
        localstack="UNKNOWN",
        observe=_waiting,
        documented=True,
    ),
    Row(area=AREA, name="AWS variables in a hook", localstack="none", observe=_variables, documented=True),
    Row(
        area=AREA,
        name="the line that says that all is ready",
        localstack="`Ready.` after the last hook",
        observe=_marker,
        documented=True,
    ),
)
