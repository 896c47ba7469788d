"""Standard NAS: each architecture is fine-tuned alone, and those that fall behind are given up early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from compresskit.architecture import Candidate
from compresskit.methods.base import Method, MethodContext
from compresskit.methods.space_search import search_space
from compresskit.pipeline.evaluation.trial_lines import aim_line
from compresskit.pipeline.store.trial_weights import save_point, weights_name
from compresskit.pipeline.training.strategy import recipe_for
from compresskit.runs.jsonl import append_record, read_records
from compresskit.runs.records import TrialRecord
from compresskit.searchers.factory import make_searcher
from compresskit.searchers.halving import Halving, Rung
from compresskit.searchers.loop import Budget, Evaluation
from compresskit.searchers.objectives import costs_of
from compresskit.supernet.network import SuperNetwork
from compresskit.training.cost import step_cost
from compresskit.training.stages import quick_score, train_supernet
from compresskit.training.strategies import FROM_LABELS, Alone, Lesson

LEARNING_RATE = 5e-5
_RUNGS = "rungs.jsonl"


class StandardNas(Method):
    """Random architectures, scheduled by multi-objective ASHA (Klein et al., arXiv 2405.02267, section 4).

    Each starts from the weights of the dense model, its heads and units in order of importance, and
    learns from the labels. After each epoch it is scored on the rows that search scores on; `Halving` says
    whether it goes on. No architecture is begun once the full steps that the method may spend are spent.
    """

    def explore(self, context: MethodContext) -> list[TrialRecord]:
        run, settings = context.run, replace(context.settings, searcher="random")
        context.display(aim_line(settings))

        def store(record: TrialRecord) -> None:
            weights = weights_name(record.trial_id) if record.is_completed else None
            run.append_trial(replace(record, weights=weights))

        search_space(
            context,
            make_searcher(settings.searcher, context.space, context.inputs.objectives, settings.seed),
            _Trials(context),
            budget=_Compute(settings.trials, settings.budget_seconds, context),
            on_trial=store,
        )
        return run.trials()


METHODS = {"standard-nas": StandardNas()}


@dataclass(frozen=True)
class _Compute(Budget):
    """Ends the search once training has cost what it may, too."""

    context: MethodContext | None = None

    def is_spent(self, trials: int, seconds: float) -> bool:
        assert self.context is not None
        spent = self.context.run.info.get("full_steps", {})
        training = sum(cost for stage, cost in spent.items() if stage.startswith(_stage("")))
        return super().is_spent(trials, seconds) or training >= self.context.full_steps


def _stage(trial_id: object) -> str:
    return f"trial-{trial_id}"


class _Trials:
    """Trains and measures one candidate after the other; what the search calls."""

    def __init__(self, context: MethodContext) -> None:
        settings = context.settings
        self.context = context
        self.rows = len(context.inputs.task.train.encoded)
        width = context.blueprint.dims.hidden_size
        self.recipe = recipe_for(settings, settings.epochs_for(self.rows), LEARNING_RATE, width)
        self.steps_per_epoch = -(-self.rows // settings.batch_size)
        most = -(-self.recipe.steps(self.rows) // self.steps_per_epoch)
        self.halving = Halving(context.inputs.objectives, most)
        self._log = context.run.path / _RUNGS
        rungs = [Rung.from_json(value) for value in read_records(self._log, Rung)[0]]
        self.halving.replay(rungs)
        self._known = {(rung.trial_id, rung.epochs) for rung in rungs}

    def __call__(self, candidate: Candidate) -> Evaluation:
        context = self.context
        trial_id = len(context.run.trials())
        name = weights_name(trial_id)
        if not (context.run.path / name).is_dir():
            # Measured first: what does not run on the target is not worth training.
            self._train(trial_id, candidate, self._measured(candidate))
        return context.evaluator(candidate, name)

    def _measured(self, candidate: Candidate) -> Evaluation:
        """All but the metric, which comes with training."""
        latency = self.context.evaluator.meter.measure(candidate)
        return Evaluation(
            latency_ms=latency.median_ms,
            num_params=self.context.blueprint.num_params(candidate.architecture),
            macs=self.context.macs(candidate.architecture),
            size_bytes=latency.size_bytes,
        )

    def _train(self, trial_id: int, candidate: Candidate, measured: Evaluation) -> None:
        context, architecture = self.context, candidate.architecture
        model = context.fresh()
        network = SuperNetwork(model)

        def goes_on(epochs: int) -> bool:
            metric = quick_score(network, context.stage, architecture)
            return self._goes_on(trial_id, epochs, replace(measured, metric=metric))

        rungs = _Rungs(self.steps_per_epoch, goes_on)
        try:
            train_supernet(
                network,
                context.stage,
                self.recipe,
                lambda full: Alone.of(full, architecture),
                watch=architecture,
                name=_stage(trial_id),
                callbacks=[rungs],
            )
        except Exception:
            self.halving.failed(trial_id)
            raise
        cost = rungs.steps * step_cost(network.blueprint, [Lesson(architecture, FROM_LABELS)])
        context.spend(_stage(trial_id), cost)
        save_point(context.run.path, weights_name(trial_id), candidate, model)
        context.stage.discard(_stage(trial_id))

    def _goes_on(self, trial_id: int, epochs: int, evaluation: Evaluation) -> bool:
        """Whether the scheduler lets the trial go on; each rung is on disk before it decides."""
        costs = costs_of(evaluation, self.context.inputs.objectives)
        if costs is None:
            raise ValueError(f"an objective is not finite after {epochs} epochs")
        rung = Rung(trial_id, epochs, costs)
        if (trial_id, epochs) not in self._known:
            append_record(self._log, rung.to_json())
            self._known.add((trial_id, epochs))
        return self.halving.goes_on(rung)


class _Rungs(TrainerCallback):  # type: ignore[misc]
    """Asks after each epoch, and after the last step, whether training goes on."""

    def __init__(self, steps_per_epoch: int, goes_on: Callable[[int], bool]) -> None:
        self.steps = 0
        self._steps_per_epoch = steps_per_epoch
        self._goes_on = goes_on

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.steps = state.global_step
        if self.steps % self._steps_per_epoch and self.steps < state.max_steps:
            return
        if not self._goes_on(-(-self.steps // self._steps_per_epoch)):
            control.should_training_stop = True
