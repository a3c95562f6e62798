import subprocess
import sys

import httpx

from understudy.image import deferred


def test_stands_for_the_module() -> None:
    assert deferred.httpx.Client is httpx.Client


def test_the_registry_client_does_not_load_it() -> None:
    program = "import sys, understudy.image.registry, understudy.image.base; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
