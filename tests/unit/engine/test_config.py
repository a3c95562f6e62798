"""The engine's settings survive the way through a command line."""

from pathlib import Path

import pytest

from understudy.engine import config
from understudy.engine.config import EngineConfig
from understudy.errors import UnderstudyError


def test_a_launcher_and_the_engine_agree() -> None:
    settings = EngineConfig(
        data_dir=Path("/p/.understudy"),
        port=0,
        hosts=("127.0.0.1",),
        allowed_hosts=("understudy",),
        hooks_dir=Path("/p/localstack-init"),
        delegate_python=Path("/v/bin/python"),
        ready_file=Path("/p/ready.json"),
        die_with_parent=True,
        prewarm=False,
        log_level="debug",
    )
    assert config.parse(settings.argv()) == settings
    assert config.parse(EngineConfig(data_dir=Path("/p")).argv()) == EngineConfig(data_dir=Path("/p"))


def test_the_delegate_can_be_somebody_elses() -> None:
    settings = EngineConfig(data_dir=Path("/p"), delegate_url="http://localstack:4566")
    assert config.parse(settings.argv()) == settings


def test_flags_win_over_json() -> None:
    settings = config.parse(["--config", '{"data_dir": "/a", "port": 1}', "--port", "2", "--allow-host", "x"])
    assert (settings.data_dir, settings.port, settings.allowed_hosts) == (Path("/a"), 2, ("x",))
    assert settings.ready_path == Path("/a/run/engine.json")


def test_the_environment_fills_what_flags_leave_open() -> None:
    environ = {"GATEWAY_LISTEN": "0.0.0.0:4510", "DEBUG": "1"}
    settings = config.parse(["--data-dir", "/a"], environ)
    assert (settings.hosts, settings.port, settings.log_level) == (("0.0.0.0",), 4510, "debug")
    assert config.parse(["--data-dir", "/a", "--port", "4510"], environ).port == 4510
    assert config.parse(["--data-dir", "/a"], {"GATEWAY_LISTEN": ":4510"}).hosts == config.LOOPBACK
    assert config.parse(["--data-dir", "/a", "--log-level", "error"], {"DEBUG": "1"}).log_level == "debug"


def test_executors_of_both_environments_must_agree() -> None:
    asked = {"LAMBDA_RUNTIME_EXECUTOR": "docker"}
    assert config.parse(["--data-dir", "/a"], asked).executor == "docker"
    with pytest.raises(UnderstudyError, match="LAMBDA_RUNTIME_EXECUTOR asks for executor docker"):
        config.parse(["--data-dir", "/a"], {**asked, "UNDERSTUDY_EXECUTOR": "namespaces"})


def test_environment_and_flags_must_agree() -> None:
    with pytest.raises(UnderstudyError, match="GATEWAY_LISTEN asks for port 4510, the command line for 1"):
        config.parse(["--data-dir", "/a", "--port", "1"], {"GATEWAY_LISTEN": ":4510"})


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "--data-dir is missing"),
        (["--config", "{"], "is no JSON"),
        (["--config", "[]"], "is no JSON object"),
        (["--config", '{"prot": 1}'], "unknown setting 'prot'"),
        (["--data-dir", "/p", "--delegate-url", "localstack"], "no http:// URL"),
        (["--data-dir", "/p", "--delegate-url", "http://a", "--delegate-python", "/v"], "two delegates"),
    ],
)
def test_refuses_what_it_does_not_understand(argv: list[str], message: str) -> None:
    with pytest.raises(UnderstudyError, match=message):
        config.parse(argv)


def test_prewarm_can_be_switched_off(tmp_path: Path) -> None:
    assert config.parse(["--data-dir", str(tmp_path)]).prewarm
    assert not config.parse(["--data-dir", str(tmp_path), "--no-prewarm"]).prewarm
