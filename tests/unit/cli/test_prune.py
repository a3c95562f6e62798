from tests.fakes import project as projects
from tests.fakes.aws import Refusal
from tests.unit.cli.conftest import Reached, Understudy
from understudy.reconcile import scratch_versions
from understudy.targets.workspace import Workspace

OURS = "0a0a0a0a-1111-2222-3333-444444444444"
NOBODY = {
    "ListFunctions": {"Functions": []},
    "GetApis": {"Items": []},
    "DescribeLogGroups": {"logGroups": []},
    "ListTables": {"TableNames": []},
    "ListRoles": {"Roles": []},
    "ListPolicies": {"Policies": []},
    "DescribeRepositories": {"repositories": []},
    "ListAliases": {"Aliases": []},
    "ListEventSourceMappings": {"EventSourceMappings": []},
    "ListQueues": {},
    "ListTopics": {"Topics": []},
    "ListFunctionUrlConfigs": {"FunctionUrlConfigs": []},
    "ListVersionsByFunction": {"Versions": []},
}


def test_what_lost_its_manifest_goes(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    answers = {
        **projects.NOTHING_EXISTS,
        **NOBODY,
        "DescribeRepositories": [projects.NOTHING_EXISTS["DescribeRepositories"], {"repositories": []}],
        "GetApis": {
            "Items": [
                {"ApiId": "old", "Name": "a", "Tags": projects.tags_of("API.front")},
                {"ApiId": "theirs", "Name": "a", "Tags": {}},
            ]
        },
    }
    fake = reach(answers).fake

    done = understudy("prune", "--yes")

    assert done.exit_code == 0, done.output
    assert done.stdout == "- API/front\n1 delete\n1 changed\n"
    assert fake.writes == ["DeleteApi"]
    assert fake.params("DeleteApi") == {"ApiId": "old"}


def test_what_is_in_the_manifests_stays(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    there = projects.exists("sha256:x")
    configuration = there["GetFunctionConfiguration"]
    function = {"Functions": [configuration]}
    tags = {"Tags": projects.tags_of("Function.shop")}
    fake = reach({**NOBODY, **there, "ListFunctions": function, "ListTags": tags}).fake

    assert understudy("prune").stdout == "nothing to delete\n"
    assert fake.writes == []


def test_a_mapping_to_a_function_of_the_stack_goes(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    there = projects.exists("sha256:x")
    arn = "arn:aws:lambda:us-east-1:000000000000:function"
    mapping = {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q", "State": "Enabled"}
    mappings = [
        {**mapping, "UUID": OURS, "FunctionArn": f"{arn}:shop:live"},
        {**mapping, "UUID": "going", "FunctionArn": f"{arn}:shop", "State": "Deleting"},
        {**mapping, "UUID": "theirs", "FunctionArn": f"{arn}:other"},
    ]
    fake = reach(
        {
            **NOBODY,
            **there,
            "ListFunctions": {"Functions": [there["GetFunctionConfiguration"]]},
            "ListTags": {"Tags": projects.tags_of("Function.shop")},
            "ListEventSourceMappings": {"EventSourceMappings": mappings},
            "GetEventSourceMapping": [mappings[0], Refusal(code="ResourceNotFoundException")],
        }
    ).fake

    done = understudy("prune", "--yes")

    assert done.stdout == f"- EventSourceMapping/shop:live:{OURS}\n1 delete\n1 changed\n", done.output
    assert fake.params("DeleteEventSourceMapping") == {"UUID": OURS}


def version(number: str, description: str = scratch_versions.DESCRIPTION) -> dict[str, str]:
    """A version of the function, as it is listed."""
    return {
        "FunctionName": "shop",
        "FunctionArn": f"arn:shop:{number}",
        "Version": number,
        "Description": description,
        "CodeSha256": "aa",
    }


def test_versions_that_a_measurement_of_cold_starts_left_go_and_no_others(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    there = projects.exists("sha256:x")
    listed = [version("$LATEST"), version("1", "git abc"), version("9"), version("10"), version("11", "")]
    left = [listed, [*listed[:3], listed[4]], [*listed[:2], listed[4]]]
    fake = reach(
        {
            **NOBODY,
            **there,
            "ListFunctions": {"Functions": [there["GetFunctionConfiguration"]]},
            "ListTags": {"Tags": projects.tags_of("Function.shop")},
            "ListVersionsByFunction": [{"Versions": one} for one in left],
        }
    ).fake

    done = understudy("prune", "--yes")

    assert done.stdout == (
        "- Version/shop:10  (left by coldstart)\n- Version/shop:9  (left by coldstart)\n2 delete\n2 changed\n"
    ), done.output
    assert [params for name, params in fake.calls if name == "DeleteFunction"] == [
        {"FunctionName": "shop", "Qualifier": "10"},
        {"FunctionName": "shop", "Qualifier": "9"},
    ]
    assert fake.writes == ["DeleteFunction", "DeleteFunction"]


def test_versions_of_a_function_without_the_stack_s_tag_stay(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    there = projects.exists("sha256:x")
    function = there["GetFunction"]
    assert isinstance(function, dict)
    fake = reach(
        {
            **NOBODY,
            **there,
            "GetFunction": {**function, "Tags": {"understudy.dev/stack": "other"}},
            "ListVersionsByFunction": {"Versions": [version("9")]},
        }
    ).fake

    assert understudy("prune", "--yes").stdout == "nothing to delete\n"
    assert fake.writes == []


def test_nothing_goes_that_nobody_confirmed(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    there = projects.exists("sha256:x")
    fake = reach({**NOBODY, **there, "ListVersionsByFunction": {"Versions": [version("9")]}}).fake

    done = understudy("prune")

    assert "- Version/shop:9  (left by coldstart)" in done.stdout
    assert "error[confirmation-missing]" in done.stderr
    assert fake.writes == []
