"""The same facts by another hand: `elf` is compared with pyelftools."""

import io

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from elftools.elf.segments import InterpSegment

Facts = tuple[
    tuple[str, ...], str, dict[str, frozenset[str]], frozenset[str], str, tuple[str, ...], tuple[str, ...]
]

_VER_FLG_WEAK = 2


def facts(data: bytes) -> Facts:
    """DT_NEEDED, SONAME, required and defined versions, interpreter, RPATH and RUNPATH."""
    file = ELFFile(io.BytesIO(data))
    texts = _texts(file)
    return (
        tuple(texts["DT_NEEDED"]),
        "".join(texts["DT_SONAME"]),
        _requires(file),
        _defines(file),
        "".join(part.get_interp_name() for part in file.iter_segments() if isinstance(part, InterpSegment)),
        _paths(texts["DT_RPATH"]),
        _paths(texts["DT_RUNPATH"]),
    )


def _texts(file: ELFFile) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {"DT_NEEDED": [], "DT_SONAME": [], "DT_RPATH": [], "DT_RUNPATH": []}
    for segment in file.iter_segments():
        for tag in segment.iter_tags() if isinstance(segment, DynamicSegment) else ():
            if tag.entry.d_tag in texts:
                texts[tag.entry.d_tag].append(getattr(tag, tag.entry.d_tag[3:].lower()))
    return texts


def _requires(file: ELFFile) -> dict[str, frozenset[str]]:
    return {
        str(library.name): frozenset(
            str(version.name) for version in versions if not version["vna_flags"] & _VER_FLG_WEAK
        )
        for section in file.iter_sections()
        if isinstance(section, GNUVerNeedSection)
        for library, versions in section.iter_versions()
    }


def _defines(file: ELFFile) -> frozenset[str]:
    return frozenset(
        str(next(iter(names)).name)
        for section in file.iter_sections()
        if isinstance(section, GNUVerDefSection)
        for definition, names in section.iter_versions()
        if not definition["vd_flags"] & 1
    )


def _paths(texts: list[str]) -> tuple[str, ...]:
    return tuple(part for text in texts for part in text.split(":") if part)
