"""Whether Lambda takes the image at all: index, media types, platform and size.

Judges the documents; the layers' own soundness is in `registry_layers`. Of an export (`docker save`) it says
nothing about media types and compressed sizes: whoever pushes it decides those.
"""

from collections.abc import Iterator

from understudy.image import model as documents
from understudy.image.model import IndexEntry
from understudy.verify.model import Finding, Layer, Place, Severity, Subject
from understudy.verify.python import startup
from understudy.verify.rules import registry_layers
from understudy.verify.rules.found import found
from understudy.verify.rules.registry_rules import (
    ARCHITECTURE,
    COMPRESSION,
    INDEX,
    MEDIA_TYPE,
    OVER_BUDGET,
    PLATFORM,
    RULES,
    TOO_LARGE,
)

__all__ = ["RULES", "check"]

LIMIT_BYTES = 10 << 30
_MARGIN = 1.05
"""Archives are larger than what they hold, by headers and padding; how AWS counts is not documented."""

_CONFIG_TYPES = frozenset({documents.OCI_CONFIG, documents.DOCKER_CONFIG})
_FOREIGN = frozenset(
    {
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    }
)
_ESTARGZ = "containerd.io/snapshot/stargz/toc.digest"
_DOCKER_NAMES = {"x86_64": "amd64", "arm64": "arm64"}
_ATTESTATION = "vnd.docker.reference.type"


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what Lambda refuses in the image, whatever code it holds."""
    yield from _architecture(subject)
    yield from _index(subject)
    if not subject.exported:
        yield from _media_types(subject)
    yield from registry_layers.check(subject)
    yield from _size(subject)


def _architecture(subject: Subject) -> Iterator[Finding]:
    config = subject.image.config
    named = "/".join(part for part in (config.os, config.architecture, config.variant) if part)
    place = Place(path="config.architecture")
    wanted = subject.launch.architecture or "x86_64"
    fix = f"docker buildx build --platform linux/{_DOCKER_NAMES[wanted]} --provenance=false -t IMAGE ."
    fix = fix.replace("IMAGE", subject.reference)
    if config.os != "linux":
        message = f"image is for {named}, expected linux/amd64 or linux/arm64"
        yield found(PLATFORM, message, [Place(path="config.os")], fix=fix, aws_text=_exec_format(subject))
    elif subject.architecture not in _DOCKER_NAMES:
        message = f"image is for {named}, expected linux/amd64 or linux/arm64"
        severity = Severity.INFO if _entry_machine(subject) == wanted else Severity.MAY_FAIL
        yield found(PLATFORM, message, [place], fix=fix, severity=severity, aws_text=_exec_format(subject))
    elif subject.launch.architecture not in {None, subject.architecture}:
        yield _mismatch(subject, wanted, fix)


def _mismatch(subject: Subject, wanted: str, fix: str) -> Finding:
    """The config contradicts the function; the entry point's own bytes decide what that means."""
    name = f" {subject.launch.function_name!r}" if subject.launch.function_name else ""
    message = f"image is linux/{subject.image.config.architecture}, Function{name} declares {wanted}"
    place = Place(path="config.architecture")
    if _entry_machine(subject) == wanted:
        message += f"; its entry point is a binary for {wanted} all the same, so it starts"
        return found(ARCHITECTURE, message, [place], fix=fix, severity=Severity.INFO, aws_text="")
    fix += f" (or set architectures: [{subject.architecture}] in the Function)"
    return found(ARCHITECTURE, message, [place], fix=fix, aws_text=_exec_format(subject))


def _entry_machine(subject: Subject) -> str:
    """The architecture of the first binary that the entry point comes to; empty when it comes to none."""
    files, launch = subject.files, subject.launch
    words = [*launch.entrypoint, *launch.command]
    program = words[0] if words else ""
    for _ in range(4):
        path = startup.which(files, program, launch.environment, launch.working_dir) if program else None
        if path is None:
            return ""
        elf = files.elf(path)
        if elf is not None:
            return elf.machine
        head = files.head(path)
        line = head.split(b"\n", 1)[0].decode("utf-8", "replace")
        program = line[2:].split()[0] if line.startswith("#!") and line[2:].split() else ""
    return ""


def _exec_format(subject: Subject) -> str:
    launch = subject.launch
    program = next(iter((*launch.entrypoint, *launch.command)), "")
    reason = f"fork/exec {program}: exec format error"
    words = f"Entrypoint: [{' '.join(launch.entrypoint)}] Cmd: [{' '.join(launch.command)}]"
    return (
        f"Runtime.InvalidEntrypoint: {reason}\n"
        f"IMAGE Launch error: {reason} {words} WorkingDir: [{launch.working_dir}]"
    )


