"""From a model, a data set and a device to a front: fine-tune, order, share, search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from compresskit.architecture import Architecture
from compresskit.engine.export import export_onnx
from compresskit.engine.graph import GraphSlicer
from compresskit.engine.variants import choose_variant, variant_named
from compresskit.pipeline.estimate import Clock
from compresskit.pipeline.evaluator import Evaluator
from compresskit.pipeline.front import write_front
from compresskit.pipeline.inputs import Inputs, read_inputs
from compresskit.pipeline.latency import LatencyMeter, time_of
from compresskit.pipeline.models import load_dense, load_model, save_model
from compresskit.pipeline.reuse import FREE, RESUMABLE, known_scores, stored_settings, take_over
from compresskit.pipeline.settings import SearchSettings
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, TrialRecord
from compresskit.search.loop import Budget, run_search
from compresskit.supernet.network import SuperNetwork
from compresskit.target.open import open_target
from compresskit.target.profile import Profile, load_profile
from compresskit.training.sampling import progressive
from compresskit.training.stages import Stage, fine_tune, order_by_importance, score, train_supernet
from compresskit.training.strategies import Strategy, make_strategy
from compresskit.training.trainer import Recipe

DENSE_LEARNING_RATE = 5e-5
SHARED_LEARNING_RATE = 1e-4
Say = Callable[[str], None]


def search(
    settings: SearchSettings | None,
    output: Path,
    *,
    resume: bool = False,
    force: bool = False,
    changes: Mapping[str, Any] | None = None,
    start_from: Path | None = None,
    say: Say = lambda _: None,
) -> Front:
    """Run a search into the folder `output` and return its front.

    With `resume`, settings are those of the run; `changes` may only lengthen its budget. With
    `start_from`, they are those of that run with `changes`, and its super-network is not trained again.
    Every stage that is complete is kept; a stage that was cut off goes on from its last checkpoint.
    Raises CompresskitError for anything the user can mend, and then has written nothing.
    """
    if resume:
        with RunDirectory.open(output, writable=True) as run:
            settings = stored_settings(run, changes or {}, RESUMABLE, "a resumed search")
            inputs = read_inputs(settings, Profile.from_json(run.settings["profile"]), say)
            return Search(run, settings, inputs, say, resume=True).run_all()
    source = None if start_from is None else RunDirectory.open(start_from)
    if source is not None:
        settings = stored_settings(source, changes or {}, FREE, "a search from its super-network")
    assert settings is not None
    inputs = read_inputs(settings, load_profile(settings.profile), say)
    stored = {**settings.to_json(), "profile": inputs.profile.to_json()}
    with RunDirectory.create(output, stored, force=force) as run:
        if source is not None:
            take_over(source, run)
        return Search(run, settings, inputs, say, resume=False).run_all()


class Search:
    """One search; each stage is a method, in order."""

    def __init__(
        self, run: RunDirectory, settings: SearchSettings, inputs: Inputs, say: Say, *, resume: bool
    ) -> None:
        self.run = run
        self.settings = settings
        self.inputs = inputs
        self.task = inputs.task
        self.say = say
        self.clock = Clock(say)
        pad_id: int = inputs.checkpoint.tokenizer.pad_token_id
        self.stage = Stage(self.task, pad_id, run.supernet, self.clock.hear, resume)

    def run_all(self) -> Front:
        baselines = self.run.path / "baselines.json"
        with open_target(self.inputs.profile, baselines=baselines, say=self.say) as target:
            supernet = self.shared(self.dense())
            slicer = GraphSlicer(export_onnx(supernet.model), supernet.blueprint)
            if "variant" not in self.run.info:
                self.say("choosing the fastest form of the graph on the target")
                chosen = choose_variant(time_of(target), slicer.slice(supernet.full))
                self.run.update(variant=chosen.name)
            variant = variant_named(self.run.info["variant"])
            meter = LatencyMeter(self.run, target, self.inputs.profile, slicer, variant)
            evaluator = Evaluator(supernet, self.stage, meter, self.inputs.profile, known_scores(self.run))
            records = self.explore(evaluator)
            self.say("scoring the front on all validation rows")
            front = write_front(self.run, records, self.inputs.objectives, evaluator, self.task.metric_name)
            self.run.update(status="completed")
        return front

    def recipe(self, rate: float) -> Recipe:
        return Recipe(
            epochs=self.settings.epochs_for(len(self.task.train)),
            learning_rate=self.settings.learning_rate or rate,
            batch_size=self.settings.batch_size,
            temperature=self.settings.temperature,
            seed=self.settings.seed,
        )

    def dense(self) -> nn.Module:
        """The dense model, its heads and units in order of importance."""
        folder = self.run.supernet / "dense_model"
        if folder.exists():
            return load_model(folder)
        model = load_dense(self.inputs.checkpoint, self.task, self.settings.seed)
        recipe = self.recipe(DENSE_LEARNING_RATE)
        if self.inputs.checkpoint.is_fine_tuned:
            self.say("the checkpoint is fine-tuned: it is the dense model and teacher as it is")
        else:
            self.clock.begin("dense", self.settings, recipe, self.task)
            fine_tune(model, self.stage, recipe)
        order_by_importance(model, self.stage, recipe)
        network = SuperNetwork(model)
        metric = score(network, self.stage, self.task.validation)
        self.run.update(
            status="dense",
            dense_metric=metric,
            metric_name=self.task.metric_name,
            blueprint=network.blueprint.to_json(),
            notes=list(self.task.notes),
        )
        self.say(f"dense model: {self.task.metric_name} {metric:.4f} on validation")
        save_model(model, folder)
        return model

    def shared(self, dense: nn.Module) -> SuperNetwork:
        """The super-network: shared weights that its sub-networks work with."""
        folder = self.run.supernet / "model"
        if folder.exists():
            return SuperNetwork(load_model(folder))
        supernet = SuperNetwork(dense)
        recipe = self.recipe(SHARED_LEARNING_RATE)
        self.clock.begin("supernet", self.settings, recipe, self.task)
        train_supernet(supernet, self.stage, recipe, self.strategy, watch=self.inputs.space.middle)
        save_model(supernet.model, folder)
        self.run.update(status="supernet")
        return supernet

    def strategy(self, full: Architecture) -> Strategy:
        space = self.inputs.space
        sample = progressive(space.sample_architecture, space.relative_size)
        return make_strategy(self.settings.strategy, full, space.smallest, sample, self.settings.num_random)

    def explore(self, evaluator: Evaluator) -> list[TrialRecord]:
        """Search; every trial is on disk before the next is asked for."""
        self.run.update(status="searching")
        self.clock.search_begins(self.settings)
        return run_search(
            evaluator,
            self.inputs.space,
            self.inputs.searcher,
            budget=Budget(trials=self.settings.trials, seconds=self.settings.budget_seconds),
            clock=self.clock.now,
            on_trial=self.run.append_trial,
            on_progress=lambda progress: self.clock.trial(progress, self.task.metric_name),
            completed=self.run.trials(),
        )
