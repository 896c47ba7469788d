"""What the dense model says of validation rows, kept in a run and compared with every candidate."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from compresskit.pipeline.search import search
from compresskit.pipeline.store.dense_predictions import ANSWERS_FILE, Answered, DenseAnswers
from compresskit.runs import RunDirectory
from compresskit.searchers.objectives import worth, worth_of


def test_answers_are_read_as_they_were_written(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", {})
    assert DenseAnswers.of(run) is None
    kept = DenseAnswers(Answered(np.arange(5), 0.8), Answered(np.asarray([1, 0]), 0.5))
    kept.save(run.supernet)
    run.update(dense_metric=0.8, dense_search_metric=0.5)
    found = DenseAnswers.of(run)
    assert found is not None
    assert found.validation.answers.tolist() == [0, 1, 2, 3, 4]
    assert found.search.answers.tolist() == [1, 0]
    assert (found.validation.metric, found.search.metric) == (0.8, 0.5)


def test_a_run_keeps_them_and_candidates_are_held_to_them(run: Path) -> None:
    opened = RunDirectory.open(run)
    answers = DenseAnswers.of(opened)
    assert answers is not None
    assert len(answers.validation.answers) >= len(answers.search.answers) > 0
    assert answers.validation.metric == opened.info["dense_metric"]
    front = opened.front()
    assert front.dense is not None
    assert front.dense.fidelity == 1
    assert all(0 <= (record.fidelity or -1) <= 1 for record in opened.trials())
    found = [worth_of(point) or 0.0 for point in front.points]
    assert found == sorted(found)
    for point in front.points:
        assert point.metric is not None
        assert point.fidelity is not None
        assert point.worth == worth(point.metric, point.fidelity, answers.validation.metric)


def test_a_run_that_is_older_than_them_is_gone_on_with(run: Path, tmp_path: Path) -> None:
    older = shutil.copytree(run, tmp_path / "run")
    (RunDirectory.open(older).supernet / ANSWERS_FILE).unlink()
    front = search(None, older, resume=True, changes={"trials": 8})
    assert RunDirectory.open(older).trials()[-1].fidelity is None
    assert all(point.fidelity is None for point in front.points)
    assert front.dense is not None
    assert front.dense.fidelity is None


def test_a_search_from_a_run_takes_them_over(run: Path, tmp_path: Path) -> None:
    search(None, tmp_path / "run", start_from=run, changes={"trials": 3})
    mine, its = (DenseAnswers.of(RunDirectory.open(path)) for path in (tmp_path / "run", run))
    assert mine is not None
    assert its is not None
    np.testing.assert_array_equal(mine.validation.answers, its.validation.answers)
    fidelity = [
        [record.fidelity for record in RunDirectory.open(path).trials()] for path in (tmp_path / "run", run)
    ]
    assert fidelity[0] == fidelity[1][:3] == pytest.approx(fidelity[0])
