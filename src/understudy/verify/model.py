"""What verification is given and what it finds: rules, findings, the subject of the rules.

Pure: the files of an image arrive behind `Files`, so every rule is a function from data to findings.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from understudy.image.model import Image, ImageIndex

NodeKind = Literal["file", "dir", "symlink", "other"]
Architecture = Literal["x86_64", "arm64"]


class Severity(enum.Enum):
    """What a finding means on Lambda; ordered, the worst first."""

    FAILS = "fails-on-lambda"
    MAY_FAIL = "may-fail"
    SLOW = "slow"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One cause that verification can name.

    Attributes:
        id: kebab-case, stable; users write it in ``--allow``.
        title: the fault in a few words, sentence case, no full stop.
        severity: what a finding of this rule means unless the finding says otherwise.
        catalogue: rows of the fault catalogue, ``A1`` to ``A23``.
        aws_text: what AWS shows; placeholders in capitals. Empty when AWS shows nothing.
        why: the mechanism, one or two sentences.
        fix: the edit or command that cures it, in the imperative.
        link: a page or thread where it happened or is documented.
    """

    id: str
    title: str
    severity: Severity
    catalogue: tuple[str, ...]
    aws_text: str
    why: str
    fix: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a finding is.

    Attributes:
        path: absolute path in the image, or a field of the image or of the function.
        line: line in that file; 0 for the whole of it.
        layer: index of the layer that brought the file, bottom first; -1 when it is about no file.
        layer_digest: of that layer, compressed.
        instruction: the Dockerfile instruction of that layer, as the image's history tells it.
    """

    path: str
    line: int = 0
    layer: int = -1
    layer_digest: str = ""
    instruction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule broken in one way; many files with one cause are one finding.

    Attributes:
        rule: id of the rule.
        severity: the rule's, or a milder one for this case.
        message: subject first, offending value, expected value.
        fix: the rule's fix with this image's names filled in; one command or edit.
        aws_text: what AWS will show for this very case; empty when nothing.
        places: the most telling first; never empty.
        source: whether files or a boot showed it.
    """

    rule: str
    severity: Severity
    message: str
    fix: str
    places: tuple[Place, ...]
    aws_text: str = ""
    source: Literal["static", "boot"] = "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """What a dynamic loader reads from one ELF file.

    Attributes:
        machine: ``x86_64``, ``arm64``, or the number as text for others.
        bits: 32 or 64.
        interpreter: PT_INTERP, empty for libraries.
        soname: DT_SONAME.
        needed: DT_NEEDED in order.
        rpath: DT_RPATH entries; ``$ORIGIN`` unexpanded.
        runpath: DT_RUNPATH entries.
        requires: library -> symbol versions it must define (``libc.so.6`` -> ``{"GLIBC_2.38"}``).
        defines: symbol versions this file defines.
        misaligned: whether a PT_LOAD has p_vaddr % p_align != p_offset % p_align.
        damaged: why the file cannot be loaded (cut short, no dynamic section where one is needed); empty
            when sound.
    """

    machine: str
    bits: int = 64
    interpreter: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    requires: Mapping[str, frozenset[str]] = field(default_factory=dict)
    defines: frozenset[str] = frozenset()
    misaligned: bool = False
    damaged: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One file of the flattened image.

    Attributes:
        path: absolute and normalised, ``/var/task/app.py``.
        kind: hard links are files of their own with the content of what they link to.
        mode: permission bits with setuid, setgid and sticky.
        uid: owner.
        gid: group.
        size_bytes: of the content.
        mtime_s: whole seconds, as Python's import system compares them.
        link: target of a symbolic link, as stored.
        layer: index of the layer that brought it, bottom first.
        implied: whether it is a directory that no layer names, only files below it.
    """

    path: str
    kind: NodeKind
    mode: int
    uid: int = 0
    gid: int = 0
    size_bytes: int = 0
    mtime_s: int = 0
    link: str = ""
    layer: int = 0
    implied: bool = False


