"""What code does at import and with its first event: rows A11 to A15, A21 and A23."""

from tests.images.case import HANDLER, Case, on_base, rules
from understudy.verify.subject import LaunchOverrides

_MANGUM = "fastapi==0.115.6 mangum==0.19.0 pydantic==2.12.5"
_WEB = "from fastapi import FastAPI\nfrom mangum import Mangum\napp = FastAPI()\n"
_HEALTH = "@app.get('/health')\ndef health():\n    return {'ok': True}\n"

CASES = (
    Case(
        name="lock-at-import",
        row="A11",
        files={"app.py": "import multiprocessing\nLOCK = multiprocessing.Lock()\n" + HANDLER},
        static=rules("shared-memory"),
        boot=rules("boot-shared-memory"),
        aws_text="FileNotFoundError: [Errno 2] No such file or directory",
        fix="threading.Lock",
    ),
    Case(
        name="300-mb-at-import",
        row="A12",
        files={"app.py": "BIG = b'x' * 300_000_000\n" + HANDLER},
        boot=rules("boot-out-of-memory"),
        boot_text="Runtime.OutOfMemory",
        fix="memorySize to 256",
    ),
    Case(
        name="11-seconds-at-import",
        row="A13",
        files={"app.py": "import time\ntime.sleep(11)\n" + HANDLER},
        boot=rules("boot-timeout"),
        boot_text="Phase: init Status: timeout",
        fix="module level",
    ),
    Case(
        name="segmentation-fault-at-import",
        row="A14",
        files={"app.py": "import ctypes\nctypes.string_at(0)\n" + HANDLER},
        boot=rules("boot-exit"),
        boot_text="Runtime exited with error: signal: segmentation fault",
        fix="module level",
    ),
    Case(
        name="exit-in-the-handler",
        row="A14",
        files={"app.py": "import os\ndef handler(event, context):\n    os._exit(3)\n"},
        boot=rules("boot-request-exit"),
        boot_text="Runtime exited with error: exit status 3",
        fix="remove the exit",
        passed=True,
    ),
    Case(
        name="environment-over-4-kb",
        row="A15",
        launch=LaunchOverrides(function_env={"SETTINGS": "x" * 4100}),
        static=rules("environment-too-large"),
        aws_text="exceeded the 4KB limit",
        fix="SETTINGS",
    ),
    Case(
        name="reserved-variable",
        row="A15",
        launch=LaunchOverrides(function_env={"AWS_REGION": "eu-west-1"}),
        static=rules("environment-reserved-key"),
        aws_text="Reserved keys used in this request: AWS_REGION",
        fix="AWS_REGION",
    ),
    Case(
        name="event-loop-gone-with-old-mangum",
        row="A21",
        files={
            "app.py": "import asyncio\n" + _WEB + _HEALTH + "asyncio.run(asyncio.sleep(0))\n"
            "handler = Mangum(app)\n"
        },
        dockerfile=on_base(packages=_MANGUM),
        launch=LaunchOverrides(memory_mb=512),
        boot=rules("boot-event-loop"),
        boot_text="RuntimeError: There is no current event loop in thread 'MainThread'",
        fix="pip install 'mangum>=0.20'",
    ),
    Case(
        name="answer-over-6-mb",
        row="A21",
        files={"app.py": "def handler(event, context):\n    return 'x' * 7_000_000\n"},
        boot=rules("boot-response-unusable"),
        boot_text="Response payload size exceeded maximum allowed payload size (6291556 bytes)",
        fix="S3",
        passed=True,
    ),
    Case(
        name="answer-that-is-no-json",
        row="A0",
        files={"app.py": "def handler(event, context):\n    return {1, 2}\n"},
        boot=rules("boot-response-unusable"),
        boot_text="Runtime.MarshalError: Unable to marshal response: "
        "Object of type set is not JSON serializable",
        fix="json.dumps",
        passed=True,
    ),
    Case(
        name="empty-event-is-no-fault-of-the-application",
        row="A21",
        files={
            "app.py": _WEB + "@app.get('/items/{key}')\ndef item(key: str):\n    return key\n"
            "handler = Mangum(app)\n"
        },
        dockerfile=on_base(packages=_MANGUM),
        launch=LaunchOverrides(memory_mb=512),
        passed=True,
    ),
    Case(
        name="connection-at-import",
        row="A23",
        files={"app.py": "import socket\nDB = socket.create_connection(('10.0.0.5', 5432), 1)\n" + HANDLER},
        boot=rules("boot-network-at-import"),
        boot_text="OSError: [Errno 101] Network is unreachable",
        fix="--network host",
        passed=True,
    ),
    Case(
        name="region-is-set-by-lambda",
        row="A23",
        files={"app.py": "import boto3\nCLIENT = boto3.client('sts')\n" + HANDLER},
        dockerfile=on_base(packages="boto3==1.40.0"),
        launch=LaunchOverrides(memory_mb=512),
        passed=True,
    ),
)
