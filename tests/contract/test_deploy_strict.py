"""`understudy deploy --target preprod` against AWS as strict as it is documented, and what stops it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests import figures
from tests.contract import iam_actions, strict_project, strict_world
from tests.contract.strict_project import PreprodProject
from tests.contract.strict_world import StrictWorld
from tests.doubles import strict
from tests.doubles.strict import Delays
from tests.doubles.wire import Call
from understudy.image.store import Store

FUNCTIONS = ("dashboard", "sse", "analysis")
TABLES = ["dashboard-analyses", "dashboard-configurations"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictWorld]:
    # A token of the registry ends several times within one push.
    with strict_world.serving(tmp_path_factory.mktemp("aws"), Delays(role_uses=2, token_requests=7)) as found:
        yield found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, world: StrictWorld) -> PreprodProject:
    return PreprodProject(tmp_path_factory.mktemp("preprod") / "project", world)


@pytest.fixture(scope="module")
def deployed(project: PreprodProject) -> Mapping[str, Any]:
    """The first deployment to an account with nothing in it but the tickers."""
    project.seed()
    return project.deploy()


@pytest.fixture(scope="module")
def suite(project: PreprodProject, deployed: Mapping[str, Any]) -> str:
    """What the E2E suite said about the deployed stack."""
    done = project.understudy("e2e", "--target", "preprod", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_e2e_suite_passes_unchanged(suite: str) -> None:
    assert " passed" in suite
    assert "failed" not in suite


def test_the_same_digest_is_read_back_everywhere(
    project: PreprodProject, deployed: Mapping[str, Any]
) -> None:
    digest = deployed["images"]["dashboard"]
    store = Store(project.folder / ".understudy" / "store").open()
    images = project.world.client("ecr").describe_images(repositoryName="dashboard")["imageDetails"]
    [tagged] = [image for image in images if "latest" in image.get("imageTags", [])]
    running = project.world.client("lambda").get_function(FunctionName="dashboard", Qualifier="live")
    found = {
        "built": store.image(digest).digest,
        "ECR, tag latest": tagged["imageDigest"],
        "GetFunction live": running["Code"]["ResolvedImageUri"].rpartition("@")[2],
        "function's ImageUri": running["Code"]["ImageUri"].rpartition("@")[2],
    }
    figures.tell(f"preprod, digests read back: {', '.join(f'{where} {one}' for where, one in found.items())}")
    assert set(found.values()) == {digest}, found
    assert len(tagged["imageTags"]) == 2, "the commit's tag is there too"


def test_the_double_was_strict_on_the_way(world: StrictWorld, deployed: Mapping[str, Any]) -> None:
    """Each rule spoke, so each was overcome: renewed tokens, a role that spread, reads that lagged."""
    assert deployed["live"]
    spoke = Counter(line.partition(":")[0] for line in world.refused)
    assert {"Roles", "RegistryTokens", "StaleReads"} <= spoke.keys(), world.refused
    figures.tell(
        f"preprod, refusals overcome: {', '.join(f'{n} {rule}' for rule, n in sorted(spoke.items()))}"
    )
    renewals = [call for call in world.double.calls if call.operation == "GetAuthorizationToken"]
    assert len(renewals) > 2, "tokens ended mid-push and were asked for again"


def test_a_second_deployment_writes_nothing(project: PreprodProject, world: StrictWorld, suite: str) -> None:
    before = len(world.double.calls)
    again = project.deploy()
    assert set(again["applied"].values()) == {"unchanged"}
    assert strict.writes(world.double.calls[before:]) == []


@pytest.fixture(scope="module")
def released(project: PreprodProject, suite: str) -> Mapping[str, Any]:
    """A second release, of a change of one comment."""
    page = project.folder / "service" / "dashboard" / "health.py"
    page.write_text(f"{page.read_text()}\n# Another release\n")
    project.commit("Another release")
    return project.deploy()


def test_a_new_release_becomes_live_under_the_same_rules(
    world: StrictWorld, deployed: Mapping[str, Any], released: Mapping[str, Any]
) -> None:
    assert [live["function"] for live in released["live"]] == list(FUNCTIONS)
    for live in released["live"]:
        name = live["function"]
        assert (live["version"], live["digest"]) == ("2", released["images"][name])
        assert live["digest"] != deployed["images"][name]
        running = world.client("lambda").get_function(FunctionName=name, Qualifier="live")
        assert running["Code"]["ResolvedImageUri"].endswith("@" + live["digest"])
    # Each image names the commit that it was built from.
    changed = {key for key, verb in released["applied"].items() if verb != "unchanged"}
    assert changed == {
        key
        for name in FUNCTIONS
        for key in (f"Image/{name}", f"Function/{name}", f"Version/{name}", f"Alias/{name}-live")
    }


def test_going_back_makes_the_first_digest_live_again(
    project: PreprodProject, world: StrictWorld, deployed: Mapping[str, Any], released: Mapping[str, Any]
) -> None:
    assert released["live"]

    where = ("--target", "preprod", "--function", "dashboard")
    history = project.understudy("rollout", "history", *where)
    done = project.understudy("rollout", "undo", *where, "--yes", "--to-revision", "1")

    assert (history.returncode, done.returncode) == (0, 0), history.stderr + done.stderr
    assert deployed["images"]["dashboard"] in history.stdout
    running = world.client("lambda").get_function(FunctionName="dashboard", Qualifier="live")
    assert running["Code"]["ResolvedImageUri"].endswith("@" + deployed["images"]["dashboard"])


# The suite and the functions handle data, with boto3; the deployer has botocore alone, and does not.
_DATA = frozenset(
    {"DeleteItem", "GetItem", "PutItem", "GetRecords", "GetShardIterator", "DeleteMessage", "ReceiveMessage"}
)


def _is_of_the_suite(call: Call) -> bool:
    return call.operation in _DATA and (call.request.header("user-agent") or "").startswith("Boto3/")


class TestStops:
    """What must not be deployed stops before the first write, each with a message of its own."""

    def stopped(self, project: PreprodProject, *options: str, account: str = strict_world.ACCOUNT) -> str:
        """The message of a deployment that wrote nothing."""
        before = len(project.world.double.calls)
        done = project.understudy("deploy", "--target", "preprod", "--yes", *options, account=account)
        assert done.returncode == 1, done.stdout + done.stderr
        assert strict.writes(project.world.double.calls[before:]) == []
        return done.stderr

    def test_the_wrong_account(self, project: PreprodProject) -> None:
        told = self.stopped(project, account="210987654321")
        assert "error[target-wrong-account]: the credentials belong to account 210987654321" in told
        assert "sign in to 123456789012" in told

    def test_an_image_on_a_stand_in_base_without_proof(self, project: PreprodProject) -> None:
        told = self.stopped(project)
        assert "error[proof-stand-in]: image dashboard is on the stand-in for public.ecr.aws/lambda/" in told
        assert "has no record of the end-to-end suite on local or localstack" in told

    def test_a_broken_image(self, project: PreprodProject) -> None:
        handler = project.folder / "service" / "handler.py"
        text = handler.read_text()
        handler.write_text("import no_such_module\n" + text)
        try:
            told = self.stopped(project)
        finally:
            handler.write_text(text)
        assert "No module named 'no_such_module'" in told


def test_deleting_keeps_what_holds_data(project: PreprodProject, world: StrictWorld, suite: str) -> None:
    done = project.understudy("delete", "--target", "preprod", "--yes")

    assert done.returncode == 0, done.stderr
    assert world.client("lambda").list_functions()["Functions"] == []
    assert world.client("apigatewayv2").get_apis()["Items"] == []
    assert world.client("iam").list_roles()["Roles"] == []
    assert world.client("dynamodb").list_tables()["TableNames"] == TABLES
    assert world.client("ecr").describe_images(repositoryName="dashboard")["imageDetails"]
    assert [one["Name"] for one in world.client("s3").list_buckets()["Buckets"]] == [strict_project.BUCKET]


def test_every_call_was_one_that_the_deployer_may_make(
    project: PreprodProject, world: StrictWorld, suite: str
) -> None:
    """All of the above and a look keep within deploy/aws-bootstrap.yaml: a way back and a deletion, too."""
    done = project.understudy("diff", "--target", "preprod")
    assert done.returncode == 0, done.stderr
    assert {"UpdateAlias", "DeleteFunction", "DeleteApi"} <= {call.operation for call in world.double.calls}
    place = iam_actions.Place(account=strict_world.ACCOUNT, region="us-east-1")
    policy = iam_actions.Policy(iam_actions.deployer_policy(place))

    # What is neither of AWS nor of its registry is the app's own HTTP.
    calls = [
        call
        for call in world.double.calls
        if strict_world.MARK not in (call.request.header("user-agent") or "")
    ]
    asked = [
        call
        for call in calls
        if (call.service or call.request.target.startswith("/v2/")) and not _is_of_the_suite(call)
    ]
    missing = policy.missing(frozenset(need for call in asked for need in place.needs(call)))

    assert not missing, "allow in deploy/aws-bootstrap.yaml:\n" + "\n".join(missing)