class Files(Protocol):
    """The flattened file system of an image, read from its layers."""

    def get(self, path: str) -> Node | None:
        """The node at exactly `path`; no symbolic link is followed."""

    def resolve(self, path: str) -> Node | None:
        """The node that `path` leads to, symbolic links followed inside the image; `None` when dangling."""

    def names(self, path: str) -> tuple[str, ...]:
        """Names in the directory that `path` leads to, sorted; empty when it is none."""

    def walk(self, path: str = "/") -> Iterator[Node]:
        """Every node below `path`, parents before children, links not followed."""

    def head(self, path: str) -> bytes:
        """The first 512 bytes of a file; empty for anything else."""

    def read(self, path: str) -> bytes:
        """The content of the file that `path` leads to; raises `FileNotFoundError` when there is none."""

    def prefetch(self, paths: Iterable[str]) -> None:
        """Announces files that will be read, so that one pass over their layers serves them all."""

    def elf(self, path: str) -> Elf | None:
        """ELF facts of the file that `path` leads to; `None` when it is no ELF file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer as it really is.

    Attributes:
        media_type: as the manifest declares it.
        digest: as the manifest declares it.
        diff_id: as the config declares it; empty when it names fewer layers.
        actual_diff_id: of the bytes read; empty when the layer cannot be read.
        size_bytes: compressed.
        uncompressed_bytes: of the tar archive.
        instruction: of the image's history; empty when the history does not tell.
        problem: why it cannot be read; empty when it can.
    """

    media_type: str
    digest: str
    diff_id: str
    actual_diff_id: str
    size_bytes: int
    uncompressed_bytes: int
    instruction: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What the function makes of the image: ImageConfig over the image's own config, and its limits.

    Attributes:
        entrypoint: effective ENTRYPOINT.
        command: effective CMD.
        working_dir: effective WORKDIR; ``/`` when empty.
        image_env: ENV of the image.
        function_env: environment variables of the function.
        architecture: of the function; `None` when none is known and the image's own is taken.
        memory_mb: memory of the function.
        timeout_s: timeout of the function.
        ephemeral_mb: size of /tmp.
        function_name: empty when the image is verified without a function.
        snap_start: whether the function asks for SnapStart.
        size_budget_bytes: the project's own limit, compressed image size in the registry.
        entrypoint_overridden: whether ImageConfig sets ENTRYPOINT; likewise the next two.
    """

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    working_dir: str = "/"
    image_env: Mapping[str, str] = field(default_factory=dict)
    function_env: Mapping[str, str] = field(default_factory=dict)
    architecture: Architecture | None = None
    memory_mb: int = 128
    timeout_s: float = 3.0
    ephemeral_mb: int = 512
    function_name: str = ""
    snap_start: bool = False
    size_budget_bytes: int = 1_000_000_000
    entrypoint_overridden: bool = False
    command_overridden: bool = False
    working_dir_overridden: bool = False

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables the process sees of the image and the function; the function's win."""
        return {**self.image_env, **self.function_env}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """All that the static rules look at.

    Attributes:
        reference: how the user named the image.
        image: manifest and config; of an index, the manifest that fits the function's architecture.
        index: the index that the reference leads to; `None` when it leads to an image manifest, as it must.
        layers: bottom first.
        files: flattened.
        launch: how the function runs it.
        exported: whether the manifest was made up from an export (`docker save`): media types, digests and
            sizes of layers are then not those that a registry will show.
    """

    reference: str
    image: Image
    index: ImageIndex | None
    layers: tuple[Layer, ...]
    files: Files
    launch: Launch
    exported: bool = False

    @property
    def architecture(self) -> str:
        """The architecture the image says it is for, in Lambda's words (``x86_64``, ``arm64``)."""
        names = {"amd64": "x86_64", "arm64": "arm64"}
        return names.get(self.image.config.architecture, self.image.config.architecture)

    def place(self, path: str, *, line: int = 0) -> Place:
        """Where the file at `path` came from."""
        node = self.files.get(path)
        if node is None or not 0 <= node.layer < len(self.layers):
            return Place(path=path, line=line)
        layer = self.layers[node.layer]
        return Place(
            path=path,
            line=line,
            layer=node.layer,
            layer_digest=layer.digest,
            instruction=layer.instruction,
        )


class Check(Protocol):
    """One family of rules: looks at a subject and yields what it finds."""

    def __call__(self, subject: Subject) -> Iterable[Finding]:
        """Yields findings; raises nothing for anything an image may hold."""
