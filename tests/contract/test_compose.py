"""Docker Compose brings the repository up on a real Docker engine, as its README says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from tests.contract import compose_project, localstack_process
from tests.contract.compose_project import API, BASE, ENGINE, ComposeProject, docker

pytestmark = pytest.mark.timeout(900)  # the first test waits for every image to be built

PROFILES = ("engine", "localstack-community", "localstack")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeProject]:
    """A copy whose images are built, by BuildKit and by the classic builder; nothing runs yet."""
    folder = tmp_path_factory.mktemp("compose")
    made = compose_project.copy(folder / "project")
    try:
        compose_project.load_bases(folder)
        made.compose("build", "localstack")
        made.compose("build", "api", v1=True)
        yield made
    finally:
        made.down()
        compose_project.unload()


@pytest.fixture(scope="module")
def up(project: ComposeProject) -> ComposeProject:
    """The default arrangement, brought up by Compose v2; the test of its state takes it down."""
    project.compose("up", "--wait", "--no-build")
    return project


def aws(project: ComposeProject, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=project.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_both_apps_answer_once_compose_has_waited(up: ComposeProject) -> None:
    for url in (f"http://localhost:{up.api_port}", up.api_url()):
        assert httpx.get(f"{url}/health", trust_env=False, timeout=60).status_code == 200
        ready = httpx.get(f"{url}/ready", trust_env=False, timeout=30)
        assert (ready.status_code, ready.json()["checks"]) == (200, {"table": "ok", "bucket": "ok"})


def test_the_end_to_end_suite_passes_against_it(up: ComposeProject) -> None:
    done = up.understudy("e2e", "--target", "local", "-q")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no record: built elsewhere: dashboard" in done.stderr


def test_the_kernel_enforces_a_function_s_limits(up: ComposeProject) -> None:
    either = "/sys/fs/cgroup/{pids/,}understudy-*/*/pids.max"

    assert "pids.max:1024" in up.compose(
        "exec", "-T", "localstack", "bash", "-c", f"grep --with-filename 1024 {either} 2>/dev/null || true"
    )


def test_an_edit_changes_both(up: ComposeProject) -> None:
    source = up.folder / "service" / "dashboard" / "__init__.py"
    source.write_text(source.read_text().replace('"2.0.0"', '"9.9.9-edited"'))

    for url in (f"http://localhost:{up.api_port}", up.api_url()):
        up.answers(f"{url}/health", "9.9.9-edited")


def test_state_is_kept_until_it_is_told_to_go_and_1_29_brings_it_up_too(up: ComposeProject) -> None:
    names = f"{up.name}-localstack", f"{up.name}-deploy-1"
    url = up.api_url()
    aws(up, "s3").put_object(Bucket="dashboard-tickers", Key="kept", Body=b"1")
    up.compose("stop")
    told = json.loads(docker("inspect", *names))
    assert [one["State"]["ExitCode"] for one in told] == [0, 0]
    up.compose("down")

    up.compose("up", "--detach", "--no-build", v1=True)

    up.answers(f"{url}/health", "9.9.9-edited")
    aws(up, "s3").head_object(Bucket="dashboard-tickers", Key="kept")
    up.compose("down", "--volumes", v1=True)
    assert docker("volume", "ls", "--quiet", "--filter", f"name={up.name}") == ""


def test_no_image_holds_the_certificates_of_its_build(project: ComposeProject) -> None:
    for image in (API, ENGINE):
        [told] = json.loads(docker("inspect", image))
        assert not [line for line in told["Config"]["Env"] if "ca.pem" in line]
        script = "import os; print(os.path.exists('/run/ca.pem'))"
        assert docker("run", "--rm", "--entrypoint", "python3", image, "-c", script) == "False\n"


def test_localstack_stands_behind_the_engine(project: ComposeProject) -> None:
    override = project.folder / "packages.yml"
    override.write_text(
        json.dumps(
            {
                "services": {
                    "delegate": {
                        "image": BASE,
                        "entrypoint": ["python3", "-m", "localstack.runtime.main"],
                        "environment": {
                            "DISABLE_EVENTS": "1",
                            "DNS_ADDRESS": "0",
                            "FILESYSTEM_ROOT": "/tmp/filesystem",
                            "GATEWAY_LISTEN": "0.0.0.0:4566",
                            "HOME": "/tmp",
                            "PYTHONPATH": "/packages",
                            "SKIP_SSL_CERT_DOWNLOAD": "1",
                        },
                        "volumes": [
                            f"{localstack_process.packages()}:/packages:ro",
                            "/usr/share/zoneinfo:/usr/share/zoneinfo:ro",
                        ],
                    }
                }
            }
        )
    )
    chosen = {
        "COMPOSE_FILE": f"{compose_project.FILES}:{override.name}",
        "COMPOSE_PROFILES": "localstack-community",
    }
    services = ("delegate", "localstack-community")
    try:
        project.compose("up", "--wait", "--no-build", *services, **chosen)

        health = httpx.get(f"{project.endpoint}/_understudy/health", trust_env=False, timeout=60).json()
        assert (health["delegate"]["name"], health["delegate"]["state"]) == ("localstack 4.14.0", "running")
        assert aws(project, "s3").head_object(Bucket="dashboard-tickers", Key="tickers.json.gz")
        assert aws(project, "lambda").list_functions()["Functions"] == []
    finally:
        project.compose("down", "--volumes", **chosen)


LICENSED = f"""
FROM {BASE}
RUN mkdir -p /usr/local/bin /srv/_localstack/init \\
 && printf '%s\\n' '#!/bin/bash' 'echo "started with $LOCALSTACK_AUTH_TOKEN, persistence $PERSISTENCE"' \\
      'exec python3 -m http.server ${{GATEWAY_LISTEN#*:}} --directory /srv' \\
      >/usr/local/bin/docker-entrypoint.sh \\
 && chmod +x /usr/local/bin/docker-entrypoint.sh \\
 && echo '{{"completed": true}}' >/srv/_localstack/init/ready
