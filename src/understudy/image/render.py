"""Writes image documents: equal fields give equal bytes, on every machine.

Refuses to touch documents that somebody else wrote: those keep their bytes (`model`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from understudy.image.model import (
    OCI_MANIFEST,
    Descriptor,
    Healthcheck,
    HistoryEntry,
    ImageConfig,
    ImageManifest,
)


def image_manifest(
    config: Descriptor,
    layers: Sequence[Descriptor],
    *,
    annotations: Mapping[str, str] | None = None,
    media_type: str = OCI_MANIFEST,
) -> ImageManifest:
    """Returns a manifest whose bytes depend on the arguments alone."""
    fields: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": descriptor_fields(config),
        "layers": [descriptor_fields(layer) for layer in layers],
    }
    if annotations:
        fields["annotations"] = dict(annotations)
    return ImageManifest(raw=document(fields), media_type=media_type, config=config, layers=tuple(layers))


def image_config(config: ImageConfig) -> ImageConfig:
    """Returns `config` with `raw` written anew from its fields; equal fields give equal bytes."""
    run: dict[str, Any] = {
        "User": config.user,
        "ExposedPorts": {port: {} for port in config.exposed_ports},
        "Env": [f"{name}={value}" for name, value in config.env],
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.cmd),
        "Volumes": {volume: {} for volume in config.volumes},
        "WorkingDir": config.working_dir,
        "Labels": dict(config.labels),
        "StopSignal": config.stop_signal,
        "Shell": list(config.shell),
        "OnBuild": list(config.on_build),
        "Healthcheck": _healthcheck_fields(config.healthcheck),
    }
    fields: dict[str, Any] = {
        "architecture": config.architecture,
        "os": config.os,
        "variant": config.variant,
        "created": config.created,
        "history": [_history_fields(entry) for entry in config.history],
    }
    fields = _without_empty(fields)
    fields["config"] = _without_empty(run)
    fields["rootfs"] = {"type": "layers", "diff_ids": list(config.diff_ids)}
    return replace(config, raw=document(fields))


def document(fields: Mapping[str, Any]) -> bytes:
    """Returns JSON with sorted keys and no spaces: one document, one digest."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def descriptor_fields(descriptor: Descriptor) -> dict[str, Any]:
    """Returns a descriptor as JSON fields."""
    fields: dict[str, Any] = {
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest,
        "size": descriptor.size_bytes,
    }
    if descriptor.annotations:
        fields["annotations"] = dict(descriptor.annotations)
    return fields


def _healthcheck_fields(check: Healthcheck | None) -> dict[str, Any]:
    if check is None:
        return {}
    return _without_empty(
        {
            "Test": list(check.test),
            "Interval": check.interval_ns,
            "Timeout": check.timeout_ns,
            "StartPeriod": check.start_period_ns,
            "StartInterval": check.start_interval_ns,
            "Retries": check.retries,
        }
    )


def _history_fields(entry: HistoryEntry) -> dict[str, Any]:
    return _without_empty(
        {
            "created": entry.created,
            "created_by": entry.created_by,
            "comment": entry.comment,
            "empty_layer": entry.empty_layer,
        }
    )


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
