"""`compresskit report`: a run as one self-contained page."""

from __future__ import annotations

from typing import Any

from compresskit.cli.options import command
from compresskit.cli.output import emit, warn
from compresskit.options.run import ReportOptions


def run(given: dict[str, Any], *, as_json: bool) -> None:
    """Write a run as one page that works offline: front, changes, kept layers, training, bench."""
    from compresskit.report.files import write_run
    from compresskit.report.verdict import judge
    from compresskit.report.view import load_view

    asked = ReportOptions(**given)
    view = load_view(asked.run, asked.bench, examples=asked.examples)
    path = write_run(view, asked.output)
    verdict = judge(view.front, view.info)
    for text in view.warnings:
        warn(text)
    result = {"path": str(path), "verdict": verdict.to_json(), "idx": verdict.idx}
    emit(result, as_json, lambda: f"{verdict.headline} {verdict.detail}\n{path}")


main = command(ReportOptions, run)