"""


def test_the_licensed_one_says_that_its_token_is_missing_and_starts_with_one(
    project: ComposeProject, tmp_path: Path
) -> None:
    """A stub stands for the image, which cannot be pulled: what is tried is what Compose does around it."""
    (tmp_path / "Dockerfile").write_text(LICENSED)
    image = f"{project.name}-licensed"
    docker("build", "--quiet", "--network", "none", "--tag", image, str(tmp_path))
    chosen = {"COMPOSE_PROFILES": "localstack", "LOCALSTACK_IMAGE": image, "LOCALSTACK_AUTH_TOKEN": ""}
    container = f"{project.name}-localstack"
    try:
        said = project.compose("up", "localstack-licensed", ok=False, **chosen)
        [told] = json.loads(docker("inspect", container))
        assert "error[token-missing]" in said
        assert "export LOCALSTACK_AUTH_TOKEN=" in said
        assert (told["State"]["ExitCode"], told["RestartCount"]) == (3, 0)

        chosen["LOCALSTACK_AUTH_TOKEN"] = "ls-test"
        project.compose("up", "--wait", "localstack-licensed", **chosen)
        assert "started with ls-test, persistence 1" in docker("logs", container)
        [told] = json.loads(docker("inspect", container))
        assert not told["HostConfig"]["CapAdd"]
        assert (
            httpx.get(f"{project.endpoint}/_localstack/init/ready", trust_env=False, timeout=60).status_code
            == 200
        )
    finally:
        project.compose("down", "--volumes", **chosen)
        docker("rmi", "--force", image)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_arrangement_is_one_localstack_on_the_same_port(project: ComposeProject, profile: str) -> None:
    told = json.loads(project.compose("config", "--format", "json", COMPOSE_PROFILES=profile))

    found = [one for name, one in told["services"].items() if name.startswith("localstack")]
    [service] = found
    assert [(port["target"], port["published"], port["host_ip"]) for port in service["ports"]] == [
        (project.port, str(project.port), "127.0.0.1")
    ]
    assert service["networks"]["default"]["aliases"] == ["localstack"]
    assert service["container_name"] == f"{project.name}-localstack"
    assert "/etc/localstack/init" in [volume["target"] for volume in service["volumes"]]
    assert {"api", "deploy"} <= told["services"].keys()


def test_rules_of_watch_are_for_compose_v2(project: ComposeProject) -> None:
    files = f"{compose_project.FILES}:deploy/compose.watch.yml"

    told = json.loads(project.compose("config", "--format", "json", COMPOSE_FILE=files))

    for name in ("api", "localstack", "deploy"):
        service = told["services"][name]
        mounted = [Path(one["source"]) for one in service["volumes"] if one["type"] == "bind"]
        paths = [Path(rule["path"]) for rule in service["develop"]["watch"]]
        assert paths
        assert all(path.exists() for path in paths)
        # Compose leaves out what a mount of the same service covers.
        assert not [path for path in paths if any(path.is_relative_to(source) for source in mounted)]
