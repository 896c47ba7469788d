"""compresskit report RUN: one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compresskit.cli.output import JsonOption, emit, warn


def main(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a search.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", help="File to write: .html, .md or .png.  [default: RUN/report.html]"),
    ] = None,
    bench: Annotated[
        Path | None,
        typer.Option("--bench", help="JSON result of `bench --report` to show.  [default: RUN/bench.json]"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run as one page that works offline: front, kept layers, training, bench, warnings."""
    from compresskit.report.files import write_run
    from compresskit.report.verdict import judge
    from compresskit.report.view import load_view

    view = load_view(run, bench)
    path = write_run(view, output)
    verdict = judge(view.front, view.info)
    for text in view.warnings:
        warn(text)
    result = {
        "path": str(path),
        "verdict": verdict.to_json(),
        "idx": verdict.idx,
    }
    emit(result, as_json, lambda: f"{verdict.headline} {verdict.detail}\n{path}")
