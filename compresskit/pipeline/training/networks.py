"""The networks of a run: the dense model, and the super-network that shares its weights."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from torch import nn

from compresskit.architecture import Architecture
from compresskit.families import dimensions_of
from compresskit.pipeline.context import Context
from compresskit.pipeline.settings import DENSE_LEARNING_RATE
from compresskit.pipeline.store.dense_predictions import Answered, DenseAnswers
from compresskit.pipeline.store.importance import save_scores
from compresskit.pipeline.store.shared_weights import load_shared
from compresskit.pipeline.training.models import load_dense, load_model, save_model
from compresskit.pipeline.training.plan import SCORED, plan_of, seconds_a_look, trains_shared
from compresskit.pipeline.training.ranks import is_first
from compresskit.pipeline.training.speed import TrainingSpeed, speed_of
from compresskit.pipeline.training.steps_spent import note_full_steps
from compresskit.pipeline.training.strategy import (
    DENSE,
    SUPERNET,
    parts_of,
    recipe_for,
    shared_recipe,
    strategy_for,
)
from compresskit.pipeline.training.sub_supernets import PartsTraining
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.supernet.surgery import blueprint_of
from compresskit.training.recipe import training_device
from compresskit.training.stages import (
    dense_strategy,
    fine_tune,
    order_by_importance,
    quick_predict,
    train_supernet,
)
from compresskit.training.strategies import Strategy


class Networks:
    """Each is trained once: what stands in the run is loaded, what was cut off goes on."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.run = context.run
        self.settings = settings = context.settings
        self.inputs = inputs = context.inputs
        self.stage = context.stage
        self.display = context.display
        self.device = training_device()
        rows = len(inputs.task.train)
        width = dimensions_of(inputs.checkpoint.config).hidden_size
        self.parts = parts_of(settings, rows)
        self.recipes = {
            DENSE: recipe_for(settings, settings.dense_epochs_for(rows), DENSE_LEARNING_RATE, width),
            SUPERNET: shared_recipe(settings, rows, width),
        }

    def dense(self) -> nn.Module:
        """The dense model, its heads and units in order of importance."""
        folder = self.run.supernet / "dense_model"
        if folder.exists():
            return self.planned(load_model(folder).to(self.device))
        model = self._fine_tuned()
        importance = self.settings.importance
        scores = order_by_importance(model, self.stage, self.recipes[DENSE], importance)
        save_scores(self.run.supernet, scores)
        network, task = SuperNetwork(model), self.inputs.task
        rows = len(task.validation) + len(task.search)
        with self.display.stage(SCORED, rows, "rows") as counter:
            whole = predict(network, task, task.validation, counter=counter)
            quick = quick_predict(network, self.stage, counter=counter)
        answers = DenseAnswers(
            Answered.of(task.fitted(whole, task.validation.labels), whole, task.validation),
            Answered.of(task.fitted(quick, task.search.labels), quick, task.search),
        )
        answers.save(self.run.supernet)
        metric, prior = answers.validation.metric, task.prior(task.validation)
        self.run.update(
            status="dense",
            dense_metric=metric,
            dense_search_metric=answers.search.metric,
            metric_name=task.metric_name,
            prior_metric=prior,
            blueprint=network.blueprint.to_json(),
            notes=[*self.inputs.checkpoint.notes, *task.notes],
        )
        self.display(
            f"dense model: {task.metric_name} {metric:.4f} on validation, majority baseline {prior:.4f}"
        )
        if metric <= prior:
            self.display(
                "warning: the dense model is no better than the majority baseline, so its sub-networks will "
                "not be either: check labels, text columns and tokenizer, or train longer (--epochs)"
            )
        save_model(model, folder)
        if is_first():
            shutil.rmtree(self._unordered, ignore_errors=True)
        return model

    def shared(self, dense: nn.Module) -> SuperNetwork:
        """Shared weights that the sub-networks of the space work with; `dense` becomes them."""
        folder = self.run.supernet / "model"
        if folder.exists():
            return load_shared(folder).to(self.device)
        space = self.context.space
        if self.parts > 1:
            part = folder.with_name("model.training")
            spent = partial(note_full_steps, self.run)
            recipe, trained = self.recipes[SUPERNET], self.context.trained
            training = PartsTraining(part, self.settings, self.stage, recipe, trained, spent)
            found = training.run(dense, space, self.parts)
            if is_first():
                part.rename(folder)
            self.run.update(status="supernet")
            return found
        supernet = SuperNetwork(dense)
        strategy = strategy_for(self.settings, space)
        train_supernet(supernet, self.stage, self.recipes[SUPERNET], lambda _: strategy, watch=space.middle)
        save_model(supernet.model, folder)
        self.context.trained(SUPERNET)
        self.run.update(status="supernet")
        return SuperNetwork(supernet.model)  # training leaves a forward in mixed precision behind

    def _fine_tuned(self) -> nn.Module:
        """The model fine-tuned on the task: stored at once, since ordering and scoring it takes time."""
        if self._unordered.exists():
            return self.planned(load_model(self._unordered).to(self.device))
        checkpoint = self.inputs.checkpoint
        model = load_dense(checkpoint, self.inputs.task, self.settings.seed).model.to(self.device)
        if checkpoint.is_fine_tuned:
            self.display("the checkpoint is fine-tuned: it is the dense model and teacher as it is")
            return self.planned(model)
        recipe = self.recipes[DENSE]
        strategy = dense_strategy(model, self.inputs.task, recipe.steps(len(self.inputs.task.train)))
        self.planned(model, strategy)
        fine_tune(model, self.stage, recipe, strategy)
        save_model(model, self._unordered)
        self.context.trained(DENSE)
        return model

    def speed_of(self, model: nn.Module) -> TrainingSpeed:
        """How fast `model`, and a super-network that is still to be trained, learn here."""
        shared = strategy_for(self.settings, self.context.space) if trains_shared(self.context) else None
        with self.display.stage("timing some training steps"):
            return speed_of(model, self.inputs.task, self.recipes[SUPERNET], shared)

    def planned(
        self, model: nn.Module, fine_tuning: Strategy | None = None, speed: TrainingSpeed | None = None
    ) -> nn.Module:
        """`model`, once the display knows what there is to do; with `fine_tuning` that comes first."""
        blueprint, profile = blueprint_of(model), self.inputs.profile
        if speed is None and trains_shared(self.context):
            speed = self.speed_of(model)
        times = 1.0 if speed is None else speed.times
        plan = plan_of(self.context, self.recipes, fine_tuning, blueprint, times)
        full = Architecture.full(blueprint.dims)
        macs = blueprint.macs(full, profile.length, profile.texts)
        self.display.plan(plan, seconds_a_look(profile, macs, blueprint.num_params(full)))
        return model

    @property
    def _unordered(self) -> Path:
        return self.run.supernet / "fine_tuned"
