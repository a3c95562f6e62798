"""From an open image to what the rules look at: its files, its layers as they are, and how it is launched."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from understudy.image.model import ImageConfig
from understudy.verify import files
from understudy.verify.model import Architecture, Launch, Layer, Subject
from understudy.verify.sources.model import ImageSource

_BUILDKIT = re.compile(r"\s+# buildkit\Z")
_NOP = re.compile(r"\A/bin/sh -c #\(nop\)\s+")
_SHELL = r"/bin/(?:ba)?sh(?: -[a-z]+(?: pipefail)?)*? -[a-z]*c "
_RUN = re.compile(rf"\A(?:RUN )?(?:\|[0-9]+ (?P<args>.*?) ?)?{_SHELL}")
_HASHED = re.compile(r"\A(ADD|COPY)(.*?) ?(?:file|dir|multi):[0-9a-f]{16,} in (.*)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOverrides:
    """What a function says about how its image runs; `None` leaves it to the image, or to Lambda's default.

    Attributes:
        entrypoint: ImageConfig.EntryPoint; an empty one is none, as for AWS.
        command: ImageConfig.Command, likewise.
        working_dir: ImageConfig.WorkingDirectory, likewise.
        function_env: Environment.Variables.
        architecture: of the function; the image's own when `None`.
        memory_mb: MemorySize.
        timeout_s: Timeout.
        ephemeral_mb: EphemeralStorage.Size.
        function_name: empty without a function.
        snap_start: whether SnapStart is on for published versions.
        size_budget_bytes: the project's own limit for the compressed image.
    """

    entrypoint: Sequence[str] | None = None
    command: Sequence[str] | None = None
    working_dir: str | None = None
    function_env: Mapping[str, str] = field(default_factory=dict)
    architecture: Architecture | None = None
    memory_mb: int = 128
    timeout_s: float = 3.0
    ephemeral_mb: int = 512
    function_name: str = ""
    snap_start: bool = False
    size_budget_bytes: int = 1_000_000_000


def load(
    source: ImageSource,
    *,
    launch: LaunchOverrides | None = None,
    cache_dir: Path | None = None,
) -> Subject:
    """Returns the subject of the rules; it can be read while `source` is open.

    Args:
        source: the image.
        launch: what the function says; `None` for an image without one.
        cache_dir: where facts of layers are kept between runs; `None` for nowhere.
    """
    manifest, config = source.image.manifest, source.image.config
    loaded = files.load(manifest.layers, source.open_blob, cache_dir=cache_dir, trusted=source.trusted)
    told = instructions(config, len(manifest.layers))
    layers = tuple(
        Layer(
            media_type=descriptor.media_type,
            digest=descriptor.digest,
            diff_id=config.diff_ids[position] if position < len(config.diff_ids) else "",
            actual_diff_id=facts.diff_id,
            size_bytes=descriptor.size_bytes,
            uncompressed_bytes=facts.uncompressed_bytes,
            instruction=told[position],
            problem=facts.problem,
        )
        for position, (descriptor, facts) in enumerate(zip(manifest.layers, loaded.layers, strict=True))
    )
    return Subject(
        reference=source.reference,
        image=source.image,
        index=source.index,
        layers=layers,
        files=loaded.tree,
        launch=effective_launch(config, launch or LaunchOverrides()),
        exported=source.exported,
    )


def effective_launch(config: ImageConfig, overrides: LaunchOverrides) -> Launch:
    """Returns what runs: ImageConfig over the image's config, each field on its own, as Lambda does it."""
    return Launch(
        entrypoint=tuple(overrides.entrypoint or config.entrypoint),
        command=tuple(overrides.command or config.cmd),
        working_dir=overrides.working_dir or config.working_dir or "/",
        image_env=dict(config.env),
        function_env=dict(overrides.function_env),
        architecture=overrides.architecture,
        memory_mb=overrides.memory_mb,
        timeout_s=overrides.timeout_s,
        ephemeral_mb=overrides.ephemeral_mb,
        function_name=overrides.function_name,
        snap_start=overrides.snap_start,
        size_budget_bytes=overrides.size_budget_bytes,
        entrypoint_overridden=bool(overrides.entrypoint),
        command_overridden=bool(overrides.command),
        working_dir_overridden=bool(overrides.working_dir),
    )


def instructions(config: ImageConfig, count: int) -> tuple[str, ...]:
    """Returns the Dockerfile instruction of each of `count` layers; all empty when history does not fit."""
    told = [instruction(entry.created_by) for entry in config.history if not entry.empty_layer]
    return tuple(told) if len(told) == count else ("",) * count


def instruction(created_by: str) -> str:
    """Returns a history entry as the Dockerfile had it, without what the builder wrote around it."""
    text = _BUILDKIT.sub("", " ".join(created_by.split()))
    if _NOP.match(text):
        text = _NOP.sub("", text)
        hashed = _HASHED.match(text)
        return f"{hashed[1]}{hashed[2]} ... {hashed[3]}" if hashed else text
    return _RUN.sub("RUN ", text)
