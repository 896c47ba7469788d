"""Runs and bench results as Markdown, for model cards, pull requests and CI summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compresskit.report.bench_text import mark_lines
from compresskit.report.changes import changes_rows
from compresskit.report.page import flatten
from compresskit.report.rows import bench_rows, front_notes, front_rows
from compresskit.report.units import MARK
from compresskit.report.verdict import judge
from compresskit.report.view import NOTES, RunView


def run_markdown(view: RunView) -> str:
    """Verdict, front and warnings of a run."""
    verdict = judge(view.front, view.info)
    head, front = front_rows(view.front)
    parts = [f"# {_plain(view.title)}", f"**{verdict.headline}** {verdict.detail}"]
    parts.append(_table(head, [cells for _, cells in front]))
    parts += [_plain(note) for note in front_notes(view.front)]
    changed, rows = changes_rows(view)
    if rows:
        parts += ["## What changed against the dense model", _table(changed, rows)]
    return _join([*parts, *_list("Warnings", view.warnings), *_list(NOTES, view.notes)])


def bench_markdown(result: Mapping[str, Any]) -> str:
    """Table, changes, warnings and conditions of a bench result."""
    head, rows = bench_rows(result)
    parts = ["# Bench", _table(head, [cells for _, cells in rows])]
    parts += _list(f"{MARK} Not to be trusted", mark_lines(result))
    parts += _list("Since the last bench", result.get("changes") or ())
    parts += _list("Warnings", result.get("warnings") or ())
    conditions = [f"{name}: {text}" for name, text in flatten(dict(result.get("conditions") or {}))]
    return _join([*parts, *_list("Conditions", conditions)])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _list(title: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    return [f"## {title}", "\n".join(f"- {_plain(str(item))}" for item in items)]


def _plain(text: str) -> str:
    """`text` on one line and without the signs that Markdown or HTML would read."""
    for sign, escaped in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("\n", " ")):
        text = text.replace(sign, escaped)
    return text


def _join(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"
