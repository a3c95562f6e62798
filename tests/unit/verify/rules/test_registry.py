"""What Lambda refuses in documents and layers, and what only looks as if it did."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.image import model
from understudy.image.model import Descriptor, HistoryEntry, ImageIndex, IndexEntry, Platform
from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.rules import registry

GIB = 1 << 30


def found(subject: Subject) -> list[Finding]:
    return list(registry.check(subject))


def ids(subject: Subject) -> list[tuple[str, Severity]]:
    return [(finding.rule, finding.severity) for finding in found(subject)]


def entry(platform: str, *, attests: bool = False) -> IndexEntry:
    parts = platform.split("/")
    return IndexEntry(
        descriptor=Descriptor(
            media_type=model.OCI_MANIFEST,
            digest=fake.digest(platform),
            size_bytes=500,
            annotations={"vnd.docker.reference.type": "attestation-manifest"} if attests else {},
        ),
        platform=Platform(os=parts[0], architecture=parts[1]),
    )


def index(*entries: IndexEntry) -> ImageIndex:
    return ImageIndex(raw=b"{}", media_type=model.OCI_INDEX, manifests=entries)


def binary_for(machine: str) -> Mapping[str, fake.Content]:
    return {"/usr/bin/bash": fake.shared_object(machine=machine)}


class TestGood:
    @pytest.mark.parametrize(
        "subject",
        [
            pytest.param(fake.subject(), id="aws-base"),
            pytest.param(fake.subject(architecture="arm64"), id="arm64-without-function"),
            pytest.param(
                fake.subject(layers=[fake.layer(media_type=model.OCI_LAYER)]), id="uncompressed-oci-layer"
            ),
            pytest.param(
                fake.subject(layers=[fake.layer(media_type=model.DOCKER_LAYER_GZIP)]), id="docker-gzip"
            ),
            pytest.param(fake.subject(layers=[fake.layer(uncompressed_bytes=10 * GIB)]), id="exactly-10-GiB"),
            pytest.param(
                fake.subject(layers=[fake.layer(size_bytes=1_000_000_000 - 2000)]), id="exactly-the-budget"
            ),
            pytest.param(
                fake.subject(
                    layers=[fake.layer(size_bytes=3_000_000_000, media_type="application/x-tar")],
                    exported=True,
                ),
                id="docker-save-is-not-compressed-and-has-no-types",
            ),
            pytest.param(
                fake.subject(layers=[fake.layer(actual_diff_id="", problem="")]), id="diff-id-not-computed"
            ),
            pytest.param(
                fake.subject(
                    config={
                        "history": (
                            HistoryEntry(created_by="FROM"),
                            HistoryEntry(created_by="ENV A=1", empty_layer=True),
                            HistoryEntry(created_by="COPY"),
                        )
                    }
                ),
                id="history-with-empty-layers",
            ),
        ],
    )
    def test_stays_silent(self, subject: Subject) -> None:
        assert found(subject) == []


class TestArchitecture:
    def test_names_both_sides_and_aws_text(self) -> None:
        subject = fake.subject(binary_for("arm64"), architecture="arm64", function_architecture="x86_64")

        [finding] = found(subject)

        assert (finding.rule, finding.severity) == ("architecture-mismatch", Severity.FAILS)
        assert finding.message == "image is linux/arm64, Function declares x86_64"
        assert finding.aws_text == (
            "Runtime.InvalidEntrypoint: fork/exec /lambda-entrypoint.sh: exec format error\n"
            "IMAGE Launch error: fork/exec /lambda-entrypoint.sh: exec format error "
            "Entrypoint: [/lambda-entrypoint.sh] Cmd: [handler.handler] WorkingDir: [/var/task]"
        )
        assert "--platform linux/amd64" in finding.fix
        assert "architectures: [arm64]" in finding.fix

    def test_label_alone_does_not_fail_an_image_that_starts(self) -> None:
        subject = fake.subject(binary_for("arm64"), function_architecture="arm64")

        assert ids(subject) == [("architecture-mismatch", Severity.INFO)]

    @pytest.mark.parametrize(
        ("config", "severity"),
        [
            pytest.param({"os": "windows"}, Severity.FAILS, id="windows"),
            pytest.param({"architecture": "s390x"}, Severity.INFO, id="label-only"),
        ],
    )
    def test_refuses_platforms_that_lambda_lacks(self, config: Mapping[str, Any], severity: Severity) -> None:
        assert ids(fake.subject(config=config)) == [("platform-unsupported", severity)]

    def test_foreign_binaries_under_a_foreign_label_may_fail(self) -> None:
        subject = fake.subject(binary_for("22"), architecture="s390x")

        assert ids(subject) == [("platform-unsupported", Severity.MAY_FAIL)]


class TestIndex:
    def test_counts_images_and_attestations(self) -> None:
        subject = fake.subject(
            index=index(
                entry("linux/amd64"), entry("unknown/unknown"), entry("unknown/unknown", attests=True)
            )
        )

        [finding] = found(subject)

        assert (finding.rule, finding.severity) == ("image-index", Severity.FAILS)
        assert "1 image (linux/amd64) and 2 attestations" in finding.message
        assert finding.aws_text == (
            "The image manifest, config or layer media type for the source image dashboard:latest "
            "is not supported."
        )
        assert "--provenance=false" in finding.fix

    def test_names_the_platform_of_the_function(self) -> None:
        subject = fake.subject(
            index=index(entry("linux/amd64"), entry("linux/arm64")),
            architecture="arm64",
            function_architecture="arm64",
        )

        assert "--platform linux/arm64" in found(subject)[0].fix

    def test_of_an_export_may_fail_only(self) -> None:
        subject = fake.subject(index=index(entry("linux/amd64")), exported=True)

        assert ids(subject) == [("image-index", Severity.MAY_FAIL)]


class TestLayers:
    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            pytest.param(
                {"media_type": "application/vnd.docker.image.rootfs.diff.tar"},
                ("media-type-unsupported", Severity.FAILS),
                id="uncompressed-docker",
            ),
            pytest.param(
                {"media_type": "application/vnd.in-toto+json"},
                ("media-type-unsupported", Severity.FAILS),
                id="attestation",
            ),
            pytest.param(
                {"media_type": "application/vnd.oci.image.layer.v1.tar+zstd"},
                ("layer-compression-unconfirmed", Severity.MAY_FAIL),
                id="zstd",
            ),
            pytest.param(
                {"media_type": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"},
                ("layer-compression-unconfirmed", Severity.MAY_FAIL),
                id="foreign",
            ),
            pytest.param({"problem": "it ends too early"}, ("layer-unreadable", Severity.FAILS), id="cut"),
            pytest.param(
                {"actual_diff_id": fake.digest("other")},
                ("diff-id-mismatch", Severity.MAY_FAIL),
                id="diff-id",
            ),
        ],
    )
    def test_names_the_layer_and_its_instruction(
        self, facts: Mapping[str, Any], expected: tuple[str, Severity]
    ) -> None:
        subject = fake.subject(layers=[fake.layer(0), fake.layer(1, **facts)])

        [finding] = found(subject)

        assert (finding.rule, finding.severity) == expected
        assert finding.places[0].layer == 1
        assert finding.places[0].instruction == "COPY . /var/task"
        assert fake.layer(1).digest in finding.message

    def test_estargz_is_only_told(self) -> None:
        subject = fake.subject()
        manifest = subject.image.manifest
        first = replace(
            manifest.layers[0], annotations={"containerd.io/snapshot/stargz/toc.digest": fake.digest("toc")}
        )
        image = replace(subject.image, manifest=replace(manifest, layers=(first, *manifest.layers[1:])))

        assert ids(replace(subject, image=image)) == [("layer-compression-unconfirmed", Severity.INFO)]

    def test_counts_diff_ids(self) -> None:
        subject = fake.subject(config={"diff_ids": (fake.layer(0).diff_id,)})

        assert [finding.message for finding in found(subject)] == ["config names 1 layers, the manifest 2"]

    def test_history_that_does_not_tell_is_information(self) -> None:
        assert ids(fake.subject(config={"history": ()})) == [("history-incomplete", Severity.INFO)]

    def test_names_the_file_whose_directory_no_layer_has(self) -> None:
        subject = fake.subject(
            {
                "/var/task/zipp": fake.directory(layer=1, implied=True),
                "/var/task/zipp/__init__.py": fake.Spec(layer=1),
            }
        )

        [finding] = found(subject)

        assert (finding.rule, finding.severity) == ("parent-directory-missing", Severity.FAILS)
        assert finding.aws_text == (
            "InvalidImage: MissingParentDirectory: Parent directory does not exist for file: "
            "var/task/zipp/__init__.py"
        )
        assert finding.places[0].layer == 1

    def test_config_of_an_artifact(self) -> None:
        subject = fake.subject()
        manifest = subject.image.manifest
        config = replace(manifest.config, media_type="application/vnd.oci.empty.v1+json")
        image = replace(subject.image, manifest=replace(manifest, config=config))

        assert ids(replace(subject, image=image)) == [("media-type-unsupported", Severity.FAILS)]


class TestSize:
    @pytest.mark.parametrize(
        ("uncompressed", "severity"),
        [
            pytest.param(11 * GIB, Severity.FAILS, id="clearly"),
            pytest.param(10 * GIB + 1, Severity.MAY_FAIL, id="within-the-archive-overhead"),
        ],
    )
    def test_over_the_limit(self, uncompressed: int, severity: Severity) -> None:
        subject = fake.subject(layers=[fake.layer(0), fake.layer(1, uncompressed_bytes=uncompressed)])

        [finding] = found(subject)

        assert (finding.rule, finding.severity) == ("image-too-large", severity)
        assert finding.places[0].layer == 1
        assert "SizeLimitExceeded" in finding.aws_text

    def test_over_the_budget_is_no_failure(self) -> None:
        subject = fake.subject(layers=[fake.layer(size_bytes=300_000_000)], size_budget_bytes=250_000_000)

        [finding] = found(subject)

        assert (finding.rule, finding.severity) == ("image-over-budget", Severity.SLOW)
        assert "300 MB compressed, the project allows 250 MB" in finding.message


def test_every_rule_is_told_once() -> None:
    assert len({rule.id for rule in registry.RULES}) == len(registry.RULES)
