"""Tables for the terminal, by rich: the front, a bench result.

A terminal that is too narrow loses the least important columns; a file or pipe gets them all.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from compresskit.report.bench_text import mark_lines
from compresskit.report.rows import PAIRED, ROWS, bench_rows, front_notes, front_rows
from compresskit.report.units import MARK
from compresskit.report.verdict import Verdict
from compresskit.runs import Front

_GAP = 2  # a space of padding and one of the box
# Columns that a narrow terminal loses, the first first.
_FRONT_LOSES = ("precision", "MACs", "95 %", "parameters", "fidelity", "test against dense", PAIRED)
_BENCH_LOSES = ("p99, ms", "texts/s", "95 %", "file size", "peak memory")


def front_table(front: Front, *, chosen: Sequence[int] = (), width: int | None = None) -> Table:
    """The front, fastest first, the dense model last; points in `chosen` are bold and marked by a star.

    `width` in characters; by default that of the terminal, and unlimited where there is none.
    """
    head, rows = front_rows(front)
    styles = ["dim" if p.idx is None else "bold" if p.idx in chosen else "" for p, _ in rows]
    lines = [[f"{cells[0]} *", *cells[1:]] if p.idx in chosen else cells for p, cells in rows]
    known = [title for title in head if title.startswith(ROWS)]
    loses = (*_FRONT_LOSES, *known, "against dense")
    table = _table(head, lines, styles, width, loses=loses, left=("keeps",))
    if notes := front_notes(front):
        table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def front_with_verdict(front: Front, verdict: Verdict) -> Group:
    """The front, the verdict below it, the point that it rests on marked."""
    chosen = () if verdict.idx is None else (verdict.idx,)
    return Group(front_table(front, chosen=chosen), "", Text(verdict.headline, style="bold"), verdict.detail)


def bench_table(result: Mapping[str, Any], *, width: int | None = None) -> Table:
    """A result of `compresskit bench`; percentiles in ms, the ratio with its 95 % interval."""
    head, rows = bench_rows(result)
    styles = ["dim" if engine.get("is_baseline") else "" for engine, _ in rows]
    table = _table(head, [cells for _, cells in rows], styles, width, loses=_BENCH_LOSES)
    if marks := mark_lines(result):
        table.caption = Text(f"{MARK} not to be trusted: {'; '.join(marks)}", justify="left")
    return table


def _table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: Sequence[str],
    width: int | None,
    *,
    loses: Sequence[str],
    left: Sequence[str] = (),
) -> Table:
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    kept = list(range(len(head)))
    most = width if width is not None else _terminal_width()
    for title in loses:
        if most is not None and _needs(widths, kept) > most:
            kept = [column for column in kept if head[column] != title]
    needed = _needs(widths, kept)
    fits = most is None or needed <= most
    table = Table(
        box=box.SIMPLE,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        width=needed if fits else most,
    )
    for column in kept:
        aside = column == 0 or head[column] in left
        table.add_column(
            head[column], justify="left" if aside else "right", overflow="fold", no_wrap=not aside
        )
    for cells, style in zip(rows, styles, strict=True):
        table.add_row(*(Text(cells[column]) for column in kept), style=style)
    return table


def _needs(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[column] + _GAP for column in kept) - _GAP


def _terminal_width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
