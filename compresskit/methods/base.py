"""What a method other than `nas` is, and what a search gives to it."""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from compresskit.architecture import Architecture, Candidate
from compresskit.display import Counter
from compresskit.errors import AgentError, CompresskitError, RunError, SearchError
from compresskit.families import Blueprint
from compresskit.pipeline.context import Context
from compresskit.pipeline.evaluation.evaluator import Evaluator
from compresskit.pipeline.evaluation.trial_lines import best_line, point_line
from compresskit.pipeline.settings import TAUGHT_LEARNING_RATE, SearchSettings
from compresskit.pipeline.store.trial_weights import read_point, save_point, weights_name
from compresskit.pipeline.training.budget import epochs_for
from compresskit.pipeline.training.networks import Networks
from compresskit.pipeline.training.plan import TRIALS
from compresskit.pipeline.training.steps_spent import note_full_steps, note_training
from compresskit.pipeline.training.strategy import recipe_for
from compresskit.pruning.rivals.costs import Costs, mac_costs
from compresskit.runs.records import TrialRecord
from compresskit.searchers.loop import Evaluation, make_record, unmeasured
from compresskit.supernet.network import SuperNetwork
from compresskit.training.losses import Distillation
from compresskit.training.recipe import Recipe
from compresskit.training.stages import sample_batches, train_supernet
from compresskit.training.strategies import Point, Strategy

Made = tuple[Candidate, nn.Module]
"""A candidate, and a model of the dense sizes whose slices at its architecture are its weights."""


class Method(ABC):
    """Makes trials out of the fine-tuned dense model; dense model, device and front are those of all."""

    def check(self, settings: SearchSettings, blueprint: Blueprint) -> None:  # noqa: B027
        """Raise CompresskitError for settings that it cannot work with on such a model.

        That is asked before anything is written.
        """

    def network(self, networks: Networks, dense: nn.Module) -> SuperNetwork:
        """What candidates are cut from where they have no weights of their own."""
        return SuperNetwork(dense)

    @abstractmethod
    def explore(self, context: MethodContext) -> list[TrialRecord]:
        """All trials, each recorded before the next is begun; those recorded already are not made again.

        The dense model stays as it is. Raises CompresskitError for what the user can correct.
        """


