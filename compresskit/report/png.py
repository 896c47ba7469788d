"""The front as a picture, for papers and slides; needs matplotlib (extra `search`)."""

from __future__ import annotations

import io
from pathlib import Path

from compresskit.errors import ConfigurationError
from compresskit.report.units import metric_label
from compresskit.report.view import RunView
from compresskit.runs import FrontPoint, TrialRecord, write_atomic

_FRONT, _DENSE, _TRIAL = "#1d5fc2", "#a84f08", "#8b95a1"


def write_png(view: RunView, path: Path | str) -> None:
    """Draw all trials, the front with its intervals, and the dense model; 1600 x 1000 pixels.

    Raises ConfigurationError when no point has both a latency and a metric.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ConfigurationError(
            "a PNG needs matplotlib: pip install 'compresskit[search]', or write .html instead."
        ) from None
    points = [place for point in view.front.points if (place := _place(point))]
    if not points:
        raise ConfigurationError(
            f"{view.path} has no point with latency and metric to draw; continue the search first."
        )
    figure = Figure(figsize=(8, 5), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    trials = [place for trial in view.trials if (place := _place(trial))]
    axes.scatter(
        [x for x, _ in trials], [y for _, y in trials], s=10, c=_TRIAL, alpha=0.5, label="trials", lw=0
    )
    xs, ys = [x for x, _ in points], [y for _, y in points]
    axes.step(xs, ys, where="post", color=_FRONT, alpha=0.45, lw=1.2)
    axes.errorbar(xs, ys, xerr=_reaches(view), fmt="o", color=_FRONT, ms=5, elinewidth=1.2, label="front")
    dense = _place(view.dense) if view.dense else None
    if dense is not None:
        axes.axvline(dense[0], color=_DENSE, ls="--", lw=1, alpha=0.7)
        axes.axhline(dense[1], color=_DENSE, ls="--", lw=1, alpha=0.7)
        axes.plot(*dense, "D", color=_DENSE, ms=6, label="dense model")
    axes.set(xlabel="latency, ms", ylabel=metric_label(view.metric_name), title=view.title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#eceef0")
    axes.set_axisbelow(True)
    axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomic(path, buffer.getvalue())


def _place(item: FrontPoint | TrialRecord) -> tuple[float, float] | None:
    if item.metric is None or item.latency_ms is None:
        return None
    return item.latency_ms, item.metric * 100


def _reaches(view: RunView) -> list[list[float]]:
    """Lower and upper reach of each drawn point's interval."""
    low, high = [], []
    for point in view.front.points:
        if _place(point) is None:
            continue
        assert point.latency_ms is not None
        ends = point.latency_ci_ms or (point.latency_ms, point.latency_ms)
        low.append(max(0.0, point.latency_ms - ends[0]))
        high.append(max(0.0, ends[1] - point.latency_ms))
    return [low, high]
