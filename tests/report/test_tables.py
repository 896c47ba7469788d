from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from compresskit.architecture import Architecture, Dimensions
from compresskit.report.tables import bench_table, fitted_table, front_table, judge_table
from compresskit.runs.judged import Judged
from compresskit.runs.tested import OnTest
from tests.report.runs import UNEVEN, bench_result, dense, front, point


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
    assert line_with(lines, "0")[:11] == [
        "0", "*", "4.00", "3.95\N{EN DASH}4.05", "2.50\N{MULTIPLICATION SIGN}",
        "89.50", "88.0\N{EN DASH}91.0", "\N{MINUS SIGN}0.50", "\N{MINUS SIGN}1.00", "to", "0.00",
    ]  # fmt: skip
    assert "95 %, 2,000 rows" in lines[0]
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


def test_judges_have_a_table_that_fits_a_terminal() -> None:
    def judges(lost: float) -> dict[str, Judged]:
        known = None if lost == 0 else (-lost - 0.01, -lost + 0.01)
        return {
            name: Judged("spearman", 0.86 - lost, 1_500, 0.0, (0.8, 0.9), known)
            for name in ("stsb", "sts13", "sts15", "cranfield")
        }

    some = front(
        point(0, 4.0, 0.895, metric_name="rank_agreement", judges=judges(0.02)),
        whole=dense(judges=judges(0.0)),
    )
    table = judge_table(some)
    assert table is not None
    lines = text_of(table)
    assert line_with(lines, "0")[1:7] == [
        *("2.50\N{MULTIPLICATION SIGN}", "89.50", "84.00", "\N{MINUS SIGN}3.00", "to", "\N{MINUS SIGN}1.00")
    ]
    assert line_with(lines, "dense")[3:5] == ["86.00", "\N{EN DASH}"]
    assert line_with(lines, "one vector")[-2:] == ["0.00", "\N{EN DASH}"]
    assert "stsb 1,500 rows" in " ".join(lines) and "it goes by rank agreement" in " ".join(lines)
    narrow = judge_table(some, width=80)
    assert narrow is not None
    narrow.caption = None  # which wraps
    lines = text_of(narrow, 80)
    assert max(map(len, lines)) <= 80 and line_with(lines, "0").count("84.00") == 4
    assert judge_table(front(point(0, 4.0, 0.9), whole=dense())) is None


def test_what_is_not_known_has_no_column() -> None:
    older = [point(0, 4.0, 0.895, rows=None), dense(rows=None)]
    head = text_of(front_table(front(older[0], whole=older[1])))[0]
    assert "rows" not in head and "paired" not in head and "test" not in head


def test_test_figures_stand_beside_those_of_validation() -> None:
    found = [OnTest(0, "", 0.9, (0.88, 0.92), 1821, "ONNX Runtime", 0.91, (-0.02, 0.001)), None]
    points = [replace(point(place, 4.0 + place, 0.895), test=test) for place, test in enumerate(found)]
    whole = replace(dense(), test=OnTest(None, "", 0.91, (0.89, 0.93), 1821, "PyTorch"))
    lines = text_of(front_table(front(*points, whole=whole)))
    assert "test, 1,821 rows" in lines[0]
    shown = " ".join(line_with(lines, "0"))
    assert "90.00 (88.0\N{EN DASH}92.0) \N{MINUS SIGN}1.00 (\N{MINUS SIGN}2.00 to 0.10)" in shown
    assert "91.00 (89.0\N{EN DASH}93.0) \N{EN DASH}" in " ".join(line_with(lines, "dense"))


def test_latencies_that_are_not_to_be_trusted_are_marked() -> None:
    marked = [replace(point(place, 4.0 + place, 0.9), marks=("others took 31 % of it",)) for place in (0, 1)]
    lines = text_of(front_table(front(*marked, point(2, 6.0, 0.9), whole=dense())))
    assert line_with(lines, "0")[1:3] == ["4.00", "\N{DAGGER}"]
    assert line_with(lines, "2")[1] == "6.00"
    assert lines[-1].strip() == "\N{DAGGER} not to be trusted (0, 1): others took 31 % of it"


def test_a_measured_speed_up_has_its_interval() -> None:
    measured = replace(point(0, 4.0, 0.9), speedup=2.4, speedup_ci=(2.31, 2.52))
    lines = text_of(front_table(front(measured, whole=dense())))
    assert "2.40\N{MULTIPLICATION SIGN} (2.31\N{EN DASH}2.52)" in " ".join(line_with(lines, "0"))


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


LARGE = Dimensions(num_layers=24, num_heads=16, head_size=64, num_units=4096, hidden_size=1024)
MANY = Architecture.of_counts(LARGE, [(layer % 17, 171 * layer) for layer in range(24)])


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_keeps_what_a_point_is_chosen_by(width: int) -> None:
    test = OnTest(0, "", 0.9, (0.88, 0.92), 1821, "ONNX Runtime", 0.91, (-0.02, 0.001))
    known: dict[str, Any] = {
        "metric_name": "matthews_correlation",
        "fidelity": 0.9,
        "speedup": 2.0,
        "speedup_ci": (1.9, 2.1),
    }
    points = [replace(point(place, 4.0 + place, 0.895, MANY), test=test, **known) for place in range(3)]
    whole = replace(dense(), metric_name="matthews_correlation")
    lines = text_of(front_table(front(*points, whole=whole), width=width), width)
    assert max(map(len, lines)) <= width
    head = [word for line in lines[:4] for word in line.split()]
    assert {"point", "latency,", "speed-up", "correlation"} <= set(head)
    for place in range(3):
        shown = " ".join(line_with(lines, str(place)))
        assert shown.startswith(
            f"{place} {4 + place}.00 2.00\N{MULTIPLICATION SIGN} (1.90\N{EN DASH}2.10) 89.50"
        )


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_keeps_what_an_engine_is_chosen_by(width: int) -> None:
    result = bench_result()
    for engine, name in zip(
        result["engines"], ("dense-bert-base-uncased", "pruned-to-half-its-latency"), strict=True
    ):
        engine |= {"path": f"engines/reviews/{name}", "metric": 0.9, "metric_name": "matthews_correlation"}
        engine |= {"rows": 1821, "metric_ci": (0.88, 0.92), "difference_ci": (-0.02, 0.001)}
    for ratio in result["ratios"]:
        ratio["baseline"], ratio["engine"] = (engine["path"] for engine in result["engines"])
    lines = text_of(bench_table(result, width=width), width)
    assert max(map(len, lines)) <= width
    shown = line_with(lines, "pruned")
    assert {"5.00", "2.00\N{MULTIPLICATION SIGN}", "90.00"} <= set(shown)


def test_columns_fold_between_words_and_go_in_order() -> None:
    head, rows = ["name", "latency, ms", "batch", "description"], [["a", "12.5", "8", "one two three four"]]

    def shown(width: int) -> list[str]:
        table = fitted_table(head, rows, width=width, loses=("batch",), folds={"description": 11})
        return [line.rstrip() for line in text_of(table, width)]

    assert len(shown(60)) == 3
    assert shown(34)[0].split() == ["latency,"] and "batch" in shown(34)[1]
    assert "batch" not in " ".join(shown(30)) and "three" in " ".join(shown(30))
