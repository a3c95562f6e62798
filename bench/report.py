"""The report, for people and for programs. Pure."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from bench.limits import Check
from bench.model import UNDERSTUDY, Figures, Results, Series, median
from bench.stats import ratio

_COLUMNS = ("", "cold start", "ratio", "warm p50", "ratio", "8 clients", "ratio")


def text(results: Results, checks: Sequence[Check]) -> str:
    """The report as aligned text."""
    parts = [_host(results), _comparison(results), *_absent(results), _single(results), _limits(checks)]
    return "\n\n".join(part for part in parts if part)


def document(results: Results, checks: Sequence[Check]) -> dict[str, Any]:
    """The same for programs: every sample, and the limits."""
    return {
        **dataclasses.asdict(results),
        "limits": [{**dataclasses.asdict(one), "met": one.met} for one in checks],
    }


def _host(results: Results) -> str:
    host = results.host
    load = " ".join(f"{value:.2f}" for value in host.load_before)
    after = " ".join(f"{value:.2f}" for value in host.load_after)
    lines = [
        f"{host.date}   {host.cores} cores, {host.cpu}, {host.memory_gb:.0f} GB, Linux {host.kernel}",
        f"load average before {load}, after {after}; {host.rounds} rounds, medians (lowest - highest)",
    ]
    if host.disturbed:
        lines.append(
            f"DISTURBED: {host.disturbed} of {host.rounds} rounds began while other processes used the CPU; "
            "trust no figure, repeat on a quiet machine"
        )
    return "\n".join(lines)


def _comparison(results: Results) -> str:
    ours = results.of(UNDERSTUDY)
    rows = [_COLUMNS]
    for one in results.contenders:
        if one.absent:
            continue
        rows.append(
            (
                one.title,
                *_cell(one.cold_s, ours.cold_s, " s", 2),
                *_cell(one.warm_p50_ms, ours.warm_p50_ms, " ms", 2),
                *_cell(one.per_second, ours.per_second, "/s", 0),
            )
        )
    return table(rows) + "\nratio: to understudy, in this run"


def _cell(series: Series, ours: Series, unit: str, digits: int) -> tuple[str, str]:
    found = ratio(median(series), median(ours))
    return spread(series, unit, digits), "-" if found is None else f"{found:.2f}"


def spread(series: Series, unit: str, digits: int) -> str:
    """Median with lowest and highest, or a dash."""
    middle = median(series)
    if middle is None:
        return "-"
    if len(series) == 1:
        return f"{middle:.{digits}f}{unit}"
    return f"{middle:.{digits}f}{unit} ({min(series):.{digits}f} - {max(series):.{digits}f})"


def _absent(results: Results) -> list[str]:
    missing: list[Figures] = [one for one in results.contenders if one.absent]
    lines = [f"NOT MEASURED: {one.title}: {one.absent}" for one in missing]
    lines += [f"NOT MEASURED: {name}: {reason}" for name, reason in results.absent.items()]
    return ["\n".join(lines)] if lines else []


def _single(results: Results) -> str:
    memory = ", ".join(f"{name} {value:.0f} MB" for name, value in results.rss_mb.items())
    rows = [
        ("bare exec and import of the handler", spread(results.exec_import_s, " s", 3)),
        ("edited file to live on the Lambda", spread(results.edit_live_s, " s", 2)),
        ("docker push of 300 MB, then unchanged", _pushes(results)),
        ("RSS after that push", memory or "-"),
        ("up, first with nothing cached", spread(results.up_first_s, " s", 1)),
        ("up, second", spread(results.up_second_s, " s", 1)),
    ]
    return table(rows)


def _pushes(results: Results) -> str:
    if not results.push_s:
        return "-"
    return f"{spread(results.push_s, ' s', 1)}, {spread(results.push_again_s, ' s', 2)}"


def _limits(checks: Sequence[Check]) -> str:
    rows = [("wanted", "", "measured", "")]
    for one in checks:
        sign = ">=" if one.at_least else "<="
        wanted = f"{sign} {one.wanted:g}{one.unit}"
        if one.measured is None:
            rows.append((one.text, wanted, "-", "not measured"))
        else:
            rows.append((one.text, wanted, f"{one.measured:.2f}{one.unit}", "met" if one.met else "NOT MET"))
    return table(rows)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length as aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
