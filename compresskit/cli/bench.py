"""`compresskit bench`: engines side by side on a device."""

from __future__ import annotations

from typing import Any

import typer

from compresskit.cli.options import command
from compresskit.cli.output import CONDITION_FAILED, NOT_DECIDED, emit, say, warn
from compresskit.options.bench import BenchOptions


def run(given: dict[str, Any], *, as_json: bool) -> None:
    """Measure engines side by side on a device: each in a fresh process, in turn, in random order."""
    from compresskit.api.bench import bench
    from compresskit.report.bench_text import mark_lines
    from compresskit.report.tables import bench_table

    result = bench(**given, say=say)
    value = result.to_json()
    for text in result.warnings:
        warn(text)
    for text in mark_lines(value):
        warn(f"not to be trusted: {text}")
    for text in result.changes:
        say(text)
    emit(value, as_json, lambda: bench_table(value))
    for text in result.failed:
        say(f"failed: {text}")
    for text in result.undecided:
        say(f"not decided: {text}")
    if result.undecided and not result.failed:
        say(
            "machine busy, or a figure too near its limit: run again when it is quiet, raise max_seconds in "
            "the profile, or let the figures decide with --allow-busy."
        )
    if result.failed or result.undecided:
        raise typer.Exit(CONDITION_FAILED if result.failed else NOT_DECIDED)


main = command(BenchOptions, run)
