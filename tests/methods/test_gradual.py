from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from compresskit.methods.criteria import Fisher, Magnitude
from compresskit.methods.gradual import Gradual
from compresskit.supernet.importance import magnitude_importance
from tests.contracts.method import Explored, MethodContract, make_context


class TestMagnitude(MethodContract):
    name = "magnitude"


class TestFisher(MethodContract):
    name = "fisher"

    def test_each_size_lies_within_the_one_before(self, explored: Explored) -> None:
        records = explored.records
        for larger, smaller in pairwise(records):
            for before, after in zip(
                larger.candidate.architecture.layers, smaller.candidate.architecture.layers, strict=True
            ):
                assert after.heads.count <= before.heads.count
                assert after.units.count <= before.units.count


def test_a_path_goes_down_by_steps_each_within_the_one_before(tmp_path: Path) -> None:
    context = make_context(tmp_path / "run", "magnitude", 3)
    full = context.evaluator.supernet.full
    scores = magnitude_importance(context.dense, context.blueprint)
    path = Gradual(Magnitude()).path(context, scores, full, 0.5)
    macs = [context.macs(kept) / context.full_macs for kept in (full, *path)]
    assert len(path) == 7  # 0.9 ** 7 is just below a half
    assert macs == sorted(macs, reverse=True)
    assert 0.45 < macs[-1] <= 0.5
    for before, after in zip([full, *path], path, strict=False):
        for wide, narrow in zip(before.layers, after.layers, strict=True):
            assert narrow.heads.mask & ~wide.heads.mask == 0
            assert narrow.units.mask & ~wide.units.mask == 0


def test_scoring_never_takes_more_than_its_share_of_the_budget(tmp_path: Path) -> None:
    context = make_context(tmp_path / "run", "fisher", 3)
    gradual, full = Gradual(Fisher()), context.evaluator.supernet.full
    rows = gradual.rows(context, full, 10.0)
    assert Fisher().cost(context, full, rows) <= 2.0
    assert gradual.rows(context, full, 1e6) == 512
    assert gradual.rows(context, full, 0.1) == context.settings.batch_size
