"""What is said of the trials of a search: a line each for a log, the best so far beside a bar."""

from __future__ import annotations

from collections.abc import Sequence

from compresskit.display import format_seconds
from compresskit.pipeline.settings import SearchSettings
from compresskit.report.loss import ALLOWED
from compresskit.runs.records import TrialRecord
from compresskit.searchers.loop import SearchProgress


def aim_line(settings: SearchSettings) -> str:
    """What is searched, in what, for what and for how long."""
    limit = [f"{settings.trials} trials"] if settings.trials else []
    limit += [format_seconds(settings.budget_seconds)] if settings.budget_seconds else []
    within = [] if settings.max_latency_ms is None else [f"{settings.max_latency_ms:g} ms"]
    within += [] if settings.max_drop is None else [f"{settings.max_drop:g} points of dense"]
    aim = f" for what is within {' and '.join(within)}" if within else ""
    return f"search: {settings.searcher} in space {settings.space}{aim}, at most {' or '.join(limit)}"


def point_line(record: TrialRecord, metric_name: str) -> str:
    """Of a trial with weights of its own."""
    if not record.is_completed:
        return f"trial {record.trial_id}: failed: {record.error}"
    latency = "" if record.latency_ms is None else f", {record.latency_ms:.3f} ms"
    latency += "" if record.precision == "fp32" else f" in {record.precision}"
    return f"trial {record.trial_id}: {metric_name} {record.metric:.4f}{latency}  {record.signature}"


def trial_line(progress: SearchProgress, metric_name: str) -> str:
    """What the last trial gave, and where the front stands."""
    if not progress.record.is_completed:
        return point_line(progress.record, metric_name)
    volume = "" if progress.hypervolume is None else f", hypervolume {progress.hypervolume:.4f}"
    stands = f"front of {len(progress.front)}"
    if progress.nearest is not None:
        stands = f"none for the front yet, nearest is trial {progress.nearest.trial_id}"
    return f"{point_line(progress.record, metric_name)}  ({stands}{volume})"


def best_line(
    records: Sequence[TrialRecord], metric_name: str, dense_metric: float, max_drop: float | None
) -> str:
    """The fastest of `records` that loses at most so many points, 1 where None is given."""
    drop = ALLOWED if max_drop is None else max_drop
    aim = f"within {drop:g} point{'' if drop == 1 else 's'} of dense"
    good = [
        record
        for record in records
        if record.metric is not None
        and record.latency_ms is not None
        and record.metric >= dense_metric - drop / 100
    ]
    if not good:
        return f"none {aim} yet"
    best = min(good, key=lambda record: record.latency_ms or 0.0)
    return f"best {aim}: trial {best.trial_id}, {best.latency_ms:.3f} ms, {metric_name} {best.metric:.4f}"
