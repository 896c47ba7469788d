"""Test figures of exported points, beside the front of their run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compresskit.errors import RunError
from compresskit.runs import RunDirectory
from compresskit.runs.tested import TESTS, OnTest, read_tested, write_tested
from tests.report.runs import write_run

DENSE = OnTest(None, "", 0.91, (0.89, 0.93), 1821, "ONNX Runtime")
POINT = OnTest(0, "", 0.9, (0.88, 0.92), 1821, "ONNX Runtime", 0.91, (-0.02, 0.001))


def test_the_front_has_them_as_soon_as_they_exist(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    assert [point.test for point in RunDirectory.open(run).front().points] == [None, None]
    write_tested(run, DENSE)
    write_tested(run, POINT)
    front = RunDirectory.open(run).front()
    assert [point.test for point in front.points] == [POINT, None]
    assert front.dense is not None and front.dense.test == DENSE


def test_the_point_as_it_is_goes_before_engines_of_it(tmp_path: Path) -> None:
    write_tested(tmp_path, replace(POINT, changed="int8, 2 epochs", metric=0.7))
    assert read_tested(tmp_path)[0].changed == "int8, 2 epochs"
    write_tested(tmp_path, POINT)
    write_tested(tmp_path, replace(POINT, changed="zoned"))
    assert read_tested(tmp_path) == {0: POINT}
    write_tested(tmp_path, replace(POINT, metric=0.8))
    assert read_tested(tmp_path)[0].metric == 0.8


def test_a_run_that_is_begun_anew_has_none(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    write_tested(run, DENSE)
    with RunDirectory.create(run, {}, force=True):
        assert read_tested(run) == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trial_id": 0}', '{"other": 1}'])
def test_damage_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / TESTS).mkdir()
    (tmp_path / TESTS / "trial-0.json").write_text(text)
    with pytest.raises(RunError, match=r"trial-0.json is damaged.*export the point again"):
        read_tested(tmp_path)
