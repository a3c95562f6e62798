import json

import pytest

from understudy.image import digests, referrers
from understudy.image.fields import DocumentInvalidError
from understudy.image.model import OCI_MANIFEST, Descriptor

SUBJECT = Descriptor(media_type=OCI_MANIFEST, digest=digests.of(b"image"), size_bytes=5)
LAYER = Descriptor(media_type="application/example", digest=digests.of(b"proof"), size_bytes=5)
TYPE = "application/vnd.example.proof"


def test_artifact_has_the_empty_config_a_type_and_its_subject() -> None:
    made = referrers.artifact(SUBJECT, TYPE, [LAYER], {"a": "b"})

    document = json.loads(made.manifest.raw)
    assert document["config"] == {
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": digests.of(b"{}"),
        "size": 2,
    }
    assert document["subject"] == {"mediaType": OCI_MANIFEST, "digest": SUBJECT.digest, "size": 5}
    assert (document["artifactType"], document["annotations"]) == (TYPE, {"a": "b"})
    assert referrers.parse(made.manifest.raw) == made


def test_equal_arguments_give_equal_bytes() -> None:
    first = referrers.artifact(SUBJECT, TYPE, [LAYER], {"a": "1", "b": "2"})
    second = referrers.artifact(SUBJECT, TYPE, [LAYER], {"b": "2", "a": "1"})
    assert first.digest == second.digest


def test_without_a_type_of_its_own_the_configs_is_the_artifacts() -> None:
    document = json.loads(referrers.artifact(SUBJECT, TYPE, [LAYER]).manifest.raw)
    del document["artifactType"]
    assert referrers.parse(json.dumps(document).encode()).artifact_type == referrers.EMPTY_TYPE


def test_a_manifest_without_subject_is_no_artifact() -> None:
    document = json.loads(referrers.artifact(SUBJECT, TYPE, [LAYER]).manifest.raw)
    del document["subject"]
    with pytest.raises(DocumentInvalidError, match="subject"):
        referrers.parse(json.dumps(document).encode())


def test_index_lists_type_and_annotations_and_reads_back() -> None:
    one = referrers.artifact(SUBJECT, TYPE, [LAYER], {"a": "b"}).entry
    two = referrers.artifact(SUBJECT, "application/other", [LAYER]).entry

    raw = referrers.index([one, two])

    assert raw == referrers.index([two, one])
    assert set(referrers.parse_index(raw)) == {one, two}
    listed = {item["digest"]: item for item in json.loads(raw)["manifests"]}
    assert listed[one.digest]["artifactType"] == TYPE
    assert listed[one.digest]["annotations"] == {"a": "b"}


def test_tag_of_a_digest_follows_the_schema_and_back() -> None:
    tag = referrers.tag_of(SUBJECT.digest)
    assert tag == SUBJECT.digest.replace(":", "-")
    assert referrers.subject_of(tag) == SUBJECT.digest
    assert referrers.subject_of("dashboard:latest") == ""
