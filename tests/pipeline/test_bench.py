"""Bench from engine files to results and reports; the measuring itself is tested with the target."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.bundle import load_engine
from compresskit.display import SILENT, Display
from compresskit.errors import CompresskitError, ConfigurationError, DataError, EngineError
from compresskit.pipeline import bench as module
from compresskit.pipeline.bench import bench
from compresskit.target.comparison_result import Comparison, EngineMeasurement, Ratio
from compresskit.target.decide import Limit
from compresskit.target.profile import Profile
from compresskit.target.reference_level import Level
from compresskit.target.runner import EngineToMeasure
from tests.pipeline.tiny import QUICK, write_engine, write_graph
from tests.report.runs import HALF

asked_levels: list[Level | None] = []


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write_graph(tmp_path / "a.onnx"), write_graph(tmp_path / "b.onnx", seed=1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replaces measuring; holds what was asked of it. The first engine takes 4 ms, the others 2 ms."""
    calls: list[Any] = []

    def compare(
        engines: Sequence[EngineToMeasure],
        profile: Profile,
        baseline: str | None,
        level: Level | None = None,
        limits: Sequence[Limit] = (),
        display: Display = SILENT,
    ) -> Comparison:
        assert not limits
        asked_levels.append(level)
        calls.append((engines, profile, baseline))
        found = tuple(
            EngineMeasurement(
                name=engine.name,
                samples_ms=(2.0 if place else 4.0,) * 80,
                median_ms=2.0 if place else 4.0,
                ci_ms=(1.9, 2.1) if place else (3.9, 4.1),
                p95_ms=2.5,
                p99_ms=None,
                throughput_per_s=500.0,
                first_run_ms=9.0,
                peak_memory_bytes=None,
                size_bytes=engine.size_bytes or 0,
                corrected_ms=None if level is None else level.level_ms,
                corrected_ci_ms=None if level is None else (0.99 * level.level_ms, 1.01 * level.level_ms),
            )
            for place, engine in enumerate(engines)
        )
        against = baseline or engines[0].name
        ratios = tuple(Ratio(e.name, against, 2.0, (1.9, 2.1)) for e in engines if e.name != against)
        return Comparison(found, ratios, {"onnxruntime": "1"}, ("noisy",))

    monkeypatch.setattr(module, "compare", compare)
    return calls


def test_two_files_are_measured_for_real(files: tuple[Path, Path]) -> None:
    result = bench(files, profile=QUICK).to_json()
    first, second = result["engines"]
    assert [first["path"], second["path"]] == [str(path) for path in files]
    assert (first["is_baseline"], second["is_baseline"]) == (True, False)
    low, high = second["latency_ms"]["ci"]
    assert 0 < low <= second["latency_ms"]["p50"] <= high
    assert first["size_bytes"] == files[0].stat().st_size
    assert first["metric"] is None and first["num_params"] is None
    (ratio,) = result["ratios"]
    assert (ratio["engine"], ratio["baseline"]) == (second["path"], first["path"])
    assert ratio["ci"][0] <= ratio["speedup"] <= ratio["ci"][1]
    json.dumps(result, allow_nan=False)


def test_a_baseline_that_was_not_listed_is_measured_too(files: tuple[Path, Path], asked: list[Any]) -> None:
    result = bench([files[0]], baseline=files[1], profile=QUICK)
    assert [engine.name for engine in result.engines] == [str(files[1]), str(files[0])]
    assert [engine.is_baseline for engine in result.engines] == [True, False]
    assert asked[0][2] == str(files[1])


def test_one_engine_alone_has_no_baseline(files: tuple[Path, Path], asked: list[Any]) -> None:
    result = bench([files[0]], profile=QUICK)
    assert not result.engines[0].is_baseline and not result.ratios


def test_weights_beside_the_graph_count_in_its_size(files: tuple[Path, Path], asked: list[Any]) -> None:
    Path(f"{files[0]}.data").write_bytes(b"x" * 1000)
    assert bench([files[0]], profile=QUICK).engines[0].size_bytes == files[0].stat().st_size + 1000


