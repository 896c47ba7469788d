"""`compresskit search`: from a model, a data set and a device to a front."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from compresskit.cli.options import command
from compresskit.cli.output import emit, say
from compresskit.options.search import RUN, SearchCall


def run(given: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    """Fine-tune a super-network, search it on the device, and write the front."""
    with say.stage("loading libraries"):
        from compresskit.api.search import preview, search
        from compresskit.report.tables import front_with_verdict, pairs

    if dry_run:
        plan = preview(**given, say=say)
        emit(plan.to_json(), as_json, lambda: pairs(plan.lines()))
        return
    found = search(**given, say=say).front
    front, verdict = found.record, found.verdict
    shown = {**front.to_json(), "verdict": verdict.to_json()}
    emit(shown, as_json, lambda: front_with_verdict(front, verdict))


_DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Check all, say what would be done and for how long.", rich_help_panel=RUN
    ),
]
main = command(SearchCall, run, dry_run=(_DryRun, False))
