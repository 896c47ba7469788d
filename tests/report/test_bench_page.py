from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from compresskit.errors import ConfigurationError
from compresskit.report import write_bench
from compresskit.report.bench_page import bench_html
from compresskit.report.bench_text import describe_ratio, engine_names, headline
from compresskit.report.markdown import bench_markdown
from compresskit.report.tables import bench_table
from tests.report.runs import bench_result
from tests.report.test_run_page import Page


def test_bars_are_in_proportion_and_the_ratio_stands_beside() -> None:
    page = bench_html(bench_result())
    assert 'class="bar" style="width:90.91%"' in page  # 10 of 11 ms, the longest p95
    assert 'class="bar" style="width:45.45%"' in page
    assert "2.00\N{MULTIPLICATION SIGN} (1.98\N{EN DASH}2.02)" in page
    assert "pruned is 2.00\N{MULTIPLICATION SIGN} as fast as dense." in page
    assert Page(page).loads == []


def test_remarks_are_escaped_and_changes_shown() -> None:
    page = bench_html(bench_result(changes=["e/pruned: slower & worse"]))
    assert "e/dense: noisy &lt;b&gt;" in page
    assert "Since the last bench" in page and "slower &amp; worse" in page


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((0.97, 1.01, 1.04), "No difference from dense was shown."),
        ((0.7, 0.8, 0.9), "Nothing is faster than dense."),
    ],
)
def test_headline_without_a_speedup(ends: tuple[float, float, float], text: str) -> None:
    assert headline(bench_result(speedup=ends)) == text


def test_no_difference_is_said_where_the_interval_holds_one() -> None:
    assert describe_ratio({"speedup": 1.01, "ci": [0.97, 1.04]}).startswith("no difference shown (0.97")
    assert describe_ratio({"speedup": 1.05, "ci": [1.01, 1.09]}).startswith("1.05")


def test_names_are_as_short_as_tells_engines_apart() -> None:
    def names(*paths: str) -> list[str]:
        return engine_names({"engines": [{"path": path} for path in paths]})

    assert names("out/a", "out/b") == ["a", "b"]
    assert names("x/model.onnx", "y/model.onnx") == ["x/model.onnx", "y/model.onnx"]


def test_markdown_has_no_live_html() -> None:
    text = bench_markdown(bench_result())
    assert "| pruned | 5.00 | 4.90\N{EN DASH}5.10 | 5.50 | \N{EN DASH} | 2.00" in text
    assert "- e/dense: noisy &lt;b>" in text
    assert "- onnxruntime: 1.31.1" in text


def test_a_busy_machine_is_said_where_the_figures_are_read() -> None:
    result = bench_result(marks=["others took 31 % of the measuring time"])
    said = "all figures: others took 31 % of the measuring time"
    page, text, shown = bench_html(result), bench_markdown(result), Console(width=200)
    assert "The machine was busy: figures with \N{DAGGER} are not to be trusted." in headline(result)
    assert said in page and "5.00 ms</b> \N{DAGGER}" in page and "2.02) \N{DAGGER}" in page
    assert said in text and "| pruned | 5.00 \N{DAGGER} |" in text and "5.50 \N{DAGGER}" in text
    with shown.capture() as printed:
        shown.print(bench_table(result))
    assert said in printed.get() and "10.0 \N{DAGGER}" in printed.get()


def test_a_mark_stands_at_its_own_figures_only() -> None:
    result = bench_result()
    result["engines"][0]["marks"] = ["states disagree"]
    text = bench_markdown(result)
    assert "- dense: states disagree" in text
    assert "| dense | 10.0 \N{DAGGER} |" in text and "| pruned | 5.00 |" in text
    result = bench_result()
    result["ratios"][0]["marks"] = ["states disagree"]
    text = bench_markdown(result)
    assert "- pruned against dense: states disagree" in text
    assert text.count("\N{DAGGER}") == 2 and "2.02) \N{DAGGER}" in text
    assert "\N{DAGGER}" not in bench_markdown(bench_result()) + bench_html(bench_result())


def test_formats_by_ending(tmp_path: Path) -> None:
    result = bench_result()
    for name in ("b.html", "b.md", "b.json"):
        write_bench(result, tmp_path / name)
    assert json.loads((tmp_path / "b.json").read_text()) == result
    with pytest.raises(ConfigurationError, match=r"permitted: \.html, \.md, \.json"):
        write_bench(result, tmp_path / "b.txt")
