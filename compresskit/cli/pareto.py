"""`compresskit pareto`: the front of a run, or the answer under a constraint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compresskit.cli.output import JsonOption, emit, warn


def main(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    max_latency_ms: Annotated[float | None, typer.Option(help="Best metric within this latency.")] = None,
    max_drop: Annotated[
        float | None, typer.Option(help="Fastest within this drop below dense, in points of metric x 100.")
    ] = None,
    min_metric: Annotated[float | None, typer.Option(help="Fastest with at least this metric.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show front and verdict, or the point that answers the constraints; that alone with --json."""
    from compresskit.report.front_so_far import front_and_verdict
    from compresskit.report.tables import front_table, front_with_verdict
    from compresskit.runs.directory import RunDirectory
    from compresskit.searchers.front import select_point

    found = RunDirectory.open(run)
    front, verdict = front_and_verdict(found)
    if verdict.kind == "unfinished":
        warn(verdict.headline)
    for note in ("infeasible", "unsteady"):
        if found.info.get(note):
            warn(str(found.info[note]))
    if max_latency_ms is None and max_drop is None and min_metric is None:
        shown = {**front.to_json(), "verdict": verdict.to_json()}
        emit(shown, as_json, lambda: front_with_verdict(front, verdict))
        return
    point = select_point(front, max_drop=max_drop, max_latency_ms=max_latency_ms, min_metric=min_metric)
    emit(point.to_json(), as_json, lambda: front_table(front, chosen=[point.idx or 0]))
