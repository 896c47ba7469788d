from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from compresskit.report.tables import bench_table, front_table, trials_table
from tests.report.runs import UNEVEN, bench_result, dense, front, point, trial


def text_of(table: Table, width: int = 200) -> list[str]:
    console = Console(width=width, soft_wrap=True, color_system=None, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text().splitlines()


def line_with(lines: list[str], start: str) -> list[str]:
    return next(line for line in lines if line.strip().startswith(start)).split()


def test_front_table_lists_points_and_dense() -> None:
    lines = text_of(
        front_table(front(point(0, 4.0, 0.895, UNEVEN), point(1, 6.0, None), whole=dense()), chosen=[0])
    )
    assert line_with(lines, "0")[:7] == [
        "0", "*", "4.00", "3.95\N{EN DASH}4.05", "2.50\N{MULTIPLICATION SIGN}", "89.50", "\N{MINUS SIGN}0.50",
    ]  # fmt: skip
    assert line_with(lines, "1")[4:6] == ["\N{EN DASH}", "\N{EN DASH}"]
    assert line_with(lines, "dense")[1] == "10.0"


def test_fidelity_is_shown_where_it_is_known() -> None:
    known = replace(point(0, 4.0, 0.895, UNEVEN), fidelity=0.8765)
    lines = text_of(front_table(front(known, whole=dense()), chosen=[]))
    assert "fidelity" in " ".join(lines)
    assert "87.65" in line_with(lines, "0")
    assert "fidelity" not in " ".join(
        text_of(front_table(front(point(0, 4.0, 0.9), whole=dense()), chosen=[]))
    )


def test_trials_table_shows_the_last_and_why_one_failed() -> None:
    lines = text_of(
        trials_table([trial(n) for n in range(5)] + [trial(5, error="no [red] memory\nat all")], last=2)
    )
    assert not any(line.strip().startswith("3") for line in lines)
    assert line_with(lines, "4")[1:3] == ["4.40", "80.00"]
    assert "failed: no [red] memory" in " ".join(line_with(lines, "5"))


def test_bench_table_says_ratio_and_metric() -> None:
    lines = text_of(bench_table(bench_result()))
    assert "baseline" in line_with(lines, "dense")
    pruned = " ".join(line_with(lines, "pruned"))
    assert "2.00\N{MULTIPLICATION SIGN} (1.98\N{EN DASH}2.02)" in pruned
    assert pruned.endswith("91.00")


def test_a_narrow_terminal_loses_columns_and_no_figures() -> None:
    lines = text_of(bench_table(bench_result(), width=60), width=60)
    assert max(map(len, lines)) <= 60
    assert line_with(lines, "pruned")[:3] == ["pruned", "5.00", "5.50"]
    assert "2.00\N{MULTIPLICATION SIGN} (1.98\N{EN DASH}2.02)" in " ".join(lines)
    assert not any("peak memory" in line or "\N{HORIZONTAL ELLIPSIS}" in line for line in lines)


def test_a_pipe_gets_all_columns_at_any_width() -> None:
    lines = text_of(bench_table(bench_result()), width=40)
    assert "file size" in lines[0]
    assert "90.9 MB" in " ".join(line_with(lines, "pruned"))
