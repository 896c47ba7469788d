"""report.html: what a search found, from its run directory alone."""

from __future__ import annotations

from html import escape

from compresskit.architecture import Architecture
from compresskit.report.bench_page import bench_sections
from compresskit.report.changes import changes_section
from compresskit.report.front_data import curve_data, front_data, point_name, predicted_data
from compresskit.report.layers import layers_svg
from compresskit.report.page import build_page, facts, flatten, section, table, warnings_section
from compresskit.report.rows import front_notes, front_rows, judge_note, judge_rows, trial_cells
from compresskit.report.units import (
    duration,
    metric_label,
    milliseconds,
    points,
)
from compresskit.report.verdict import Verdict, judge
from compresskit.report.view import NOTES, RunView
from compresskit.runs import Front, FrontPoint

_LARGEST_TABLE = 500


def run_html(view: RunView) -> str:
    """The page as text."""
    verdict = judge(view.front, view.info)
    curves, predicted = curve_data(view.curves), predicted_data(view)
    data = {"front": front_data(view, verdict), "curves": curves, "predicted": predicted}
    parts = [_header(view, verdict), _front(view, verdict), changes_section(view, verdict.idx), _layers(view)]
    if predicted is not None:
        lead = "Each dot is one latency; on the dashed line the prediction was right. " + str(
            predicted["summary"]
        )
        parts.append(
            section("Predicted against measured", '<div class="chart" id="predicted-chart"></div>', note=lead)
        )
    if curves:
        charts = "".join(f'<div class="chart" data-curve="{i}"></div>' for i in range(len(curves)))
        spent = ", ".join(f"{curve.stage} {duration(curve.seconds)}" for curve in view.curves)
        parts.append(section("Training", f'<div class="curves">{charts}</div>', note=f"Time spent: {spent}."))
    if view.bench is not None:
        parts.append(bench_sections(view.bench, of=" of exported engines"))
    parts += [warnings_section(view.warnings), warnings_section(view.notes, NOTES), _conditions(view)]
    body = "\n".join(part for part in parts if part)
    return build_page(
        f"{view.title} \N{EN DASH} compresskit", body, data, ("chart.js", "front.js", "curves.js")
    )


def _header(view: RunView, verdict: Verdict) -> str:
    settings = view.info["settings"]
    completed = sum(trial.is_completed for trial in view.trials)
    searched = [settings.get("space"), settings.get("searcher"), settings.get("strategy")]
    method = settings.get("method", "nas")
    how = searched if method == "nas" else [f"method {method}"]
    pieces = [
        view.profile_name,
        f"{completed} of {len(view.trials)} trials completed",
        f"{len(view.front.points)} point{'s' * (len(view.front.points) != 1)} on the front",
        ", ".join(str(item) for item in how if item),
    ]
    byline = " \N{MIDDLE DOT} ".join(escape(piece) for piece in pieces if piece)
    return (
        f'<header><h1>{escape(view.title)}</h1><p class="byline">{byline}</p>'
        f'<p class="verdict" data-kind="{verdict.kind}">{_headline(verdict)}</p>'
        f'<p class="verdict-detail">{escape(verdict.detail)}</p></header>'
    )


def _headline(verdict: Verdict) -> str:
    """Escaped; no line ends between a number and its sign."""
    return escape(verdict.headline).replace("95 %", "95&nbsp;%")


