"""Local targets in an environment full of real credentials: none of them leaves this machine."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.contract.stack_project import ROOT

KEY, SECRET, TOKEN = "AKIAREALREALREALREAL", "real-secret", "real-session-token"
EVERY_SERVICE = """\
import sys
from understudy.errors import UnderstudyError
from understudy.targets import target
from understudy.targets.project import Project, TargetSection
section = TargetSection(type=sys.argv[1], overlay="d", endpoint=sys.argv[2], profile="real")
found = target.find(Project(project="p", images={}, targets={"t": section}), "t")
found.guard()
aws = found.session()
for call in (
    aws.lambda_().list_functions, aws.s3().list_buckets, aws.dynamodb().list_tables, aws.iam().list_roles,
    aws.ecr().describe_repositories, aws.apigatewayv2().get_apis, aws.logs().describe_log_groups,
    aws.sts().get_caller_identity,
):
    try:
        aws.call(call)
    except UnderstudyError:
        pass
"""


@contextmanager
def recorder() -> Iterator[tuple[str, list[str]]]:
    """The URL of a server that refuses everything, and the requests that it saw, headers included."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append(f"{self.requestline}\n{self.headers}\n{body!r}")
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_HEAD = do_CONNECT = _refuse  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def poisoned(folder: Path, elsewhere: str) -> dict[str, str]:
    """An environment in which every way to credentials and endpoints leads to real ones."""
    (folder / "credentials").write_text(
        f"[default]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n"
        f"[real]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n"
    )
    (folder / "config").write_text(f"[profile real]\nregion=eu-west-1\nendpoint_url={elsewhere}\n")
    services = ("S3", "LAMBDA", "DYNAMODB", "STS", "IAM", "ECR", "APIGATEWAYV2", "CLOUDWATCH_LOGS")
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_PROFILE": "real",
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_REGION": "eu-west-1",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{elsewhere}/credentials",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": elsewhere,
        "AWS_ENDPOINT_URL": elsewhere,
        **{f"AWS_ENDPOINT_URL_{name}": elsewhere for name in services},
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"), elsewhere),
    }


@pytest.mark.parametrize("kind", ["local", "localstack"])
def test_a_local_target_sends_dummy_keys_to_its_endpoint_alone(kind: str, tmp_path: Path) -> None:
    with recorder() as (endpoint, seen), recorder() as (elsewhere, leaked):
        done = subprocess.run(
            [sys.executable, "-c", EVERY_SERVICE, kind, endpoint],
            env=poisoned(tmp_path, elsewhere),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert leaked == []
    assert len(seen) == 8
    for request in seen:
        assert "Credential=test/" in request
        assert "/us-east-1/" in request
        for real in (KEY, SECRET, TOKEN, "X-Amz-Security-Token"):
            assert real not in request


def test_another_machine_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with recorder() as (elsewhere, leaked):
        done = subprocess.run(
            [sys.executable, "-c", EVERY_SERVICE, "localstack", "http://aws.example:4566"],
            env=poisoned(tmp_path, elsewhere),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert "endpoint http://aws.example:4566 of target t is not on this machine" in done.stderr
    assert leaked == []