@dataclass(frozen=True)
class MethodContext(Context):
    """What a search gives to a method beside its own context.

    `dense` is the fine-tuned model, its heads and units in order of importance; it teaches and is never
    changed. `full_steps` is what the method may spend on training, in optimizer steps of the full
    network: what `nas` costs with its default strategy.
    """

    dense: nn.Module
    evaluator: Evaluator
    full_steps: float

    @property
    def blueprint(self) -> Blueprint:
        return self.evaluator.blueprint

    @property
    def full(self) -> Architecture:
        """The dense model's."""
        return self.evaluator.supernet.full

    @property
    def full_macs(self) -> int:
        return self.macs(self.full)

    @property
    def mac_costs(self) -> Costs:
        """Multiply-accumulates at the profile's batch and length, as `macs` counts them."""
        return mac_costs(self.blueprint, self.inputs.profile.length, self.inputs.profile.texts)

    def macs(self, architecture: Architecture) -> int:
        return self.evaluator.macs(architecture)

    def fresh(self) -> nn.Module:
        """A copy of the dense model to prune and train."""
        return copy.deepcopy(self.dense).requires_grad_(True)

    def point(self, trial_id: int) -> Made:
        """What an earlier trial made, on the dense model's device."""
        candidate, model = read_point(self.run.path, weights_name(trial_id))
        return candidate, model.to(next(self.dense.parameters()).device)

    def spend(self, stage: str, full_steps: float) -> None:
        """Write down what a stage has cost that `train` knows nothing of."""
        note_full_steps(self.run, stage, full_steps)

    def batches(self, rows: int) -> list[dict[str, torch.Tensor]]:
        """A seeded sample of training rows with their labels, on the dense model's device."""
        return sample_batches(
            self.inputs.task,
            self.settings.batch_size,
            self.settings.seed,
            rows,
            next(self.dense.parameters()).device,
        )

    def recipe(
        self,
        strategy: Strategy,
        full_steps: float,
        learning_rate: float | None = None,
        distillation: Distillation | None = None,
    ) -> Recipe:
        """What costs so many full steps with `strategy`.

        The settings' learning rate goes first, then `learning_rate`, then that of the super-network of
        `nas`, at which small networks recover best here too (`benchmarks/front`).
        """
        settings, rows = self.settings, len(self.inputs.task.train.encoded)
        epochs = epochs_for(full_steps, strategy, self.blueprint, rows, settings.batch_size, settings.seed)
        rate = learning_rate or TAUGHT_LEARNING_RATE
        return recipe_for(settings, epochs, rate, self.blueprint.dims.hidden_size, distillation)

    def train(
        self,
        model: nn.Module,
        architecture: Architecture,
        name: str,
        full_steps: float,
        *,
        strategy: Callable[[Architecture], Strategy] | None = None,
        distillation: Distillation | None = None,
    ) -> None:
        """Train in place the slices of `model` that `architecture` uses, for so many full steps.

        `name` is the stage's: a resumed run goes on from its last checkpoint. By default the dense model
        teaches; `strategy` makes another one of the full architecture.
        """
        network = SuperNetwork(model)
        made = strategy(network.full) if strategy else Point.of(network.full, architecture)
        recipe = self.recipe(made, full_steps, distillation=distillation)
        train_supernet(
            network, self.stage, recipe, lambda _: made, watch=architecture, name=name, teacher=self.dense
        )
        note_training(self.run, name)

    def sizes(self, made_by: Sequence[tuple[Mapping[str, Any], Callable[[], Made]]]) -> list[TrialRecord]:
        """The trials of what is made by a fixed number of functions, each beside its configuration."""
        with self.display.stage(TRIALS, len(made_by), "sizes") as counter:
            return [
                self.trial(trial_id, config, make, counter) for trial_id, (config, make) in enumerate(made_by)
            ]

    def trial(
        self, trial_id: int, config: Mapping[str, Any], make: Callable[[], Made], counter: Counter
    ) -> TrialRecord:
        """The record of a trial: as it stands in the run, or else made, evaluated and recorded now.

        What `make` returns is on disk before it is evaluated, so that a run that is cut off there does
        not make it again. A candidate that does not run on the target is recorded as failed; whatever
        `make` raises goes on to the caller.
        """
        for record in self.run.trials():
            if record.trial_id == trial_id:
                counter.advance()
                return record
        start = time.monotonic()
        name = weights_name(trial_id)
        if (self.run.path / name).is_dir():
            candidate, _ = read_point(self.run.path, name)
        else:
            candidate, model = make()
            save_point(self.run.path, name, candidate, model)
            self.stage.discard(point_stage(trial_id))
        error: str | None = None
        evaluation = Evaluation()
        try:
            evaluation = self.evaluator(candidate, name)
            error = unmeasured(evaluation, self.inputs.objectives)
        except (RunError, AgentError):
            raise
        except CompresskitError as caught:
            error = str(caught)
        record = make_record(
            trial_id,
            dict(config),
            candidate,
            evaluation,
            error,
            seconds=time.monotonic() - start,
            weights=name,
        )
        self.run.append_trial(record)
        name = self.inputs.task.metric_name
        best = best_line(
            self.run.trials(), name, self.run.info.get("dense_metric", 0.0), self.settings.max_drop
        )
        counter.advance()
        counter.describe(best, point_line(record, name))
        return record


def point_stage(trial_id: int) -> str:
    """The name of the training of a trial's own weights."""
    return f"point-{trial_id}"


def check_any(records: Sequence[TrialRecord]) -> None:
    """SearchError where no trial was completed."""
    if not any(record.is_completed for record in records):
        raise SearchError(
            f"all {len(records)} trials failed, the last with: {records[-1].error} "
            "Correct the cause, then start again with --force."
        )
