"""A bench result as HTML: bars with intervals, the table, what changed, warnings and conditions."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from compresskit.report.bench_text import (
    describe_ratio,
    engine_names,
    headline,
    mark_lines,
    marks_of,
    ratio_of,
)
from compresskit.report.page import build_page, facts, flatten, section, table, warnings_section
from compresskit.report.rows import bench_rows
from compresskit.report.units import MARK, interval, marked, number
from compresskit.runs.records import profile_title


def bench_html(result: Mapping[str, Any]) -> str:
    """The self-contained page of one result of `compresskit bench --json`."""
    names = engine_names(result)
    profile = profile_title(result.get("profile"))
    title = f"Bench of {len(names)} engine{'s' if len(names) != 1 else ''}"
    head = (
        f'<header><h1>{title}</h1><p class="byline">{escape(profile)}</p>'
        f'<p class="verdict">{escape(headline(result))}</p></header>'
    )
    return build_page("Bench \N{EN DASH} compresskit", head + bench_sections(result), {}, ())


def bench_sections(result: Mapping[str, Any], *, of: str = "") -> str:
    """The parts of the page, for use in other pages too, where `of` is added to their titles."""
    note = "Bars are medians, with their 95 % interval; the line runs on to the 95th percentile."
    changes = [str(text) for text in result.get("changes") or ()]
    conditions = list(flatten(dict(result.get("conditions") or {})))
    parts = [
        section(f"Latency{of}", _bars(result), _table(result), note=note),
        warnings_section(mark_lines(result), f"{MARK} Not to be trusted{of}"),
        warnings_section(changes, "Since the last bench"),
        warnings_section([str(text) for text in result.get("warnings") or ()], f"Warnings{of}"),
    ]
    if conditions:
        inner = f"<details><summary>Device, software and settings</summary>{facts(conditions)}</details>"
        parts.append(section(f"Conditions{of}", inner))
    return "".join(parts)


def _bars(result: Mapping[str, Any]) -> str:
    names = engine_names(result)
    ends = [max(_reach(engine["latency_ms"])) for engine in result["engines"]]
    full = max(ends, default=0.0) or 1.0
    rows = [_bar(result, engine, name, full) for engine, name in zip(result["engines"], names, strict=True)]
    return f'<div class="bars">{"".join(rows)}</div>'


def _reach(latency: Mapping[str, Any]) -> list[float]:
    ends = [latency["p50"], latency.get("p95"), *(latency.get("ci") or ())]
    return [float(end) for end in ends if end is not None]


def _bar(result: Mapping[str, Any], engine: Mapping[str, Any], name: str, full: float) -> str:
    latency, ratio = engine["latency_ms"], ratio_of(result, engine["path"])
    bars = f'<div class="bar" style="width:{_share(latency["p50"], full)}"></div>'
    if latency.get("p95") is not None:
        width = _share(latency["p95"] - latency["p50"], full)
        bars += f'<div class="tail" style="left:{_share(latency["p50"], full)};width:{width}"></div>'
    if latency.get("ci"):
        low, high = latency["ci"]
        bars += (
            f'<div class="spread" style="left:{_share(low, full)};width:{_share(high - low, full)}"></div>'
        )
    text = marked(f"<b>{number(latency['p50'])} ms</b>", marks_of(result, engine))
    if latency.get("ci"):
        text += f" ({interval(latency['ci'])})"
    if ratio is not None:
        text += f" \N{MIDDLE DOT} {escape(describe_ratio(ratio, marks_of(result, ratio)))}"
    elif engine.get("is_baseline"):
        text += " \N{MIDDLE DOT} baseline"
    kind = "bar-row baseline" if engine.get("is_baseline") else "bar-row"
    return (
        f'<div class="{kind}"><div class="name">{escape(name)}</div>'
        f'<div class="track" aria-hidden="true">{bars}</div><div class="value">{text}</div></div>'
    )


def _share(value: float, full: float) -> str:
    return f"{max(0.0, value) / full * 100:.2f}%"


def _table(result: Mapping[str, Any]) -> str:
    head, rows = bench_rows(result)
    lines = [
        ("dense" if engine.get("is_baseline") else "", [escape(cell) for cell in cells])
        for engine, cells in rows
    ]
    return table(head, lines, name="Bench", wrapped=(0,))
