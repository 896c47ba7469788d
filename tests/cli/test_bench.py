"""`compresskit bench` and `compresskit report`: what they print, and how they end."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest

from compresskit.cli.app import status
from compresskit.pipeline import bench as module
from compresskit.pipeline.benching.result import BenchResult, EngineResult
from compresskit.report import write_report
from compresskit.target.comparison_result import Ratio
from tests.report.runs import write_run


def engine(path: str, median_ms: float, is_baseline: bool) -> EngineResult:
    return EngineResult(
        path,
        is_baseline=is_baseline,
        sha256="0",
        median_ms=median_ms,
        p95_ms=median_ms + 1,
        p99_ms=None,
        ci_ms=(median_ms - 0.1, median_ms + 0.1),
        samples_ms=(median_ms,) * 3,
        throughput_per_s=100.0,
        first_run_ms=1.0,
        peak_memory_bytes=None,
        size_bytes=1000,
    )


def measured_as(monkeypatch: pytest.MonkeyPatch, *marks: str) -> None:
    result = BenchResult(
        (engine("dense", 8.0, True), engine("pruned", 4.0, False)),
        (Ratio("pruned", "dense", 2.0, (1.9, 2.1)),),
        {"name": "p", "key": "k"},
        {"onnxruntime": "1"},
        ("noisy",),
        ("dense: slower.",),
        marks,
    )
    monkeypatch.setattr(module, "bench", lambda *args, **options: result)


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    measured_as(monkeypatch)


def test_stdout_is_the_table_and_stderr_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["bench", "dense", "pruned"]) == 0
    printed = capsys.readouterr()
    assert "2.00\N{MULTIPLICATION SIGN} (1.90\N{EN DASH}2.10)" in printed.out
    assert "noisy" not in printed.out
    assert printed.err.splitlines() == ["warning: noisy", "dense: slower."]


def test_json_is_all_of_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["bench", "dense", "pruned", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    latency = value["engines"][1]["latency_ms"]
    assert {name: latency[name] for name in ("p50", "p95", "p99", "ci")} == {
        "p50": 4.0,
        "p95": 5.0,
        "p99": None,
        "ci": [3.9, 4.1],
    }
    assert value["ratios"][0]["speedup"] == 2.0


@pytest.mark.parametrize(
    ("condition", "code"),
    [("latency_ms.p95 > 4.9", 3), ("latency_ms.p95 > 5", 0), ("speedup < 2.5", 3), ("nonsense", 1)],
)
def test_conditions_end_with_three(condition: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        status(["bench", "dense", "pruned", "--fail-if", "size_bytes > 1e9", "--fail-if", condition]) == code
    )
    printed = capsys.readouterr()
    assert ("failed: " in printed.err) == (code == 3)
    assert ("pruned" in printed.out) == (code != 1)  # the result is shown even when a condition fails


@pytest.mark.parametrize(
    ("condition", "marks", "options", "code"),
    [
        ("speedup < 2.05", (), [], 4),
        ("speedup < 1.95", (), [], 4),
        ("speedup < 1.95", (), ["--allow-busy"], 0),
        ("speedup < 2.05", (), ["--allow-busy"], 3),
        ("speedup < 1.5", ("others took 31 %",), [], 4),
        ("speedup < 1.5", ("others took 31 %",), ["--allow-busy"], 0),
        ("size_bytes > 999", ("others took 31 %",), [], 3),
        ("size_bytes > 1000", ("others took 31 %",), [], 0),
    ],
)
def test_what_is_not_decided_ends_with_four(
    condition: str,
    marks: tuple[str, ...],
    options: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured_as(monkeypatch, *marks)
    assert status(["bench", "dense", "pruned", "--fail-if", condition, *options]) == code
    printed = capsys.readouterr()
    assert ("not decided: " in printed.err) == ("--allow-busy" in printed.err) == (code == 4)
    assert ("not to be trusted: all figures: others took 31 %" in printed.err) == bool(marks)
    assert ("\N{DAGGER}" in printed.out) == bool(marks)


def test_a_failure_that_is_certain_goes_before_what_is_not_decided(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["--fail-if", "speedup < 2.05", "--fail-if", "size_bytes > 999"]
    assert status(["bench", "dense", "pruned", *asked]) == 3
    printed = capsys.readouterr().err
    assert "failed: pruned: size_bytes" in printed and "not decided: pruned against dense: speedup" in printed


def test_report_prints_verdict_and_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run")
    assert status(["report", str(run)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Pruning helps on this device")
    assert printed.out.splitlines()[-1] == str(run / "report.html")
    assert "warning: the clock is throttled" in printed.err
    assert status(["report", str(run), "--output", str(tmp_path / "r.md"), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["path"], value["verdict"]["kind"], value["idx"]) == (str(tmp_path / "r.md"), "helps", 0)


def test_report_of_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["report", str(tmp_path)]) == 1
    assert "is not a run" in capsys.readouterr().err


def test_pareto_and_report_have_one_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run")
    assert status(["pareto", str(run)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert status(["pareto", str(run), "--json"]) == 0
    front = json.loads(capsys.readouterr().out)
    assert status(["report", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == front["verdict"]
    markdown = write_report(run, tmp_path / "r.md").read_text()
    for text in (front["verdict"]["headline"], front["verdict"]["detail"]):
        assert text in shown
        assert text in unescape(write_report(run).read_text()).replace("\N{NO-BREAK SPACE}", " ")
        assert text in markdown
    assert front["points"][0]["rows"] == 2_000
    assert front["verdict"]["idx"] == 0


def test_a_front_that_is_older_than_intervals_is_shown_and_not_praised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run")
    older = json.loads((run / "pareto.json").read_text())
    for point in (*older["points"], older["dense"]):
        for later in ("rows", "metric_ci", "difference_ci", "speedup", "speedup_ci", "marks", "test"):
            del point[later]
    (run / "pareto.json").write_text(json.dumps(older))
    assert status(["pareto", str(run)]) == 0
    printed = capsys.readouterr().out
    assert "89.50" in printed
    assert "Not decided: how well the loss is known was not recorded." in printed
