"""MiniStack is told to keep its state here, to listen on nothing else and to leave our services alone."""

from pathlib import Path

from understudy.engine.delegate.launch import MiniStack


def test_settings_of_ministack() -> None:
    emulator = MiniStack(python=Path("/v/bin/python"), data_dir=Path("/p/delegate"), engine_port=4567)
    launch = emulator.launch(socket_fd=9, port=1234)
    assert launch.argv[0] == "/v/bin/python"
    assert launch.argv[2] == "9"
    environment = launch.environment
    assert environment["STATE_DIR"] == "/p/delegate/state"
    assert environment["S3_DATA_DIR"] == "/p/delegate/s3"
    assert environment["GATEWAY_PORT"] == "4567"
    services = environment["SERVICES"].split(",")
    assert {"dynamodb", "sqs"} <= set(services)
    assert not {"lambda", "ecr", "logs", "apigateway", "apigatewayv2"} & set(services)
    assert launch.headers == ((b"x-understudy-delegate", emulator.token.encode()),)


def test_every_start_has_another_token() -> None:
    first, second = (MiniStack(python=Path("/v"), data_dir=Path("/p"), engine_port=1).token for _ in range(2))
    assert first != second
