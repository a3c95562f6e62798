"""A real engine process: SDK and CLI against it, its doors, its exclusive things, and how it ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.contract.engine_process import EngineProcess, eventually


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("core") / ".understudy").start()
    yield process
    process.close()


def test_owned_and_delegated_services_answer_the_sdk(engine: EngineProcess) -> None:
    assert engine.client("lambda").list_functions()["Functions"] == []
    assert engine.client("ecr").describe_repositories()["repositories"] == []
    assert engine.client("apigatewayv2").get_apis()["Items"] == []
    assert engine.client("logs").describe_log_groups()["logGroups"] == []
    assert engine.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert engine.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_refusals_reach_the_sdk_as_modelled_errors(engine: EngineProcess) -> None:
    client = engine.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.get_function(FunctionName="nothing")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(ClientError, match="lambda:ListLayers is not implemented by understudy"):
        client.list_layers()
    with pytest.raises(
        ClientError, match=r"'Jar' at 'packageType' failed to satisfy constraint: Member must"
    ):
        client.create_function(FunctionName="f", Role="arn:aws:iam::0:role/r", Code={}, PackageType="Jar")


def test_awslocal_works_unchanged(engine: EngineProcess) -> None:
    tool = Path(sys.executable).with_name("awslocal")
    result = subprocess.run(
        [str(tool), "lambda", "list-functions", "--output", "json"],
        env={
            "PATH": f"{tool.parent}:/usr/bin:/bin",
            "AWS_ENDPOINT_URL": engine.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "HOME": "/nonexistent",
        },
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr.decode()
    assert b'"Functions": []' in result.stdout


def test_a_web_page_cannot_drive_it(engine: EngineProcess) -> None:
    url = f"{engine.url}/2015-03-31/functions"
    assert httpx.get(url, headers={"origin": "https://evil.example"}, timeout=60).status_code == 403
    assert httpx.get(url, headers={"host": "evil.example"}, timeout=60).status_code == 403
    assert (
        httpx.get(f"{engine.url}/bucket", headers={"sec-fetch-site": "cross-site"}, timeout=60).status_code
        == 403
    )
    local = httpx.get(url, headers={"origin": "http://localhost:3000"}, timeout=60)
    assert local.status_code == 200
    assert local.headers["access-control-allow-origin"] == "http://localhost:3000"


def test_rest_apis_and_http_apis_are_told_apart_by_their_paths(engine: EngineProcess) -> None:
    rest, http = engine.client("apigateway"), engine.client("apigatewayv2")
    made = rest.create_rest_api(name="rest", tags={"a": "1"})
    created = http.create_api(Name="http", ProtocolType="HTTP")
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{made['id']}"
    assert rest.get_tags(resourceArn=arn)["tags"] == {"a": "1"}
    assert [item["name"] for item in rest.get_rest_apis()["items"]] == ["rest"]
    assert [item["Name"] for item in http.get_apis()["Items"]] == ["http"]
    with pytest.raises(ClientError, match="apigateway:GetApiKeys is not implemented") as caught:
        rest.get_api_keys()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    http.delete_api(ApiId=created["ApiId"])


def test_an_unknown_api_host_is_not_the_delegates(engine: EngineProcess) -> None:
    answer = httpx.get(
        f"{engine.url}/health", headers={"host": "nothing.execute-api.localhost:4566"}, timeout=60
    )
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_listens_on_both_loopbacks(engine: EngineProcess) -> None:
    for host in ("127.0.0.1", "[::1]"):
        answer = httpx.get(f"http://{host}:{engine.ready['port']}/_understudy/health", timeout=60)
        assert answer.json()["status"] == "ready"


def test_a_second_engine_on_the_same_data_is_refused(engine: EngineProcess) -> None:
    result = subprocess.run(engine.command(), capture_output=True, timeout=60, check=False)
    assert result.returncode == 3
    assert f"error[engine-running]: an engine (pid {engine.pid}) already runs" in result.stderr.decode()


def test_a_busy_port_names_its_holder(engine: EngineProcess, tmp_path: Path) -> None:
    command = [*engine.command()[:3], "--data-dir", str(tmp_path), "--port", str(engine.ready["port"])]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert result.returncode == 3
    assert f"port {engine.ready['port']} is in use by" in result.stderr.decode()
    assert f"hint:  stop it: kill {engine.pid}" in result.stderr.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ends_without_leaving_a_process_or_losing_state(tmp_path: Path, number: int) -> None:
    engine = EngineProcess(tmp_path / ".understudy").start()
    try:
        engine.client("logs").create_log_group(logGroupName="kept")
        engine.client("ecr").create_repository(repositoryName="kept")
        bucket = engine.client("s3")
        bucket.create_bucket(Bucket="kept-bucket")
        assert engine.children()
        engine.stop(number)
        engine.start()
        assert engine.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "kept"
        assert engine.client("ecr").describe_repositories()["repositories"][0]["repositoryName"] == "kept"
        assert engine.client("s3").list_buckets()["Buckets"][0]["Name"] == "kept-bucket"
    finally:
        engine.close()


def test_a_request_on_a_kept_connection_does_not_delay_the_end(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / ".understudy", with_delegate=False).start()
    try:
        with httpx.Client(timeout=60) as client:
            assert client.get(f"{engine.url}/_understudy/health").status_code == 200
            engine.stop()
        assert not engine.config.ready_path.exists()
    finally:
        engine.close()


def test_ends_with_its_parent_when_asked_to(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / ".understudy", with_delegate=False)
    argv = [*engine.command(), "--die-with-parent"]
    script = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
    parent = subprocess.Popen([argv[0], "-c", script, *argv])
    try:
        eventually(engine.config.ready_path.exists, "the engine is ready")
    finally:
        parent.kill()
        parent.wait(60)
    eventually(lambda: not engine.config.ready_path.exists(), "the engine has ended")
