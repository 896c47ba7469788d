"""`compresskit runs`: the runs of a folder, one of them, several side by side, and the space they take."""

from __future__ import annotations

from typing import Any

import typer

from compresskit.cli.options import command
from compresskit.cli.output import emit, say, warn
from compresskit.options.run import CompareOptions, ListOptions, OfRun, PruneOptions

app = typer.Typer(help="List, show, compare and shrink runs.", no_args_is_help=True, rich_markup_mode=None)


def list_(given: dict[str, Any], *, as_json: bool) -> None:
    """All runs in folders and below them."""
    from compresskit.report.overview import LOSES, find_runs, overview_of, overview_rows
    from compresskit.report.tables import fitted_table

    found = [overview_of(path) for path in find_runs(ListOptions(**given).folders)]
    for each in found:
        if each.error is not None:
            warn(each.error)
    if not found:
        say("no runs here; `compresskit search --output FOLDER` makes one")
    folds = {"run": 12, "within 1 point": 8}
    emit(
        [each.to_json() for each in found],
        as_json,
        lambda: fitted_table(*overview_rows(found), loses=LOSES, folds=folds),
    )


def show(given: dict[str, Any], *, as_json: bool) -> None:
    """What one run searched, how far it got, and what came of it."""
    from compresskit.report.overview import described, overview
    from compresskit.report.tables import pairs
    from compresskit.runs.directory import RunDirectory

    found = overview(RunDirectory.open(given["run"]))
    emit(found.to_json(), as_json, lambda: pairs(described(found)))


def compare(given: dict[str, Any], *, as_json: bool) -> None:
    """The fronts of several runs at the same losses; what differs between the runs is said, not mixed."""
    from compresskit.report.compared import compare_runs, compared_rows
    from compresskit.report.tables import fitted_table
    from compresskit.runs.directory import RunDirectory

    found = compare_runs([RunDirectory.open(path) for path in CompareOptions(**given).runs])
    for note in found["notes"]:
        say(f"note: {note}")
    head, rows = compared_rows(found)
    loses = ("on joint front", "dense latency", "within 0.5 points", "within 5 points")
    emit(found, as_json, lambda: fitted_table(head, rows, loses=loses, folds={"run": 12}))


def prune(given: dict[str, Any], *, as_json: bool) -> None:
    """Delete the networks of a run whose points are exported; front, trials and report stay."""
    from compresskit.report.units import size
    from compresskit.runs import pruned
    from compresskit.runs.directory import RunDirectory

    asked = PruneOptions(**given)
    with RunDirectory.open(asked.run, writable=asked.yes) as run:
        pruned.check_prunable(run, force=asked.force)
        bulk = pruned.bulk_of(run)
        if not asked.yes:
            paths = [str(path) for path in bulk]
            num_bytes = sum(map(pruned.size_of, bulk))
            value = {"would_delete": paths, "size_bytes": num_bytes}
            emit(value, as_json, lambda: "\n".join([*paths, f"{size(num_bytes)} in all"]))
            say(f"nothing was deleted; with --yes these go, and then {pruned.LOST}.")
            return
        freed = pruned.prune(run)
        emit({"size_bytes": freed}, as_json, lambda: f"freed {size(freed)}")


app.command("list")(command(ListOptions, list_))
app.command("show")(command(OfRun, show))
app.command("compare")(command(CompareOptions, compare))
app.command("prune")(command(PruneOptions, prune))
