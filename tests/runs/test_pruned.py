from __future__ import annotations

from pathlib import Path

import pytest

from compresskit.errors import RunError
from compresskit.runs.directory import RunDirectory
from compresskit.runs.pruned import bulk_of, check_prunable, check_whole, prune, size_of
from compresskit.runs.tested import OnTest, write_tested
from tests.report.runs import write_run


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    path = write_run(tmp_path / "run")
    for name in ("supernet/model", "supernet/dense_model", "points/3"):
        (path / name).mkdir(parents=True)
        (path / name / "model.safetensors").write_bytes(bytes(1000))
    (path / "supernet" / "scores.npz").write_bytes(bytes(10))
    return RunDirectory.open(path)


def tested(run: RunDirectory) -> None:
    write_tested(run.path, OnTest(0, "", 0.8, (0.7, 0.9), 100, "ONNX Runtime"))


def test_networks_go_and_the_rest_stays(run: RunDirectory) -> None:
    tested(run)
    check_prunable(run)
    assert sum(map(size_of, bulk_of(run))) == 3010
    assert prune(run) == 3010
    assert [path.name for path in run.supernet.iterdir()] == ["progress.jsonl"]
    assert not (run.path / "points").exists()
    again = RunDirectory.open(run.path)
    assert len(again.front().points) == 2
    assert len(again.trials()) == 3
    assert bulk_of(again) == []
    with pytest.raises(RunError, match=r"were deleted by `compresskit runs prune` \(20\d\d-.*Search again"):
        check_whole(again)


def test_a_run_is_whole_until_then(run: RunDirectory) -> None:
    check_whole(run)


def test_a_search_that_has_not_ended_keeps_its_networks(run: RunDirectory) -> None:
    tested(run)
    run.update(status="searching")
    with pytest.raises(RunError, match="has not ended"):
        check_prunable(run, force=True)


def test_without_an_exported_point_it_has_to_be_forced(run: RunDirectory) -> None:
    with pytest.raises(RunError, match="no point of .* was exported"):
        check_prunable(run)
    check_prunable(run, force=True)