def test_without_a_profile_bare_files_run_on_one_cpu_thread(
    files: tuple[Path, Path], asked: list[Any]
) -> None:
    assert bench([files[0]]).profile["name"] == "cpu-1-thread"


def test_reports_and_history(files: tuple[Path, Path], asked: list[Any], tmp_path: Path) -> None:
    reports = [tmp_path / name for name in ("b.html", "b.md", "b.json")]
    history = tmp_path / "history.jsonl"
    first = bench(files, profile=QUICK, report=reports, history=history)
    assert first.changes == ()
    stored = json.loads(reports[2].read_text())
    assert len(stored["engines"][0]["samples_ms"]) == 80
    assert {key: stored[key] for key in ("ratios", "warnings")} == {
        key: first.to_json()[key] for key in ("ratios", "warnings")
    }
    assert "as fast as a.onnx" in reports[0].read_text()
    write_graph(files[1], seed=2)
    second = bench(files, profile=QUICK, history=history)
    assert len(second.changes) == 2
    assert "no change shown." in second.changes[0] and "the file is another one" in second.changes[1]


def test_data_does_not_score_a_bare_file(files: tuple[Path, Path], asked: list[Any], tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("text,label\nx,1\n")
    result = bench([files[0]], profile=QUICK, dataset=tmp_path / "d.csv")
    assert result.engines[0].metric is None
    assert any("without a tokenizer: it was not scored" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("names", "options", "kind", "message"),
    [
        (["absent.onnx"], {}, EngineError, "does not exist"),
        (["notes.txt"], {}, EngineError, "neither an engine folder nor an .onnx file"),
        (["a.onnx", "a.onnx"], {}, ConfigurationError, "given twice"),
        ([], {}, ConfigurationError, "one engine or more"),
        (["a.onnx"], {"report": ["b.pdf"]}, ConfigurationError, r"permitted: \.html"),
        (["a.onnx"], {"profile": "warp-drive"}, ConfigurationError, "permitted: .*cpu-1-thread"),
        (["a.onnx"], {"dataset": "absent"}, DataError, "does not exist"),
    ],
)
def test_bad_input_ends_before_anything_is_measured(
    files: tuple[Path, Path],
    asked: list[Any],
    tmp_path: Path,
    names: list[str],
    options: dict[str, Any],
    kind: type[CompresskitError],
    message: str,
) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(kind, match=message):
        bench([tmp_path / name for name in names], **options)
    assert not asked


def test_an_engine_folder_brings_profile_figures_and_score(asked: list[Any], tmp_path: Path) -> None:
    folder = write_engine(tmp_path / "engine")
    guesses = load_engine(folder).predict(["good", "bad bad", "good bad"]).argmax(axis=1)
    names = ("bad", "good")
    rows = ["good,good", f"bad bad,{names[guesses[1]]}", f"good bad,{names[1 - guesses[2]]}"]
    (tmp_path / "d.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    result = bench([folder], dataset=tmp_path / "d.csv")
    (engine,) = result.engines
    assert result.profile["name"] == "quick"
    assert (engine.num_params, engine.macs, engine.signature) == (11, 22, HALF.signature)
    assert engine.metric_name == "accuracy"
    assert engine.metric == pytest.approx(((guesses[0] == 1) + 1) / 3)
    assert engine.metric is not None and engine.metric_ci is not None
    assert engine.metric_ci[0] < engine.metric < engine.metric_ci[1]
    assert (engine.rows, engine.difference_ci) == (3, None)
    assert asked[0][0][0].model == folder / "onnx" / "model.onnx"


def test_scores_are_paired_with_those_of_the_baseline(asked: list[Any], tmp_path: Path) -> None:
    """Two engines that answer alike differ by nothing, but for what so few rows cannot tell."""
    folders = [write_engine(tmp_path / name) for name in ("one", "two")]
    texts = ["good", "bad bad", "good bad", "bad good good"] * 10
    names = ("bad", "good")
    said = load_engine(folders[0]).predict(texts).argmax(axis=1)
    rows = [
        f"{text} {i},{names[1 - guess if i < 4 else guess]}"
        for i, (text, guess) in enumerate(zip(texts, said, strict=True))
    ]
    (tmp_path / "d.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    first, second = bench(folders, baseline=folders[0], dataset=tmp_path / "d.csv").to_json()["engines"]
    assert first["difference_ci"] is None and first["rows"] == 40
    low, high = second["difference_ci"]
    assert -3 / 40 <= low < 0 < high <= 3 / 40
    assert second["metric_ci"] == first["metric_ci"]
    assert second["metric_ci"][0] < second["metric"] < second["metric_ci"][1]


def test_an_engine_is_measured_with_its_own_session(asked: list[Any], tmp_path: Path) -> None:
    settings = {"options": {"a": "b"}, "optimization_level": "basic"}
    bench([write_engine(tmp_path / "engine", session=settings)])
    session = asked[0][0][0].session
    assert session.to_json() == settings


@pytest.mark.parametrize(("recorded", "said"), [(5.2, False), (4.0, True)])
def test_what_search_recorded_is_compared_with(
    asked: list[Any], tmp_path: Path, recorded: float, said: bool
) -> None:
    lineage = {"latency_ms": recorded, "reference_level_ms": 5.0, "conditions": "key", "profile": None}
    result = bench([write_engine(tmp_path / "engine", lineage=lineage)], profile=QUICK)
    assert asked_levels[-1] == Level(5.0, "key")
    latency = result.to_json()["engines"][0]["latency_ms"]
    assert (latency["recorded"], latency["corrected"]) == (recorded, 5.0)
    warned = [text for text in result.warnings if "search measured 4.000 ms, this bench 5.000 ms" in text]
    assert bool(warned) == said


class FarDevice:
    """Stands for a device behind an agent: measures nothing, and answers label 1 for every row."""

    def __init__(self, profile: Profile, say: Any) -> None:
        self.profile = profile
        self.seen: list[Any] = []
        devices.append(self)

    def __enter__(self) -> FarDevice:
        return self

    def __exit__(self, *error: object) -> None:
        self.seen.append("closed")

    def conditions(self) -> dict[str, Any]:
        return {"onnxruntime": "1.20.1"}

    def compare(
        self, engines: Sequence[EngineToMeasure], baseline: str | None, *, limits: Sequence[Limit]
    ) -> Comparison:
        assert not limits
        self.seen.append(("compare", baseline))
        return vars(module)["compare"](engines, self.profile, baseline)  # type: ignore[no-any-return]

    def logits(self, model: Path, rows: Sequence[Any], **options: Any) -> Any:
        self.seen.append(
            ("logits", model.name, [row["input_ids"] for row in rows], options["inputs"].inputs[0].padding)
        )
        return np.array([[0.0, 1.0]] * len(rows))


devices: list[FarDevice] = []


def test_a_profile_with_an_address_measures_and_scores_there(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compresskit.pipeline.bench.RemoteBench", FarDevice)
    (tmp_path / "d.csv").write_text("text,label\ngood,good\nbad good,bad\n")
    far = QUICK.with_(address="https://far:1")
    result = bench([write_engine(tmp_path / "engine")], profile=far, dataset=tmp_path / "d.csv")
    assert result.engines[0].metric == 0.5
    assert devices[-1].seen == [
        ("compare", None), ("logits", "model.onnx", [[2], [1, 2]], 0), "closed",
    ]  # fmt: skip


def test_an_engine_that_the_device_answers_wrongly_is_not_measured(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compresskit.pipeline.bench.RemoteBench", FarDevice)
    folder = write_engine(tmp_path / "engine", runtime={"onnxruntime": "1.21.1"})
    with pytest.raises(EngineError, match=r"engine needs onnxruntime 1\.21\.1 or later, this is 1\.20\.1"):
        bench([folder], profile=QUICK.with_(address="https://far:1"))
    assert devices[-1].seen == ["closed"]


def test_a_damaged_engine_is_named(asked: list[Any], tmp_path: Path) -> None:
    folder = write_engine(tmp_path / "engine")
    with (folder / "onnx" / "model.onnx").open("ab") as model:
        model.write(b"x")
    with pytest.raises(EngineError, match=r"model\.onnx is damaged"):
        bench([folder])
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="is not an engine"):
        bench([tmp_path / "empty"])
    assert not asked
