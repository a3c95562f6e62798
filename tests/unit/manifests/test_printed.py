import pytest

from tests.unit.manifests.stacks import stack
from tests.unit.manifests.test_render import FUNCTION, ROLE, VERSION, everything
from understudy.manifests import kinds, printed, schema
from understudy.manifests.model import ResourceKey


def test_printed_documents_keep_references_and_lose_our_annotations() -> None:
    found = {str(document["kind"]): document for document in printed.documents(everything())}
    assert found["Function"]["spec"]["roleRef"] == {"from": {"name": "role"}}  # type: ignore[call-overload,index]
    assert found["Version"]["metadata"]["annotations"] == {"a": "b"}  # type: ignore[call-overload,index]


def test_printed_version_gets_a_new_name_with_every_release() -> None:
    def name(memory: int) -> str:
        function = FUNCTION.replace("name: f,", f"name: f, memorySize: {memory},")
        documents = printed.documents(stack(function, ROLE, VERSION))
        return str(next(d for d in documents if d["kind"] == "Version")["metadata"]["name"])  # type: ignore[call-overload,index]

    assert name(128) == name(128) != name(256)
    assert name(128).startswith("v-")


def test_added_annotations_stand_beside_those_of_others() -> None:
    added = {ResourceKey("Version", "v"): {"services.k8s.aws/adoption-policy": "adopt-or-create"}}
    documents = printed.documents(everything(), annotations=added)
    version = next(document for document in documents if document["kind"] == "Version")
    assert version["metadata"]["annotations"] == {  # type: ignore[call-overload,index]
        "a": "b",
        "services.k8s.aws/adoption-policy": "adopt-or-create",
    }


@pytest.mark.parametrize(
    ("kind", "status", "fields"),
    [
        ("API", {"apiID": "a1"}, '{"apiID": "a1"}'),
        ("Route", {"apiID": "a1", "routeID": "r1"}, '{"apiID": "a1", "routeID": "r1"}'),
        ("Alias", {}, '{"functionName": "f", "name": "live"}'),
        ("Function", {"arn": "arn:f"}, '{"name": "f"}'),
    ],
)
def test_adoption_names_what_a_controller_looks_up(kind: str, status: dict[str, str], fields: str) -> None:
    resource = next(iter(everything().of_kind(kind)))
    assert printed.adoption(resource, status) == {
        printed.ADOPTION_POLICY: "adopt-or-create",
        printed.ADOPTION_FIELDS: fields,
    }


def test_every_kind_says_how_a_controller_finds_it() -> None:
    ids = {
        "version",
        "uuid",
        "arn",
        "id",
        "apiID",
        "integrationID",
        "routeID",
        "deploymentID",
        "authorizerID",
    }
    for name, kind in kinds.KINDS.items():
        assert kind.adoption
        assert set(kind.adoption) <= ids | {"authorizerID", *schema.spec_of(name).members}
