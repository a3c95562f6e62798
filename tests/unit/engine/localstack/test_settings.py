"""Settings of LocalStack: what each asks for, and that no refused one is passed over."""

import pytest

from understudy.engine.localstack import settings
from understudy.engine.localstack.settings import Address, LocalStackSettings
from understudy.errors import UnderstudyError

HONOURED = [
    ({}, LocalStackSettings()),
    ({"DEBUG": "", "EDGE_PORT": " "}, LocalStackSettings()),
    ({"DEBUG": "1"}, LocalStackSettings(log_level="debug")),
    ({"DEBUG": "app:*"}, LocalStackSettings()),
    ({"LOCALSTACK_DEBUG": "true"}, LocalStackSettings(log_level="debug")),
    ({"LS_LOG": "warn", "DEBUG": "1"}, LocalStackSettings(log_level="warning")),
    ({"GATEWAY_LISTEN": "0.0.0.0:4510"}, LocalStackSettings(listen=(Address(host="0.0.0.0", port=4510),))),
    (
        {"GATEWAY_LISTEN": "127.0.0.1, [::1]:4566"},
        LocalStackSettings(listen=(Address(host="127.0.0.1", port=None), Address(host="::1", port=4566))),
    ),
    ({"LOCALSTACK_HOST": "aws:80"}, LocalStackSettings(public=Address(host="aws", port=80))),
    ({"SERVICES": "sqs,monitoring"}, LocalStackSettings(services=frozenset({"sqs", "cloudwatch"}))),
    ({"SERVICES": "sqs", "STRICT_SERVICE_LOADING": "0"}, LocalStackSettings()),
    (
        {"EXTRA_CORS_ALLOWED_ORIGINS": "http://a, http://b"},
        LocalStackSettings(origins=("http://a", "http://b")),
    ),
    ({"DISABLE_CORS_CHECKS": "1"}, LocalStackSettings(origins=("*",))),
    ({"LAMBDA_RUNTIME_EXECUTOR": "docker"}, LocalStackSettings(executor="docker")),
    ({"LAMBDA_KEEPALIVE_MS": "1500"}, LocalStackSettings(keepalive_s=1.5)),
    ({"LAMBDA_LIMITS_CONCURRENT_EXECUTIONS": "7"}, LocalStackSettings(concurrency=7)),
    ({"LAMBDA_DISABLE_AWS_ENDPOINT_URL": "1"}, LocalStackSettings(inject_endpoint_url=False)),
    ({"LAMBDA_RETRY_BASE_DELAY": "3"}, LocalStackSettings(retry_base_delay_s=3.0)),
    ({"LAMBDA_TASK_ROOT": "/var/task", "HOME": "/", "CI": "1", "AWS_REGION": "x"}, LocalStackSettings()),
]


@pytest.mark.parametrize(("environ", "wanted"), HONOURED)
def test_reads_what_is_honoured(environ: dict[str, str], wanted: LocalStackSettings) -> None:
    found = settings.read(environ)
    assert found.met == ()
    assert found == wanted


def test_says_what_is_met_anyway() -> None:
    found = settings.read({"PERSISTENCE": "1", "LOCALSTACK_AUTH_TOKEN": "secret", "USE_SSL": "0"})
    assert [text.partition(":")[0] for text in found.met] == [
        "LOCALSTACK_AUTH_TOKEN",
        "PERSISTENCE",
        "USE_SSL",
    ]
    assert "secret" not in str(found)


REFUSED = [
    ({"EDGE_PORT": "4567"}, "EDGE_PORT=4567: LocalStack has removed it; say GATEWAY_LISTEN"),
    ({"PERSISTENCE": "0"}, "PERSISTENCE=0: state is always kept"),
    ({"LOCALSTACK_USE_SSL": "1"}, "USE_SSL=1: only HTTP is served"),
    ({"LAMBDA_NONSENSE": "1"}, "LAMBDA_NONSENSE: LocalStack 4.14.0 has no such setting"),
    ({"LOCALSTACK_NONSENSE": "1"}, "LOCALSTACK_NONSENSE: LocalStack 4.14.0 has no such setting"),
    ({"PROVIDER_OVERRIDE_SNS": "v2"}, "PROVIDER_OVERRIDE_SNS: there is one provider"),
    ({"GATEWAY_LISTEN": "0.0.0.0:4566,0.0.0.0:443"}, "the engine listens on one port; leave 443 out"),
    ({"GATEWAY_LISTEN": "a:b"}, "GATEWAY_LISTEN=a:b: it takes HOST, HOST:PORT or :PORT"),
    ({"LOCALSTACK_HOST": "a:99999"}, "LOCALSTACK_HOST=a:99999: it takes HOST"),
    ({"LS_LOG": "loud"}, "LS_LOG=loud: it takes one of"),
    ({"SERVICES": "s3,redshift"}, "SERVICES=redshift: neither engine nor delegate has them"),
    ({"LAMBDA_RUNTIME_EXECUTOR": "kubernetes"}, "LAMBDA_RUNTIME_EXECUTOR=kubernetes: it takes docker"),
    ({"LAMBDA_KEEPALIVE_MS": "-1"}, "LAMBDA_KEEPALIVE_MS=-1: it takes a number"),
    ({"LAMBDA_KEEPALIVE_MS": "soon"}, "LAMBDA_KEEPALIVE_MS=soon: it takes a number"),
    ({"LAMBDA_LIMITS_CODE_SIZE_ZIPPED": "1"}, "LAMBDA_LIMITS_CODE_SIZE_ZIPPED=1: AWS's own limit is kept"),
]


@pytest.mark.parametrize(("environ", "message"), REFUSED)
def test_refuses_by_name(environ: dict[str, str], message: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        settings.read(environ)
    assert message in str(caught.value)


def test_tells_everything_that_is_refused_at_once() -> None:
    with pytest.raises(UnderstudyError) as caught:
        settings.read({"EDGE_PORT": "1", "DATA_DIR": "/x", "LS_LOG": "loud"})
    assert all(name in str(caught.value) for name in ("EDGE_PORT=1", "DATA_DIR=/x", "LS_LOG=loud"))


def test_names_of_a_shell_are_told_and_stop_nothing_unless_they_say_localstack() -> None:
    shell = {"DATA_DIR": "/x", "LAMBDA_ROLE": "secret", "DEBUG": "1"}
    found = settings.read(shell, inherited=True)

    assert found.log_level == "debug"
    assert [text.partition(":")[0] for text in found.met] == ["DATA_DIR=/x", "LAMBDA_ROLE"]
    assert all(text.endswith("; passed over") for text in found.met)
    assert "secret" not in str(found)
    with pytest.raises(UnderstudyError, match="DATA_DIR=/y"):
        settings.read({**shell, "LOCALSTACK_DATA_DIR": "/y"}, inherited=True)
