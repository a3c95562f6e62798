import json
from collections.abc import Mapping

import pytest

from understudy.manifests.model import Json
from understudy.reconcile import compare


def paths(kind: str, wanted: Mapping[str, Json], actual: Mapping[str, Json]) -> list[str]:
    return [change.path for change in compare.changes(kind, wanted, actual)]


DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["a", "b"]}]}


@pytest.mark.parametrize(
    ("kind", "wanted", "actual", "changed"),
    [
        ("Function", {"memorySize": 256}, {"memorySize": 256}, []),
        ("Function", {"memorySize": 256}, {"memorySize": 128}, ["memorySize"]),
        ("Function", {}, {"memorySize": 128, "timeout": 3}, []),
        ("Function", {"ephemeralStorage": {"size": 512}}, {"ephemeralStorage": {"size": 512}}, []),
        (
            "Function",
            {"loggingConfig": {"logFormat": "Text"}},
            {"loggingConfig": {"logFormat": "Text", "logGroup": "x"}},
            [],
        ),
        ("Function", {"description": ""}, {}, []),
        (
            "Function",
            {"environment": {"variables": {"A": "1"}}},
            {"environment": {"variables": {"A": "1", "B": "2"}}},
            ["environment.variables.B"],
        ),
        ("Function", {"environment": {"variables": {"A": "1"}}}, {}, ["environment.variables.A"]),
        ("Function", {"architectures": ["arm64", "x86_64"]}, {"architectures": ["x86_64", "arm64"]}, []),
        ("Function", {"layers": ["a", "b"]}, {"layers": ["b", "a"]}, ["layers"]),
        (
            "Function",
            {"tags": {"a": "1"}},
            {"tags": {"a": "1", "aws:x": "y", "understudy.dev/resource": "z"}},
            [],
        ),
        ("Function", {"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}}, ["tags.b"]),
        (
            "Table",
            {"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]},
            {"tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]},
            [],
        ),
        (
            "Table",
            {"tags": [{"key": "a", "value": "1"}]},
            {"tags": [{"key": "a", "value": "2"}]},
            ["tags[a].value"],
        ),
        ("Table", {"tags": []}, {"tags": [{"key": "a", "value": "2"}]}, ["tags[a]"]),
        (
            "Table",
            {
                "keySchema": [
                    {"attributeName": "a", "keyType": "HASH"},
                    {"attributeName": "b", "keyType": "RANGE"},
                ]
            },
            {
                "keySchema": [
                    {"attributeName": "b", "keyType": "HASH"},
                    {"attributeName": "a", "keyType": "RANGE"},
                ]
            },
            ["keySchema"],
        ),
        (
            "Role",
            {"assumeRolePolicyDocument": json.dumps(DOCUMENT)},
            {"assumeRolePolicyDocument": json.dumps(DOCUMENT, indent=4)},
            [],
        ),
        (
            "Role",
            {"assumeRolePolicyDocument": "{}"},
            {"assumeRolePolicyDocument": '{"a": 1}'},
            ["assumeRolePolicyDocument"],
        ),
        ("Role", {"inlinePolicies": {"p": "{ }"}}, {"inlinePolicies": {"p": "{}"}}, []),
        ("Role", {"inlinePolicies": {}}, {"inlinePolicies": {"p": "{}"}}, ["inlinePolicies.p"]),
        (
            "Repository",
            {"imageScanningConfiguration": {"scanOnPush": True}},
            {},
            ["imageScanningConfiguration.scanOnPush"],
        ),
        ("Repository", {"imageScanningConfiguration": {"scanOnPush": False}}, {}, []),
    ],
)
def test_finds_the_fields_that_differ(
    kind: str, wanted: Mapping[str, Json], actual: Mapping[str, Json], changed: list[str]
) -> None:
    assert paths(kind, wanted, actual) == changed


def test_change_tells_old_and_new() -> None:
    [change] = compare.changes("Function", {"memorySize": 256}, {"memorySize": 128})
    assert (change.old, change.new, change.known, change.field) == (128, 256, True, "memorySize")


def test_value_that_aws_chooses_is_marked() -> None:
    [change] = compare.changes("Alias", {"functionVersion": "${Version.v.version}"}, {"functionVersion": "1"})
    assert not change.known


def test_list_of_one_is_its_element_in_a_document() -> None:
    one = '{"Statement": {"Action": "a"}}'
    assert compare.same_document(one, '{"Statement": [{"Action": ["a"]}]}')


@pytest.mark.parametrize("actual", [None, "", "not json", 12])
def test_document_differs_from_what_is_none(actual: Json) -> None:
    assert not compare.same_document("{}", actual)


def test_document_that_aws_hands_over_parsed_becomes_text() -> None:
    assert compare.dump({"a": 1}) == '{"a": 1}'
    assert compare.dump("x") == "x"


@pytest.mark.parametrize(
    ("kind", "wanted", "actual", "changed"),
    [
        ("Alias", {"routingConfig": None}, {}, []),
        ("Alias", {"routingConfig": None}, {"routingConfig": {"additionalVersionWeights": {}}}, []),
        (
            "Alias",
            {"routingConfig": None},
            {"routingConfig": {"additionalVersionWeights": {"2": 0.1}}},
            ["routingConfig"],
        ),
        ("Function", {"vpcConfig": None}, {"vpcConfig": {"subnetIDs": [], "securityGroupIDs": []}}, []),
        ("Function", {"kmsKeyARN": None}, {"kmsKeyARN": ""}, []),
        (
            "Function",
            {"reservedConcurrentExecutions": None},
            {"reservedConcurrentExecutions": 0},
            ["reservedConcurrentExecutions"],
        ),
    ],
)
def test_none_takes_away_what_is_there(
    kind: str, wanted: Mapping[str, Json], actual: Mapping[str, Json], changed: list[str]
) -> None:
    assert paths(kind, wanted, actual) == changed


def statement(**more: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **more}]})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (statement(Action=["a"]), statement(Action="a"), True),
        (statement(Action=["a", "b"]), statement(Action=["b", "a"]), True),
        (statement(Action=["a", "b"]), statement(Action=["b"]), False),
        (
            statement(Principal={"AWS": "1" * 12}),
            statement(Principal={"AWS": f"arn:aws:iam::{'1' * 12}:root"}),
            True,
        ),
        (
            statement(Principal={"AWS": "1" * 12}),
            statement(Principal={"AWS": f"arn:aws:iam::{'2' * 12}:root"}),
            False,
        ),
        (statement(Principal={"AWS": "*"}), statement(Principal="*"), True),
        (
            statement(Condition={"Bool": {"aws:SecureTransport": True}}),
            statement(Condition={"Bool": {"aws:SecureTransport": "true"}}),
            True,
        ),
    ],
)
def test_policies_are_equal_when_aws_reads_them_as_equal(one: str, other: str, same: bool) -> None:
    assert compare.same_document(one, other) is same


