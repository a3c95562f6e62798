import pytest

from tests.fakes.coldstarts import OWNERS, recording, span
from understudy.coldstart import profiles

TASK = "/var/task/app.py"
RECORDING = recording(
    span("awslambdaric", 12, 22),
    span("app", 30, 90),
    span("fastapi", 32, 72, parent=1, path=TASK),
    span("yaml", 40, 60, parent=2, path="/var/task/fastapi/main.py", compiled_ms=5),
    span("s3", 75, 85, kind="client", parent=1, path=TASK),
    span("Item", 86, 88, kind="model", parent=1, path=TASK),
    span("look up db:5432", 89, 89, kind="network", parent=1, path=TASK),
    span("dynamodb.GetItem", 105, 115, kind="call"),
    span("json", 106, 108, parent=7),
    span("json.decoder", 106, 107, parent=8),
)


def test_the_way_to_next_is_cut_without_gaps() -> None:
    found = profiles.profile(RECORDING, handler="app", owners=OWNERS)

    assert [(phase.name, phase.ms) for phase in found.phases] == [
        ("entrypoint until Python runs", 10.0),
        ("runtime client: imports", 10.0),
        ("runtime client: own work", 10.0),
        ("import of app", 60.0),
        ("runtime client: until /next", 10.0),
    ]
    assert sum(phase.ms for phase in found.phases) == found.init_ms == 100.0
    assert found.named_share == 1.0


def test_a_module_costs_what_it_does_itself_and_its_owner_bears_it() -> None:
    found = profiles.profile(RECORDING, handler="app", owners=OWNERS)
    costs = {one.name: (one.self_ms, one.total_ms, one.distribution) for one in found.modules}

    assert costs["fastapi"] == (20.0, 40.0, "fastapi")
    assert costs["yaml"] == (20.0, 20.0, "PyYAML")
    assert costs["app"] == (8.0, 60.0, "your code")
    assert costs["awslambdaric"][2] == "runtime client"
    assert "json" not in costs
    assert found.distributions["PyYAML"] == 20.0
    assert found.modules[0].imported_by in {f"{TASK}:3", "/var/task/fastapi/main.py:3"}


def test_clients_models_and_the_first_request_are_told_apart() -> None:
    found = profiles.profile(RECORDING, handler="app", owners=OWNERS)

    assert [one.name for one in found.clients] == ["s3"]
    assert (found.models, found.models_ms, found.compiled_ms) == (1, 2.0, 5.0)
    assert [(one.name, one.depth, one.ms, one.self_ms) for one in found.first_request] == [
        ("dynamodb.GetItem", 0, 10.0, 8.0),
        ("json", 1, 2.0, 1.0),
    ]
    assert found.network == (f"look up db:5432 ({TASK}:3)",)


@pytest.mark.parametrize("handler", ["", "elsewhere"])
def test_without_the_handler_s_module_everything_is_the_runtime_client_s(handler: str) -> None:
    found = profiles.profile(RECORDING, handler=handler, owners=OWNERS)

    assert [phase.ms for phase in found.phases] == [10.0, 70.0, 20.0]
