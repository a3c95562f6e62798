import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile.services import lambda_events

U0, U1, U2 = (f"{number}0000000-0000-4000-8000-000000000000" for number in range(3))
QUEUE = "arn:aws:sqs:us-east-1:1:q"
ARN = "arn:aws:lambda:us-east-1:1:function:f"
SPEC: dict[str, Json] = {"functionName": "f", "eventSourceARN": QUEUE, "batchSize": 5}
MAPPING = {
    "UUID": U1,
    "EventSourceArn": QUEUE,
    "FunctionArn": ARN,
    "BatchSize": 5,
    "State": "Enabled",
    "FunctionResponseTypes": [],
    "DestinationConfig": {"OnFailure": {}},
}
MISSING = Refusal(code="ResourceNotFoundException", status=404)


def listed(*mappings: dict[str, object]) -> dict[str, object]:
    return {"EventSourceMappings": list(mappings)}


def there(**changed: object) -> dict[str, object]:
    return {"ListEventSourceMappings": listed({**MAPPING, **changed}), "GetEventSourceMapping": MAPPING}


def test_absent_mapping_is_created_and_waited_for() -> None:
    fake = ScriptedAws(
        {
            "ListEventSourceMappings": listed(),
            "CreateEventSourceMapping": {"UUID": U1},
            "GetEventSourceMapping": [{**MAPPING, "State": "Creating"}, MAPPING],
        }
    )
    assert reconcile(fake.aws, desired("EventSourceMapping/m", SPEC)) == "create"
    assert fake.params("CreateEventSourceMapping") == {
        "FunctionName": "f",
        "EventSourceArn": QUEUE,
        "BatchSize": 5,
        "Enabled": True,
    }
    assert len(fake.clock.slept) == 1


@pytest.mark.parametrize("name", ["f", "1:function:f", ARN])
def test_equal_mapping_is_left_alone_however_its_function_is_named(name: str) -> None:
    wanted = desired("EventSourceMapping/m", {**SPEC, "functionName": name})
    assert reconcile(ScriptedAws(there()).aws, wanted) == "unchanged"


def test_mapping_that_is_changing_is_waited_for() -> None:
    wanted = desired("EventSourceMapping/m", SPEC)
    assert reconcile(ScriptedAws(there(State="Updating")).aws, wanted) == "wait"
    fake = ScriptedAws({**there(), "GetEventSourceMapping": [{**MAPPING, "State": "Updating"}, MAPPING]})
    lambda_events.EventSourceMappingManager().settle(fake.aws, wanted)
    assert len(fake.clock.slept) == 1


@pytest.mark.parametrize(
    ("change", "have", "written"),
    [
        ({"batchSize": 8}, {}, {"BatchSize": 8}),
        ({"enabled": False}, {}, {"Enabled": False}),
        ({}, {"State": "Disabling"}, {"Enabled": True}),
        ({"functionName": "f:live"}, {}, {"FunctionName": "f:live"}),
        (
            {"filterCriteria": {"filters": [{"pattern": "{}"}]}},
            {},
            {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}},
        ),
        (
            {},
            {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}},
            {"FilterCriteria": {"Filters": []}},
        ),
        ({}, {"ScalingConfig": {"MaximumConcurrency": 2}}, {"ScalingConfig": {}}),
        ({}, {"FunctionResponseTypes": ["ReportBatchItemFailures"]}, {"FunctionResponseTypes": []}),
        (
            {},
            {"DestinationConfig": {"OnFailure": {"Destination": "arn:d"}}},
            {"DestinationConfig": {"OnFailure": {"Destination": ""}}},
        ),
    ],
)
def test_only_what_changed_is_written(
    change: dict[str, Json], have: dict[str, object], written: dict[str, object]
) -> None:
    fake = ScriptedAws(there(**have))
    assert reconcile(fake.aws, desired("EventSourceMapping/m", {**SPEC, **change})) == "update"
    assert fake.params("UpdateEventSourceMapping") == {"UUID": U1, **written}


def test_mapping_of_another_function_or_on_its_way_out_is_not_meant() -> None:
    other = {**MAPPING, "UUID": U0, "FunctionArn": f"{ARN}-other"}
    going = {**MAPPING, "State": "Deleting"}
    fake = ScriptedAws(
        {
            "ListEventSourceMappings": [listed(other, going), listed(other, going), listed(other)],
            "CreateEventSourceMapping": {"UUID": U2},
            "GetEventSourceMapping": MAPPING,
        }
    )
    assert reconcile(fake.aws, desired("EventSourceMapping/m", SPEC)) == "create"
    # The one that is going has to be gone first: AWS allows one of a kind.
    assert len(fake.clock.slept) == 1


def test_mapping_of_the_same_alias_is_meant_before_others() -> None:
    both = listed(
        {**MAPPING, "FunctionArn": f"{ARN}:live"}, {**MAPPING, "UUID": U2, "FunctionArn": f"{ARN}:next"}
    )
    fake = ScriptedAws({"ListEventSourceMappings": both})
    manager = lambda_events.EventSourceMappingManager()
    found = manager.observe(fake.aws, desired("EventSourceMapping/m", {**SPEC, "functionName": "f:live"}))
    assert found is not None
    assert found.status["uuid"] == U1
    with pytest.raises(UnderstudyError, match=f"{U1}, {U2}"):
        manager.observe(fake.aws, desired("EventSourceMapping/m", SPEC))


def test_topics_of_a_cluster_are_part_of_the_source() -> None:
    endpoints = {"KAFKA_BOOTSTRAP_SERVERS": ["b:1", "a:1"]}
    spec: dict[str, Json] = {
        "functionName": "f",
        "selfManagedEventSource": {"endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a:1", "b:1"]}},
        "topics": ["t"],
        "startingPosition": "LATEST",
        "selfManagedKafkaEventSourceConfig": {"consumerGroupID": "g"},
        "sourceAccessConfigurations": [{"type_": "BASIC_AUTH", "uRI": "arn:secret"}],
    }
    found = {
        "UUID": U1,
        "FunctionArn": ARN,
        "State": "Enabled",
        "SelfManagedEventSource": {"Endpoints": endpoints},
        "Topics": ["t"],
        "StartingPosition": "LATEST",
        "SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"},
        "SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": "arn:secret"}],
    }
    other = {**found, "UUID": U0, "Topics": ["other"]}
    fake = ScriptedAws({"ListEventSourceMappings": listed(other, found), "GetEventSourceMapping": found})
    assert reconcile(fake.aws, desired("EventSourceMapping/m", spec)) == "unchanged"
    assert fake.params("ListEventSourceMappings")["FunctionName"] == "f"
    open_access = {name: value for name, value in spec.items() if name != "sourceAccessConfigurations"}
    assert reconcile(fake.aws, desired("EventSourceMapping/m", open_access)) == "update"
    assert fake.params("UpdateEventSourceMapping")["SourceAccessConfigurations"] == []


def test_delete_waits_until_the_mapping_is_gone() -> None:
    fake = ScriptedAws({"GetEventSourceMapping": [MAPPING, {**MAPPING, "State": "Deleting"}, MISSING]})
    manager = lambda_events.EventSourceMappingManager()
    manager.delete(fake.aws, observed("EventSourceMapping/m", SPEC, uuid=U1))
    manager.delete(fake.aws, observed("EventSourceMapping/m", SPEC, uuid=U1))
    assert fake.writes == ["DeleteEventSourceMapping"]
    assert len(fake.clock.slept) == 1