def _front(view: RunView, verdict: Verdict) -> str:
    if not view.front.points:
        return ""
    chart = (
        '<div class="split"><div><div class="chart" id="front-chart"></div><div class="legend">'
        '<span style="--key:var(--accent)">front</span><span style="--key:var(--dense)">dense model</span>'
        '<span style="--key:var(--trial)">other trials</span>'
        '<button type="button" id="front-toggle" hidden>Show all trials</button></div></div>'
        '<aside class="detail" id="front-detail" aria-live="polite" aria-label="Chosen point"></aside></div>'
    )
    note = (
        f"Up is better, left is faster. Metrics are {view.metric_name.replace('_', ' ')} on validation data, "
        "times 100; lines through the points are 95 % intervals of the median latency."
    )
    if any(point.metric_ci for point in view.front.points):
        note += (
            " Intervals of metrics are of 95 %, by a bootstrap over rows; that of the difference to dense is "
            "paired: both answer the same rows."
        )
    if any(point.fidelity is not None for point in view.front.points):
        note += (
            " Fidelity is the same metric with the dense model's answers for labels. Points are chosen by "
            "the mean of both, where what is beyond the dense model's metric counts in full: by the metric "
            "alone, the luckiest network would be first."
        )
    return section("Front", chart, front_html(view.front, verdict.idx), _trials_table(view), note=note)


def front_html(front: Front, chosen: int | None = None) -> str:
    """The front as a table, and what its marks mean; the row of the point `chosen` is marked."""
    head, rows = front_rows(front)
    lines = []
    for point, cells in rows:
        kind = "dense" if point.idx is None else "chosen" if point.idx == chosen else ""
        lines.append((kind, [escape(cell) for cell in cells]))
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in front_notes(front))
    return table(head, lines, name="Points of the front", wrapped=(len(head) - 1,)) + notes + _judges(front)


def _judges(front: Front) -> str:
    head, rows = judge_rows(front)
    if not rows:
        return ""
    lines = [("dense" if cells[0] == "dense" else "", [escape(cell) for cell in cells]) for cells in rows]
    note = f'<p class="note">{escape(judge_note(front))}</p>'
    return table(head, lines, name="What judges say") + note


def _trials_table(view: RunView) -> str:
    if not view.trials:
        return ""
    shown = view.trials[-_LARGEST_TABLE:]
    metric = metric_label(view.metric_name)
    head = ["trial", "latency, ms", metric, "parameters", "seconds", "keeps", "status"]
    lines = [[*trial_cells(trial), trial.error or trial.status] for trial in shown]
    body = table(head, (("", [*map(escape, cells)]) for cells in lines), name="All trials", wrapped=(5, 6))
    title = (
        "All trials"
        if len(shown) == len(view.trials)
        else f"The last {len(shown)} of {len(view.trials)} trials"
    )
    return f"<details><summary>{title} as a table</summary>{body}</details>"


def _layers(view: RunView) -> str:
    shown = [*view.front.points, *([view.dense] if view.dense else [])]
    if not shown:
        return ""
    note = (
        "One row a layer, the first at the top: cells are heads, the bar is the share of feed-forward units. "
        "Grey was removed; a row all in grey is a removed layer."
    )
    return section("What was kept", f'<div class="layers">{"".join(map(_figure, shown))}</div>', note=note)


def _figure(point: FrontPoint) -> str:
    name = "layers-dense" if point.idx is None else f"layers-{point.idx}"
    figures = f"{milliseconds(point.latency_ms)} \N{MIDDLE DOT} {points(point.metric)}"
    if point.precision != "fp32":
        figures += f" \N{MIDDLE DOT} {point.precision}"
    return (
        f'<figure id="{name}"><figcaption>{point_name(point)} <small>{escape(figures)}</small></figcaption>'
        f"{layers_svg(Architecture.from_json(point.architecture))}</figure>"
    )


def _conditions(view: RunView) -> str:
    measured = list(flatten(dict(view.conditions)))
    settings = dict(view.info["settings"])
    profile = settings.pop("profile", None)
    asked = list(flatten(settings))
    parts = []
    if measured:
        parts.append("<h3>Latency was measured on</h3>" + facts(measured))
    if profile:
        parts.append(
            "<h3>Profile</h3>" + facts(flatten(profile if isinstance(profile, dict) else {"name": profile}))
        )
    parts.append("<h3>The search was asked for</h3>" + facts(asked))
    return section("Conditions", *parts)
