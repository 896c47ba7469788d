from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.front.cells import Results
from benchmarks.front.kept import keep, read_kept
from benchmarks.front.plots import plot_compute, plot_task
from benchmarks.front.tables import compute_table, main_table, retention_table, size_table
from benchmarks.results import to_lines, without_folders

LABELS = np.arange(200) % 2
PLACES = [
    f"{task}-{seed}-1/{method}" for seed in (0, 1) for task in ("one", "two") for method in ("nas", "old")
]


def write_cell(work: Path, name: str, accuracies: tuple[float, float]) -> None:
    """Two engines, 2 and 5 times as fast as dense, right on the first so many rows; dense on nine tenths."""
    place, _, method = name.partition("/")
    task, seed, scale = place.rsplit("-", 2)

    def right(share: float) -> Any:
        return np.eye(2)[np.where(np.arange(200) < 200 * share, LABELS, 1 - LABELS)]

    points: list[dict[str, Any]] = [
        {
            "engine": f"point-{i}",
            "metric": accuracy,
            **({} if method == "old" else {"worth": accuracy}),
            "test_metric": accuracy,
            "latency_ms": 10 / speedup,
            "speedup": speedup,
            "num_params": params,
        }
        for i, (accuracy, speedup, params) in enumerate(zip(accuracies, (2.0, 5.0), (80, 60), strict=True))
    ]
    cell = {
        "task": task,
        "seed": int(seed),
        "scale": float(scale),
        "method": method,
        "settings": {"model": "somewhere"},
        "dense_engine": "somewhere",
        "metric_name": "accuracy",
        "prior": 0.5,
        "dense_test_metric": 0.9,
        "dense_params": 100,
        "dense_latency_ms": 10.0,
        "points": points,
        "full_steps": {"dense": 30, "training": 60, "search": 10},
        "seconds": {"dense": 60.0, "search": 120.0},
        "processor": "a processor",
    }
    folder = work / name
    folder.mkdir(parents=True)
    (folder / "cell.json").write_text(json.dumps(cell))
    engines: dict[str, Any] = {point["engine"]: right(point["test_metric"]) for point in points}
    np.savez_compressed(folder / "predictions.npz", labels=LABELS, constant=1, dense=right(0.9), **engines)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Everything but `old` on the second seed of task `two`."""
    for name in PLACES[:-1]:
        write_cell(tmp_path, name, (0.9, 0.85) if name.endswith("nas") else (0.7, 0.6))
    return Results.read(tmp_path, PLACES)


def test_what_was_not_run_is_listed(results: Results) -> None:
    assert results.not_run() == ["two-1-1/old"]
    assert results.tasks == ["one", "two"]
    assert results.methods == ["nas", "old"]
    assert results.seeds("two", "nas", "old") == [0]


def test_cells_of_before_fidelity_are_named(results: Results) -> None:
    assert results.without_fidelity() == ["one-0-1/old", "two-0-1/old", "one-1-1/old"]


def test_main_table_has_areas_and_verdicts(results: Results) -> None:
    head, nas, old = main_table(results, "nas")
    assert head == ["method", "one", "two", "one, quantile", "two, quantile"]
    area = np.log(2) + (np.log(5) - np.log(2)) * 0.875
    assert nas[1] == f"{area:.3f}"
    assert "(win +" in old[1]
    assert float(nas[3]) > float(old[3])


def test_a_method_that_was_never_run_is_said_so(tmp_path: Path) -> None:
    write_cell(tmp_path, PLACES[0], (0.9, 0.8))
    found = Results.read(tmp_path, PLACES[:2])
    assert main_table(found, "nas")[2] == ["old", "not run", ""]


def test_speed_size_and_compute_tables(results: Results) -> None:
    speed = retention_table(results)
    assert speed[0][:4] == ["method", "one 2x", "one 4x", "one 8x"]
    assert speed[1][:4] == ["nas", "100.0 %", "94.4 %", ""]
    sizes = size_table(results)
    assert sizes[1][:2] == ["one", "nas"]
    assert (sizes[1][2], sizes[1][-1]) == ("0.850", "0.900")
    compute = compute_table(results)
    assert compute[1][3:] == ["30", "60", "10", "1.0", "2.0", "0.0", "0.0"]


def written(results: Results, path: Path) -> str:
    """The JSON beside the tables."""
    text = to_lines(without_folders({"cells": keep(results, path)}))
    path.with_suffix(".json").write_text(text)
    return text


def test_kept_cells_say_nothing_of_this_machine_and_make_the_same_tables(
    results: Results, tmp_path: Path
) -> None:
    assert "somewhere" not in written(results, tmp_path / "kept")
    kept = read_kept(tmp_path / "kept")
    assert len(kept.cells) == 7
    again = Results.read(tmp_path / "empty", PLACES, kept)
    assert main_table(again, "nas") == main_table(results, "nas")
    assert again.to_json() == results.to_json()
    assert again.to_json()["one-0-1/nas"] > 1


def test_new_cells_go_before_kept_ones(results: Results, tmp_path: Path) -> None:
    written(results, tmp_path / "kept")
    write_cell(tmp_path / "new", PLACES[0], (0.8, 0.7))
    again = Results.read(tmp_path / "new", PLACES, read_kept(tmp_path / "kept"))
    assert again.to_json()[PLACES[0]] < results.to_json()[PLACES[0]]
    assert again.to_json()[PLACES[1]] == results.to_json()[PLACES[1]]


def test_methods_of_a_seed_share_their_labels(results: Results, tmp_path: Path) -> None:
    write_cell(tmp_path, PLACES[-1], (0.7, 0.6))
    found = Results.read(tmp_path, PLACES)
    found.predictions["two", 1, 1.0, "old"]["labels"][:3] = 7
    with pytest.raises(ValueError, match="two-1-1/old: its labels differ"):
        keep(found, tmp_path / "kept")


def test_nothing_is_kept_where_there_is_no_file(tmp_path: Path) -> None:
    assert not read_kept(tmp_path / "none").cells


def test_processors_are_those_of_a_task(results: Results) -> None:
    assert results.processors == {"one": ["a processor"], "two": ["a processor"]}


def test_pictures_are_drawn(results: Results, tmp_path: Path) -> None:
    plot_task(results, "one", tmp_path / "one.png")
    plot_compute(results, tmp_path / "compute.png")
    for name in ("one", "compute"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
