"""Cold starts of a deployed function, and budgets that hold deploys, against a strict double.

The function is as it was afterwards, also when the process that measured was killed.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract import rollout_project, strict_world
from tests.contract.engine_process import eventually
from tests.contract.rollout_project import ALIVE, Shop
from tests.contract.strict_world import ACCOUNT, StrictWorld
from tests.doubles.strict import Delays
from understudy.reconcile import scratch_versions
from understudy.targets import local

_DELAYS = Delays(role_s=0, function_s=0.1, update_s=0.1)
_IMAGE = "repository: shop"
_BUDGET = "repository: shop, coldStart: {limit: 15s, regression: 10%}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictWorld]:
    with strict_world.serving(tmp_path_factory.mktemp("aws"), _DELAYS) as found:
        for account in (ACCOUNT, local.ACCOUNT):
            iam = found.client("iam", account=account)
            iam.create_role(RoleName="shop", AssumeRolePolicyDocument=strict_world.TRUST)
        yield found


class Preprod:
    """The shop on preprod, whose AWS is the double."""

    def __init__(self, shop: Shop, world: StrictWorld) -> None:
        self.shop = shop
        self.client = world.client("lambda")
        self._environment = {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": world.url,
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs the command line."""
        return self.shop.understudy(*arguments, **self._environment)

    def promote(self) -> "subprocess.CompletedProcess[str]":
        """Deploys what is live on the local target."""
        why = ("--without-proof", "a test")
        return self.run("promote", "local", "preprod", "--yes", "-o", "json", *why)

    def start(self) -> "subprocess.Popen[str]":
        """Measures for long, in a process of its own."""
        argv = [sys.executable, "-m", "understudy", "coldstart", "--target", "preprod", "-n", "200", "--yes"]
        environment = {**rollout_project.variables(), **self._environment}
        return subprocess.Popen(
            argv, cwd=self.shop.found.root, env=environment, stderr=subprocess.PIPE, text=True
        )

    def state(self) -> dict[str, Any]:
        """What callers and the next deploy meet."""
        latest = self.client.get_function_configuration(FunctionName="shop")
        return {
            "variables": latest.get("Environment", {}).get("Variables", {}),
            "versions": [one["Version"] for one in self.versions()],
            "alias": self.client.get_alias(FunctionName="shop", Name="live")["FunctionVersion"],
        }

    def versions(self) -> list[dict[str, Any]]:
        """As listed."""
        found: list[dict[str, Any]] = self.client.list_versions_by_function(FunctionName="shop")["Versions"]
        return found

    def log_json(self) -> None:
        """Has the function log JSON from now on."""
        self.client.update_function_configuration(FunctionName="shop", LoggingConfig={"LogFormat": "JSON"})


@pytest.fixture(scope="module")
def preprod(world: StrictWorld, tmp_path_factory: pytest.TempPathFactory) -> Preprod:
    """The shop, promoted once with a budget that it keeps to."""
    shop = rollout_project.make(tmp_path_factory.mktemp("project"), world.url)
    made = Preprod(shop, world)
    # Its start shall take longer than a request does, on a busy machine too.
    shop.deploy(shop.image(f"import time\ntime.sleep(0.5)\n{ALIVE % 'first'}"))
    project = shop.found.root / "understudy.yaml"
    project.write_text(project.read_text().replace(_IMAGE, _BUDGET))
    promoted = made.promote()
    assert promoted.returncode == 0, promoted.stderr
    checks = {one["name"]: one for one in json.loads(promoted.stdout)["checks"]}
    assert checks["cold start of shop"]["detail"].endswith("limit 15.00 s")
    return made


def test_a_deployed_function_is_measured_beside_the_sandbox_and_left_as_it_was(preprod: Preprod) -> None:
    before = preprod.state()
    for log_format, runs in (("text", 2), ("json", 1)):
        done = preprod.run("coldstart", "--target", "preprod", "-n", str(runs), "-o", "json", "--yes")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        samples = report["deployed"]["series"]["samples"]
        assert len(samples) == len(report["series"][0]["samples"]) == runs, log_format
        assert all(one["init_ms"] > one["second_ms"] > 0 and one["peak_mb"] > 1 for one in samples)
        assert report["deployed"]["series"]["condition"]["memory_mb"] == 256
        assert preprod.state() == before
        preprod.log_json()


def test_nothing_is_written_to_production_that_nobody_confirmed(preprod: Preprod) -> None:
    before = preprod.state()

    done = preprod.run("coldstart", "--target", "preprod", "-n", "1")

    assert (done.returncode, preprod.state()) == (1, before)
    assert "error[confirmation-missing]: nobody confirmed: publish 1 versions of shop" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_stopped_process_left_is_put_back(preprod: Preprod, number: signal.Signals) -> None:
    before = preprod.state()
    process = preprod.start()
    eventually(lambda: len(preprod.state()["versions"]) > len(before["versions"]), "a scratch version")

    process.send_signal(number)
    process.communicate(timeout=120)

    if number is signal.SIGKILL:
        pruned = preprod.run("prune", "--target", "preprod", "--yes")
        assert pruned.returncode == 0, pruned.stderr
        assert preprod.state()["versions"] == before["versions"]
        assert scratch_versions.VARIABLE in preprod.state()["variables"]
        assert preprod.run("coldstart", "--target", "preprod", "-n", "1", "--yes").returncode == 0
    assert preprod.state() == before


def test_a_deploy_that_breaks_the_budget_is_stopped_before_it_writes(preprod: Preprod) -> None:
    before = preprod.state()
    preprod.shop.deploy(preprod.shop.image(f"import time\ntime.sleep(2)\n{ALIVE % 'slow'}"))

    refused = preprod.promote()

    assert (refused.returncode, preprod.state()) == (1, before)
    broken = "cold start, before and after"
    assert f"error[coldstart-budget]: image shop starts too slowly: {broken}: " in refused.stderr
    listed = json.loads(preprod.run("coldstart", "history", "-o", "json").stdout)
    assert [(one["is_accepted"], one["broken"]) for one in listed] == [(False, [broken]), (True, [])]
