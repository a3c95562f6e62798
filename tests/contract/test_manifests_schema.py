"""Our names and documents against the published CRDs of the ACK controllers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.fakes import several
from understudy.manifests import emit, kinds, overlays, printed, render, schema
from understudy.manifests.model import ImageBinding
from understudy.manifests.references import Reference
from understudy.manifests.render import Lookup
from understudy.manifests.schema import Field
from understudy.targets import project

ROOT = Path(__file__).resolve().parents[2]
CRDS = Path(__file__).parent / "ack"
RECORDED = yaml.safe_load((Path(__file__).parent / "ack_fields.yaml").read_text(encoding="utf-8"))
PUBLISHED = [kind for kind in kinds.KINDS if kind not in RECORDED]
OVERLAYS = ["base", "overlays/local", "overlays/localstack", "overlays/preprod"]
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253},
        "labels": _TEXTS,
        "annotations": _TEXTS,
    },
    "required": ["name"],
    "additionalProperties": False,
}
KNOWN = {
    "apiID": "a1b2c3d4e5",
    "version": "7",
    "repositoryURI": "000000000000.dkr.ecr.us-east-1.amazonaws.com/dashboard",
    "integrationID": "i1b2c3d",
    "routeID": "r1b2c3d",
    "authorizerID": "u1b2c3d",
    "latestStreamARN": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000",
    "uuid": "0a0a0a0a-1111-2222-3333-444444444444",
}


def crd(kind: str) -> dict[str, Any]:
    """The published schema of a kind (tests/contract/ack: unchanged copies, see SOURCES.md there)."""
    path = CRDS / f"{kinds.KINDS[kind].group}_{kinds.KINDS[kind].kind}.yaml"
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = text["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def crd_paths(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", child["type"]
        yield from crd_paths(child, f"{path}.{name}")
    if "items" in node:
        yield from crd_paths(node["items"], f"{path}[]")
    if isinstance(node.get("additionalProperties"), dict):
        yield from crd_paths(node["additionalProperties"], f"{path}{{}}")


def our_paths(field: Field, path: str = "") -> Iterator[tuple[str, str]]:
    for name, child in field.members.items():
        yield f"{path}.{name}", "object" if child.type == "map" else child.type
        yield from our_paths(child, f"{path}.{name}")
    if field.element is not None:
        yield from our_paths(field.element, f"{path}[]" if field.type == "array" else f"{path}{{}}")


def closed(node: Any) -> Any:
    """The same schema, with unknown fields forbidden as the API server prunes them."""
    if isinstance(node, list):
        return [closed(child) for child in node]
    if not isinstance(node, dict):
        return node
    result = {key: closed(child) for key, child in node.items()}
    if isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
        result["additionalProperties"] = False
    return result


@pytest.mark.parametrize("kind", PUBLISHED)
def test_fields_and_types_are_exactly_those_of_the_crd(kind: str) -> None:
    published = dict(crd_paths(crd(kind)["properties"]["spec"]))
    assert dict(our_paths(schema.spec_of(kind))) == published


@pytest.mark.parametrize("kind", RECORDED)
def test_fields_and_types_are_exactly_those_recorded_where_no_crd_is_kept(kind: str) -> None:
    assert dict(our_paths(schema.spec_of(kind))) == RECORDED[kind]


@pytest.mark.parametrize("kind", PUBLISHED)
def test_requires_at_least_what_the_crd_requires(kind: str) -> None:
    assert set(crd(kind)["properties"]["spec"].get("required", [])) <= set(kinds.KINDS[kind].required)


def filled(reference: Reference) -> str | None:
    return KNOWN[reference.field]


def offline(_: Reference) -> str | None:
    return None


def documents(overlay: Path, root: Path, images: Mapping[str, str], lookup: Lookup) -> list[dict[str, Any]]:
    """What `understudy render` prints, read back; every resource annotated as one that exists."""
    context = render.RenderContext(
        account="000000000000",
        region="us-east-1",
        project="dashboard",
        images={
            name: ImageBinding(name=name, repository=repository, digest=f"sha256:{'a' * 64}")
            for name, repository in images.items()
        },
    )
    stack = render.render(overlays.load(overlay, root=root), context)
    annotations = {resource.key: printed.adoption(resource, KNOWN) for resource in stack}
    return list(yaml.safe_load_all(emit.dump(printed.documents(stack, lookup, annotations))))


def rendered(overlay: str, lookup: Lookup = filled) -> list[dict[str, Any]]:
    images = {
        name: section.repository for name, section in project.load(ROOT / project.FILE_NAME).images.items()
    }
    return documents(ROOT / "deploy" / overlay, ROOT, images, lookup)


def validate(document: dict[str, Any]) -> None:
    """Holds a document to the published schema, and its metadata to what an API server takes."""
    known = kinds.of_document(document["kind"], document["apiVersion"])
    assert known is not None
    if known.name in RECORDED:
        assert set(_paths(document["spec"], RECORDED[known.name])) <= RECORDED[known.name].keys()
        return
    published = closed(crd(known.name))
    published["properties"]["metadata"] = METADATA
    jsonschema.validate(document, published, cls=jsonschema.Draft202012Validator)


def _paths(value: Any, recorded: Mapping[str, str], path: str = "") -> Iterator[str]:
    """The paths of the fields in a spec; the keys of a map are no fields."""
    if isinstance(value, list):
        for child in value:
            yield from _paths(child, recorded, f"{path}[]")
    elif isinstance(value, dict) and any(known.startswith(f"{path}.") for known in recorded):
        for name, child in value.items():
            yield f"{path}.{name}"
            yield from _paths(child, recorded, f"{path}.{name}")


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("lookup", [filled, offline])
def test_every_rendered_document_of_deploy_is_valid_ack(overlay: str, lookup: Lookup) -> None:
    found = rendered(overlay, lookup)
    assert len(found) == 28
    for document in found:
        validate(document)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_left_open_once_the_target_has_told_what_it_chose(overlay: str) -> None:
    assert "${" not in yaml.safe_dump(rendered(overlay))


def test_documents_of_several_images_and_an_authorizer_are_valid_ack(tmp_path: Path) -> None:
    root = several.write(tmp_path)
    found = documents(root / "deploy", root, {name: name for name in several.DIGESTS}, filled)
    assert {"Authorizer", "Function", "Repository"} <= {document["kind"] for document in found}
    for document in found:
        validate(document)


def test_overlay_of_preprod_keeps_what_holds_data() -> None:
    found = {document["metadata"]["name"]: document for document in rendered("overlays/preprod")}
    table, bucket = found["dashboard-configurations"], found["dashboard-tickers"]
    for document in (table, bucket):
        assert document["metadata"]["annotations"]["services.k8s.aws/deletion-policy"] == "retain"
    assert bucket["spec"]["name"] == "dashboard-tickers-000000000000-us-east-1"
    assert table["spec"]["deletionProtectionEnabled"] is True


def test_function_names_the_image_by_digest() -> None:
    function = next(document for document in rendered("overlays/local") if document["kind"] == "Function")
    assert function["spec"]["code"]["imageURI"] == f"{KNOWN['repositoryURI']}@sha256:{'a' * 64}"


def test_unknown_field_is_refused_by_the_closed_schema() -> None:
    document = next(document for document in rendered("base") if document["kind"] == "Function")
    document["spec"]["code"]["imageUri"] = "x"
    with pytest.raises(jsonschema.ValidationError, match="imageUri"):
        validate(document)
