"""compresskit bench ENGINE ...: engines side by side on a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compresskit.cli.output import CONDITION_FAILED, NOT_DECIDED, JsonOption, emit, say, warn


def main(
    engines: Annotated[
        list[Path],
        typer.Argument(metavar="ENGINE", help="Engine folders or ONNX files.", show_default=False),
    ],
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline", help="Engine to compare with; measured too.  [default: the first of several]"
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", help="Name or TOML file.  [default: that of the first engine, else cpu-1-thread]"
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="Folder or file of labelled texts: engines are scored on it."),
    ] = None,
    text_column: Annotated[
        list[str] | None, typer.Option("--text-column", help="Column of the text; twice for pairs.")
    ] = None,
    label_column: Annotated[str | None, typer.Option("--label-column", help="Column of the label.")] = None,
    report: Annotated[
        list[Path] | None, typer.Option("--report", help="File to write: .html, .md or .json; may repeat.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option("--history", help="File that keeps results, to show later what changed.")
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", help="KEY OP NUMBER, such as 'latency_ms.p95 > 5': exit 3; may repeat."),
    ] = None,
    allow_busy: Annotated[
        bool,
        typer.Option(
            "--allow-busy", help="--fail-if decides by the figures alone, even on a busy machine: no exit 4."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure engines side by side on a device: each in a fresh process, in turn, in random order."""
    from compresskit.pipeline.bench import bench
    from compresskit.pipeline.benching.gate import check_keys, parse_condition
    from compresskit.pipeline.benching.verdict import Outcome, judge, limits_of
    from compresskit.report.bench_text import mark_lines
    from compresskit.report.tables import bench_table

    conditions = [parse_condition(text) for text in fail_if or ()]
    check_keys(conditions, len({*engines, *([baseline] if baseline else [])}))
    result = bench(
        engines,
        baseline=baseline,
        profile=profile,
        dataset=dataset,
        text_columns=text_column or (),
        label_column=label_column,
        report=report or (),
        history=history,
        limits=() if allow_busy else limits_of(conditions),
        say=say,
    )
    value = result.to_json()
    for text in result.warnings:
        warn(text)
    for text in mark_lines(value):
        warn(f"not to be trusted: {text}")
    for text in result.changes:
        say(text)
    emit(value, as_json, lambda: bench_table(value))
    verdicts = judge(conditions, value, allow_busy=allow_busy)
    failed = [verdict for verdict in verdicts if verdict.outcome is Outcome.HOLDS]
    undecided = [verdict for verdict in verdicts if verdict.outcome is Outcome.UNDECIDED]
    for verdict in failed:
        say(f"failed: {verdict}")
    for verdict in undecided:
        say(f"not decided: {verdict}")
    if undecided and not failed:
        say(
            "machine busy, or a figure too near its limit: run again when it is quiet, raise max_seconds in "
            "the profile, or let the figures decide with --allow-busy."
        )
    if failed or undecided:
        raise typer.Exit(CONDITION_FAILED if failed else NOT_DECIDED)