def test_moments_are_compared_as_moments() -> None:
    def rule(date: str) -> Mapping[str, Json]:
        return {"lifecycle": {"rules": [{"id": "r", "status": "Enabled", "expiration": {"date": date}}]}}

    assert paths("Bucket", rule("2030-01-01T00:00:00Z"), rule("2030-01-01T00:00:00+00:00")) == []
    assert paths("Bucket", rule("2030-01-01"), rule("2030-01-01T00:00:00+00:00")) == []
    assert paths("Bucket", rule("2030-01-01"), rule("2030-01-02T00:00:00+00:00")) != []
    assert paths("Bucket", rule("2030-01-01"), rule("soon")) != []


def test_rules_are_told_by_their_names_and_others_by_their_place() -> None:
    def rules(*names: str) -> Mapping[str, Json]:
        return {"lifecycle": {"rules": [{"id": name, "status": "Enabled"} for name in names]}}

    assert paths("Bucket", rules("a", "b"), rules("b", "a")) == []
    nameless: Mapping[str, Json] = {"lifecycle": {"rules": [{"status": "Enabled"}]}}
    assert paths("Bucket", nameless, rules("chosen-by-s3")) == []


def test_header_names_mean_the_same_in_any_case() -> None:
    wanted: Mapping[str, Json] = {"corsConfiguration": {"allowHeaders": ["X-A", "b"], "allowOrigins": ["*"]}}
    actual: Mapping[str, Json] = {"corsConfiguration": {"allowHeaders": ["B", "x-a"], "allowOrigins": ["*"]}}
    assert paths("API", wanted, actual) == []
