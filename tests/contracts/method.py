"""What every method but `nas` promises. A test class per method subclasses `MethodContract`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch

from compresskit.architecture import Candidate
from compresskit.display import SILENT
from compresskit.methods.base import MethodContext
from compresskit.methods.registry import make_method
from compresskit.pipeline.evaluation.evaluator import Evaluator
from compresskit.pipeline.evaluation.latency_record import CandidateLatency
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.models import load_model
from compresskit.pipeline.training.time_estimate import TimedDisplay
from compresskit.runs import RunDirectory, TrialRecord
from compresskit.searchers import make_objectives
from compresskit.spaces import make_space
from compresskit.supernet.network import SuperNetwork
from compresskit.training import recipe
from compresskit.training.stages import Stage, quick_score
from tests.pipeline.tiny import QUICK
from tests.training.make import make_model, make_task

FULL_STEPS = 30.0


class AdditiveMeter:
    """Each layer takes 1 ms, each head 1 ms and each unit 0.1 ms; `stop_at` interrupts a measurement."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self.measured = 0
        self.stop_at: int | None = None

    def measure(self, candidate: Candidate) -> CandidateLatency:
        self.measured += 1
        if self.measured == self.stop_at:
            raise KeyboardInterrupt
        ms = sum(1 + heads + 0.1 * units for heads, units in candidate.architecture.shapes)
        return CandidateLatency(ms, (0.9 * ms, 1.1 * ms), 1)


@dataclass
class Explored:
    """A finished exploration, and the dense weights as they were before it."""

    context: MethodContext
    records: list[TrialRecord]
    before: dict[str, torch.Tensor]
    measured: int

    @property
    def spent(self) -> dict[str, float]:
        spent: dict[str, float] = self.context.run.info["full_steps"]
        return spent


def make_context(folder: Path, method: str, trials: int, **changes: Any) -> MethodContext:
    """A small dense model with a task; the run in `folder` is gone on with where there is one."""
    task, supernet = make_task(), SuperNetwork(make_model())
    values: dict[str, Any] = {"batch_size": 16, "unit_multiple": 4, "learning_rate": 1e-3, **changes}
    settings = SearchSettings("model", "data", "profile", method=method, trials=trials, **values)
    stored = {**settings.to_json(), "profile": QUICK.to_json()}
    resume = (folder / "run.json").exists()
    run = RunDirectory.open(folder) if resume else RunDirectory.create(folder, stored)
    run.close()
    space = make_space("small", supernet.blueprint.dims, unit_multiple=4)
    objectives = make_objectives(settings.objectives)
    inputs: Any = SimpleNamespace(task=task, profile=QUICK, space=space, objectives=objectives)
    display = TimedDisplay(SILENT)
    stage = Stage(task, run.supernet, display, resume)
    meter: Any = AdditiveMeter(run)
    evaluator = Evaluator(supernet, stage, meter, QUICK, {})
    return MethodContext(run, settings, inputs, stage, display, supernet.model, evaluator, FULL_STEPS)


def explore(context: MethodContext) -> Explored:
    before = {name: value.clone() for name, value in context.dense.state_dict().items()}
    records = make_method(context.settings.method).explore(context)
    meter: Any = context.evaluator.meter
    return Explored(context, records, before, meter.measured)


_DONE: dict[str, Explored] = {}


class MethodContract:
    """Subclasses name the method. `trained`: whether it spends its budget on training."""

    name: ClassVar[str]
    trials: ClassVar[int] = 3
    trained: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def float32(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recipe, "has_fast_bf16", lambda: False)

    @pytest.fixture
    def explored(self, float32: None, tmp_path_factory: pytest.TempPathFactory) -> Explored:
        """The method run to its end, once for all tests."""
        if self.name not in _DONE:
            folder = tmp_path_factory.mktemp("methods") / self.name
            _DONE[self.name] = explore(make_context(folder, self.name, self.trials))
        return _DONE[self.name]

    def test_trials_are_recorded_in_order_with_weights_of_their_own(self, explored: Explored) -> None:
        assert [record.trial_id for record in explored.records] == list(range(self.trials))
        assert explored.context.run.trials() == explored.records
        for record in explored.records:
            assert record.is_completed
            assert record.weights == f"points/{record.trial_id}"

    def test_architectures_fit_and_get_smaller(self, explored: Explored) -> None:
        context = explored.context
        for record in explored.records:
            record.candidate.architecture.check(context.blueprint.dims)
        macs = [context.full_macs, *(record.macs or 0 for record in explored.records)]
        assert macs == sorted(macs, reverse=True)
        assert macs[1] < macs[0]
        assert macs[-1] < macs[1]

    def test_sizes_keep_their_budget(self, explored: Explored) -> None:
        full = explored.context.full_macs
        for record in explored.records:
            share = (record.config or {}).get("share_of_macs", 1.0)
            assert (record.macs or 0) <= share * full * (1 + 1e-9)

    def test_the_budget_of_training_is_spent_and_written_down(self, explored: Explored) -> None:
        total = sum(explored.spent.values())
        if self.trained:
            assert total == pytest.approx(FULL_STEPS, rel=0.1)
        else:
            assert 0 < total < FULL_STEPS
        assert (explored.context.run.supernet / "progress.jsonl").exists() == self.trained

    def test_the_dense_model_is_untouched(self, explored: Explored) -> None:
        after = explored.context.dense.state_dict()
        for name, value in explored.before.items():
            torch.testing.assert_close(after[name], value, rtol=0, atol=0)

    def test_a_metric_is_that_of_the_points_own_weights(self, explored: Explored) -> None:
        stage = explored.context.stage
        for record in explored.records:
            model = load_model(explored.context.run.path / str(record.weights))
            found = quick_score(SuperNetwork(model), stage, record.candidate.architecture)
            assert record.metric == pytest.approx(found)

    def test_cut_off_and_resumed_it_ends_as_an_unbroken_run_does(
        self, explored: Explored, tmp_path: Path
    ) -> None:
        context = make_context(tmp_path / "run", self.name, self.trials)
        meter: Any = context.evaluator.meter
        meter.stop_at = explored.measured - 1  # before the last trial is done
        with pytest.raises(KeyboardInterrupt):
            explore(context)
        assert 0 < len(context.run.trials()) < self.trials
        ended = explore(make_context(tmp_path / "run", self.name, self.trials))
        for record, unbroken in zip(ended.records, explored.records, strict=True):
            assert record.architecture == unbroken.architecture
            assert record.metric == pytest.approx(unbroken.metric, abs=1e-6)
        assert sum(ended.spent.values()) == pytest.approx(sum(explored.spent.values()), rel=1e-6)
        if self.trained:
            assert max(trainings(ended).values()) == 1


def trainings(explored: Explored) -> Counter[str]:
    """How often each stage was trained to its end."""
    lines = (explored.context.run.supernet / "progress.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return Counter(record["stage"] for record in records if record["step"] == record["of"])
