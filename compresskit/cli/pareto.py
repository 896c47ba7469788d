"""`compresskit pareto`: the front of a run, or the answer under a constraint."""

from __future__ import annotations

from typing import Any

from compresskit.cli.options import command
from compresskit.cli.output import emit, warn
from compresskit.options.run import ParetoOptions


def run(given: dict[str, Any], *, as_json: bool) -> None:
    """Show front and verdict, or the point that answers the constraints; that alone with --json."""
    from compresskit.report.front_so_far import front_and_verdict
    from compresskit.report.tables import front_table, front_with_verdict
    from compresskit.runs.directory import RunDirectory
    from compresskit.searchers.front import select_point

    found = RunDirectory.open(given.pop("run"))
    front, verdict = front_and_verdict(found)
    if verdict.kind == "unfinished":
        warn(verdict.headline)
    for note in ("infeasible", "unsteady"):
        if found.info.get(note):
            warn(str(found.info[note]))
    if not given:
        shown = {**front.to_json(), "verdict": verdict.to_json()}
        emit(shown, as_json, lambda: front_with_verdict(front, verdict))
        return
    point = select_point(front, **given)
    emit(point.to_json(), as_json, lambda: front_table(front, chosen=[point.idx or 0]))


main = command(ParetoOptions, run)
