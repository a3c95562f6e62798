"""The dashboard's project as somebody deploys it to preprod, with AWS played by a strict double."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.contract import stack_project
from tests.contract.stack_project import ROOT
from tests.contract.strict_world import ACCOUNT, StrictWorld

BUCKET = f"dashboard-tickers-{ACCOUNT}-us-east-1"
_CACHES = shutil.ignore_patterns("__pycache__")
_GIT = ("git", "-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "-c", "commit.gpgsign=false")


class PreprodProject:
    """A project folder with a commit, and a command line that finds the double in the place of AWS."""

    def __init__(self, folder: Path, world: StrictWorld) -> None:
        self.folder = stack_project.copy(folder).folder
        self.world = world
        self._without_proof = ("--without-proof", "stand-in base, strict double")
        # The suite is part of the project: its revision is part of the proof.
        shutil.copytree(ROOT / "tests" / "e2e", self.folder / "tests" / "e2e", ignore=_CACHES)
        shutil.copy2(ROOT / "tests" / "__init__.py", self.folder / "tests")
        (self.folder / ".gitignore").write_text(".understudy/\n__pycache__/\n")
        self.commit("The dashboard as it is")

    def commit(self, message: str) -> None:
        """Commits everything: releases are tagged with the commit."""
        for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", message)):
            subprocess.run([*_GIT, *command], cwd=self.folder, check=True, capture_output=True)

    def environment(self, account: str = ACCOUNT) -> dict[str, str]:
        """The standard variables of the AWS SDKs, and nothing of the user's own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.world.url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PYTHONPATH": str(ROOT / "src"),
        }

    def understudy(self, *arguments: str, account: str = ACCOUNT) -> "subprocess.CompletedProcess[str]":
        """Runs the command line in the project."""
        return subprocess.run(
            [sys.executable, "-m", "understudy", *arguments],
            cwd=self.folder,
            env=self.environment(account),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def deploy(self) -> Mapping[str, Any]:
        """Deploys to preprod and returns what the command printed; the stand-in base has no proof."""
        done = self.understudy(
            *("deploy", "--target", "preprod", "--yes", "--output", "json", *self._without_proof)
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def seed(self) -> None:
        """Puts the tickers into the bucket and hands it to the stack, which preprod's owner does once."""
        hook = runpy.run_path(
            str(_without_run(self.folder / "localstack-init" / "ready.d" / "10_tickers.py"))
        )
        hook["seed"].__globals__["BUCKET"] = BUCKET
        hook["seed"](self.world.client("s3"))
        for command in (("build",), ("adopt", "Bucket/dashboard-tickers", "--target", "preprod", "--yes")):
            done = self.understudy(*command)
            assert done.returncode == 0, done.stderr


def _without_run(hook: Path) -> Path:
    """The hook as a module: without its last line, which would run it."""
    text = hook.read_text()
    copy = hook.parents[2] / ".understudy" / "tickers_hook.py"
    copy.write_text(text.removesuffix("run()\n"))
    return copy
