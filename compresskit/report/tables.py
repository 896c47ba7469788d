"""Tables for the terminal, by rich: the front, a bench result.

A terminal that is too narrow loses the least important columns; a file or pipe gets them all.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from compresskit.report.bench_text import mark_lines
from compresskit.report.rows import PAIRED, ROWS, bench_rows, front_notes, front_rows, judge_note, judge_rows
from compresskit.report.units import MARK
from compresskit.report.verdict import Verdict
from compresskit.runs import Front

_GAP = 2  # a space of padding and one of the box
# Columns that a narrow terminal loses, the first first.
_FRONT_LOSES = ("precision", "MACs", "95 %", "parameters", "fidelity", PAIRED)
_BENCH_LOSES = ("p99, ms", "texts/s", "95 %", "file size", "peak memory", "p95, ms")


def front_table(front: Front, *, chosen: Sequence[int] = (), width: int | None = None) -> Table:
    """The front, fastest first, the dense model last; points in `chosen` are bold and marked by a star.

    `width` in characters; by default that of the terminal, and unlimited where there is none.
    """
    head, rows = front_rows(front)
    styles = ["dim" if p.idx is None else "bold" if p.idx in chosen else "" for p, _ in rows]
    lines = [[f"{cells[0]} *", *cells[1:]] if p.idx in chosen else cells for p, cells in rows]
    known = [title for start in (ROWS, "test") for title in head if title.startswith(start)]
    loses = (*_FRONT_LOSES, *known, "keeps", "against dense")
    table = fitted_table(head, lines, styles, width, loses=loses, folds={"keeps": 20})
    if notes := front_notes(front):
        table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def front_with_verdict(front: Front, verdict: Verdict) -> Group:
    """The front and what judges say of it, the verdict below, the point that it rests on marked."""
    chosen = () if verdict.idx is None else (verdict.idx,)
    tables = filter(None, [front_table(front, chosen=chosen), judge_table(front)])
    parts = [part for table in tables for part in (table, "")]
    return Group(*parts, Text(verdict.headline, style="bold"), verdict.detail)


def judge_table(front: Front, *, width: int | None = None) -> Table | None:
    """What judges say of the points; None where there are none. `width` as in `front_table`."""
    head, rows = judge_rows(front)
    if not rows:
        return None
    styles = ["dim" if cells[0].startswith(("dense", "one")) else "" for cells in rows]
    paired = [title for title in head if title.endswith(PAIRED)]
    loses = (*paired[::-1], *[title for title in head[3:] if title not in paired][::-1])
    table = fitted_table(head, rows, styles, width, loses=loses)
    table.caption, table.caption_justify = judge_note(front), "left"
    return table


def pairs(lines: Mapping[str, str]) -> Table:
    """Names and what is said of each, in two columns."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, line in lines.items():
        table.add_row(name, Text(line))
    return table


def bench_table(result: Mapping[str, Any], *, width: int | None = None) -> Table:
    """A result of `compresskit bench`; percentiles in ms, the ratio with its 95 % interval."""
    head, rows = bench_rows(result)
    styles = ["dim" if engine.get("is_baseline") else "" for engine, _ in rows]
    lines = [cells for _, cells in rows]
    known = [title for title in head if title.startswith(ROWS)]
    loses = (*_BENCH_LOSES[:3], PAIRED, *known, *_BENCH_LOSES[3:])
    table = fitted_table(head, lines, styles, width, loses=loses, folds={"engine": 16})
    if marks := mark_lines(result):
        table.caption = Text(f"{MARK} not to be trusted: {'; '.join(marks)}", justify="left")
    return table


def fitted_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: Sequence[str] | None = None,
    width: int | None = None,
    *,
    loses: Sequence[str] = (),
    folds: Mapping[str, int] = MappingProxyType({}),
) -> Table:
    """A table that fits into `width` characters, by default those of the terminal where there is one.

    Too wide, titles are broken between words and the columns `folds` down to so many characters; then the
    columns `loses` go, the first first.
    """
    cells = [max((len(row[column]) for row in rows), default=0) for column in range(len(head))]
    words = [max(map(len, title.split()), default=0) for title in head]
    least = [min(folds.get(title, cell), cell) for title, cell in zip(head, cells, strict=True)]
    least = [max(pair) for pair in zip(least, words, strict=True)]
    widths = [max(len(title), cell) for title, cell in zip(head, cells, strict=True)]
    kept = list(range(len(head)))
    most = width if width is not None else _terminal_width()
    for title in loses:
        if most is not None and _needs(least, kept) > most:
            kept = [column for column in kept if head[column] != title]
    while most is not None and _needs(widths, kept) > most:
        widest = max(kept, key=lambda column: widths[column] - least[column])
        if widths[widest] == least[widest]:
            break
        widths[widest] -= 1
    table = Table(
        box=box.SIMPLE,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        width=_needs(widths, kept),
    )
    for column in kept:
        aside = column == 0 or head[column] in folds
        table.add_column(
            head[column], justify="left" if aside else "right", overflow="fold", width=widths[column]
        )
    for line, style in zip(rows, styles or [""] * len(rows), strict=True):
        table.add_row(*(Text(line[column]) for column in kept), style=style)
    return table


def _needs(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[column] + _GAP for column in kept) - _GAP


def _terminal_width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