def _index(subject: Subject) -> Iterator[Finding]:
    index = subject.index
    if index is None:
        return
    platforms = [str(entry.platform or "no platform") for entry in index.manifests if not _attests(entry)]
    attestations = sum(_attests(entry) for entry in index.manifests)
    parts = [f"{len(platforms)} image{'' if len(platforms) == 1 else 's'} ({', '.join(platforms)})"]
    if attestations:
        parts.append(f"{attestations} attestation{'' if attestations == 1 else 's'}")
    message = f"{subject.reference} leads to an index of {' and '.join(parts)}, expected one image manifest"
    severity = INDEX.severity
    if subject.exported:
        message += "; docker push pushes the index as it is"
        severity = Severity.MAY_FAIL
    yield found(
        INDEX,
        message,
        [Place(path="image index")],
        fix=_single(subject),
        severity=severity,
        aws_text=INDEX.aws_text.replace("IMAGE", subject.reference),
    )


def _attests(entry: IndexEntry) -> bool:
    if entry.descriptor.annotations.get(_ATTESTATION):
        return True
    return entry.platform is not None and entry.platform.architecture == "unknown"


def _single(subject: Subject) -> str:
    wanted = subject.launch.architecture or subject.architecture
    platform = f"linux/{_DOCKER_NAMES.get(wanted, 'amd64')}"
    return INDEX.fix.replace("IMAGE", subject.reference).replace("linux/amd64", platform)


def _media_types(subject: Subject) -> Iterator[Finding]:
    config = subject.image.manifest.config
    aws_text = MEDIA_TYPE.aws_text.replace("IMAGE", subject.reference)
    if config.media_type not in _CONFIG_TYPES:
        message = f"image config is {config.media_type}, expected {documents.OCI_CONFIG}"
        place = Place(path="manifest.config.mediaType")
        yield found(MEDIA_TYPE, message, [place], fix=_single(subject), aws_text=aws_text)
    for number, layer in enumerate(subject.layers):
        yield from _layer_type(subject, number, layer)


def _layer_type(subject: Subject, number: int, layer: Layer) -> Iterator[Finding]:
    kind = layer.media_type
    place = registry_layers.place(subject, number, "mediaType")
    aws_text = COMPRESSION.aws_text.replace("DIGEST", layer.digest)
    fix = COMPRESSION.fix.replace("IMAGE", subject.reference)
    if kind.endswith("+zstd") or kind in _FOREIGN:
        what = "a foreign layer" if kind in _FOREIGN else "compressed with zstd"
        message = f"layer {layer.digest} is {what} ({kind}), expected {documents.OCI_LAYER_GZIP}"
        yield found(COMPRESSION, message, [place], fix=fix, aws_text=aws_text)
    elif kind not in documents.LAYER_TYPES:
        message = f"layer {layer.digest} is {kind}, expected {documents.OCI_LAYER_GZIP}"
        yield found(MEDIA_TYPE, message, [place], fix=fix, aws_text=aws_text)
    elif number < len(subject.image.manifest.layers):
        annotations = subject.image.manifest.layers[number].annotations
        if _ESTARGZ in annotations:
            message = f"layer {layer.digest} is eStargz; that is gzip for who does not know it"
            yield found(COMPRESSION, message, [place], fix=fix, severity=Severity.INFO, aws_text="")


def _size(subject: Subject) -> Iterator[Finding]:
    layers = subject.layers
    total = sum(layer.uncompressed_bytes for layer in layers)
    if total > LIMIT_BYTES:
        largest = max(range(len(layers)), key=lambda number: layers[number].uncompressed_bytes)
        message = (
            f"image has {total / (1 << 30):.2f} GiB uncompressed, expected at most 10 GiB; layer {largest} "
            f"has {layers[largest].uncompressed_bytes / (1 << 30):.2f} GiB of it"
        )
        severity = TOO_LARGE.severity if total > LIMIT_BYTES * _MARGIN else Severity.MAY_FAIL
        yield found(TOO_LARGE, message, [registry_layers.place(subject, largest)], severity=severity)
    budget, size = subject.launch.size_budget_bytes, subject.image.size_bytes
    if layers and budget and size > budget and not subject.exported:
        largest = max(range(len(layers)), key=lambda number: layers[number].size_bytes)
        message = (
            f"image has {size / 1e6:.0f} MB compressed, the project allows {budget / 1e6:.0f} MB; layer "
            f"{largest} has {layers[largest].size_bytes / 1e6:.0f} MB of it"
        )
        yield found(OVER_BUDGET, message, [registry_layers.place(subject, largest)])
