"""Columns and cells of the two tables that every format shows: the front, and a bench result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from compresskit.architecture import Architecture
from compresskit.report.bench_text import describe_ratio, engine_names, marks_of, ratio_of
from compresskit.report.layers import shorten
from compresskit.report.loss import drop
from compresskit.report.speed import speedup
from compresskit.report.units import (
    MARK,
    NOTHING,
    count,
    interval,
    marked,
    metric_label,
    metric_words,
    milliseconds,
    number,
    percent_interval,
    points,
    signed_ends,
    signed_points,
    size,
    times,
)
from compresskit.runs import Front, FrontPoint, TrialRecord
from compresskit.runs.judged import Judged

ROWS = "95 %, "
PAIRED = "paired 95 %"


def front_rows(front: Front) -> tuple[list[str], list[tuple[FrontPoint, list[str]]]]:
    """Titles, and the cells of each point, fastest first, the dense model last.

    Columns of what no point has are left out: intervals of metrics, fidelity, test figures.
    """
    shown = [*front.points, *([front.dense] if front.dense else [])]
    columns = _columns(front, shown)
    return list(columns), [(point, [cell(point) for cell in columns.values()]) for point in shown]


def front_notes(front: Front) -> list[str]:
    """What the signs at latencies mean: why which of them are not to be trusted."""
    named: dict[str, list[str]] = {}
    for point in (*front.points, *([front.dense] if front.dense else [])):
        for mark in point.marks:
            named.setdefault(mark, []).append(_name(point))
    return [f"{MARK} not to be trusted ({', '.join(names)}): {mark}" for mark, names in named.items()]


def judge_rows(front: Front) -> tuple[list[str], list[list[str]]]:
    """Titles and cells of what judges say beside the metric, of each point and of its vectors when shortened,
    the dense model last; empty without judges and widths. Below it is one vector for every text.
    """
    shown = [*front.points, *([front.dense] if front.dense else [])]
    if not shown or not (shown[0].judges or shown[0].dims):
        return [], []
    metric, judges = shown[0].metric_name, shown[0].judges
    head, rows = ["point", "speed-up", metric_label(metric)], []
    for name, judge in judges.items():
        head += [f"{name} {metric_label(judge.metric_name)}", f"{name} {PAIRED}"]
    for point in shown:
        times_dense = NOTHING if point.idx is None else times(speedup(point, front.dense))
        rows.append([_name(point), times_dense, points(point.metric), *_judged(point.judges, judges)])
        for width, said in point.dims.items():
            cells = [points(said[metric].metric) if metric in said else NOTHING, *_judged(said, judges)]
            rows.append([f"{_name(point)}, {width} numbers", NOTHING, *cells])
    if judges:
        priors = [cell for judge in judges.values() for cell in (points(judge.prior), NOTHING)]
        rows.append(["one vector", NOTHING, NOTHING, *priors])
    return head, rows


def _judged(said: Mapping[str, Judged], judges: Iterable[str]) -> list[str]:
    known = [said.get(name) for name in judges]
    cells = [(points(each.metric), _signed(each.difference_ci)) if each else (NOTHING,) * 2 for each in known]
    return [cell for pair in cells for cell in pair]


def judge_note(front: Front) -> str:
    """What judges there are, and that points were chosen without them."""
    shown = [*front.points, *([front.dense] if front.dense else [])]
    counted = [f"{name} {judge.rows:,} rows" for name, judge in shown[0].judges.items()]
    chosen_by = metric_words(shown[0].metric_name)
    judges = (
        f"Judges ({', '.join(counted)}) are asked when a search ends; it goes by {chosen_by}. "
        if counted
        else ""
    )
    widths = "Shorter vectors: compresskit export --dims." if shown[0].dims else ""
    return (judges + widths).strip()


def trial_cells(trial: TrialRecord) -> list[str]:
    """Number, latency, metric, parameters, seconds and architecture."""
    return [
        str(trial.trial_id),
        milliseconds(trial.latency_ms).removesuffix(" ms"),
        points(trial.metric),
        count(trial.num_params),
        f"{trial.seconds:.1f}",
        shorten(Architecture.from_json(trial.architecture)),
    ]


def bench_rows(result: Mapping[str, Any]) -> tuple[list[str], list[tuple[Mapping[str, Any], list[str]]]]:
    """Titles, and the cells of each engine in the order they were given."""
    scored = [engine for engine in result["engines"] if engine.get("metric") is not None]
    head = ["engine", "median, ms", "95 %", "p95, ms", "p99, ms", "against baseline", "texts/s"]
    head += ["peak memory", "file size"] + ([metric_label(scored[0].get("metric_name"))] if scored else [])
    known = next((engine["rows"] for engine in scored if engine.get("metric_ci")), None)
    is_paired = any(engine.get("difference_ci") for engine in scored)
    head += ([f"{ROWS}{known:,} rows"] if known else []) + ([PAIRED] if is_paired else [])
    rows = []
    for engine, name in zip(result["engines"], engine_names(result), strict=True):
        cells = [name, *_bench_cells(result, engine)]
        cells += [points(engine.get("metric"))] if scored else []
        cells += [percent_interval(engine.get("metric_ci"))] if known else []
        cells += [_signed(engine.get("difference_ci"))] if is_paired else []
        rows.append((engine, cells))
    return head, rows


def _columns(front: Front, shown: Sequence[FrontPoint]) -> dict[str, Callable[[FrontPoint], str]]:
    """Titles, and what each column says of a point."""
    columns: dict[str, Callable[[FrontPoint], str]] = {
        "point": _name,
        "latency, ms": lambda point: marked(milliseconds(point.latency_ms).removesuffix(" ms"), point.marks),
        "95 %": lambda point: interval(point.latency_ci_ms),
        "speed-up": lambda point: _speedup(point, front.dense),
        metric_label(shown[0].metric_name if shown else None): lambda point: points(point.metric),
    }
    if rows := next((point.rows for point in shown if point.metric_ci), None):
        columns[f"{ROWS}{rows:,} rows"] = lambda point: percent_interval(point.metric_ci)
    columns["against dense"] = lambda point: _against(point, front.dense)
    if any(point.difference_ci for point in shown):
        columns[PAIRED] = lambda point: _signed(point.difference_ci)
    tested = next((point.test for point in shown if point.test), None)
    if tested is not None:
        columns[f"test, {tested.rows:,} rows"] = _tested
        columns["test against dense"] = _tested_against
    if any(point.fidelity is not None for point in shown):
        columns["fidelity"] = lambda point: points(point.fidelity)
    return columns | {
        "parameters": lambda point: count(point.num_params),
        "MACs": lambda point: count(point.macs),
        "precision": lambda point: point.precision,
        "keeps": lambda point: shorten(Architecture.from_json(point.architecture)),
    }


def _name(point: FrontPoint) -> str:
    return "dense" if point.idx is None else str(point.idx)


def _speedup(point: FrontPoint, dense: FrontPoint | None) -> str:
    if point.idx is None:
        return NOTHING
    measured = f" ({interval(point.speedup_ci)})" if point.speedup_ci else ""
    return times(speedup(point, dense)) + measured


def _against(point: FrontPoint, dense: FrontPoint | None) -> str:
    lost = None if point.idx is None else drop(point, dense)
    return signed_points(None if lost is None else -lost)


def _signed(ends: tuple[float, float] | None) -> str:
    return NOTHING if ends is None else signed_ends([100 * end for end in ends], 2)


def _tested(point: FrontPoint) -> str:
    if point.test is None:
        return NOTHING
    changed = f", {point.test.changed}" if point.test.changed else ""
    return f"{points(point.test.metric)} ({percent_interval(point.test.metric_ci)}{changed})"


def _tested_against(point: FrontPoint) -> str:
    test = point.test
    if test is None or point.idx is None or test.dense_metric is None:
        return NOTHING
    known = f" ({_signed(test.difference_ci)})" if test.difference_ci else ""
    return signed_points(test.metric - test.dense_metric) + known


def _bench_cells(result: Mapping[str, Any], engine: Mapping[str, Any]) -> list[str]:
    latency, ratio = engine["latency_ms"], ratio_of(result, engine["path"])
    marks = marks_of(result, engine)
    against = "baseline" if engine.get("is_baseline") else NOTHING
    if ratio:
        against = describe_ratio(ratio, marks_of(result, ratio))
    return [
        marked(number(latency["p50"]), marks),
        interval(latency.get("ci")),
        *(
            NOTHING if latency.get(key) is None else marked(number(latency[key]), marks)
            for key in ("p95", "p99")
        ),
        against,
        NOTHING if engine.get("throughput_per_s") is None else number(engine["throughput_per_s"]),
        size(engine.get("peak_memory_bytes")),
        size(engine.get("size_bytes")),
    ]
