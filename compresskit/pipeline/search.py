"""From a model, a data set and a device to a front: fine-tune, order, share, search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from compresskit.engine.export import export_onnx
from compresskit.engine.graph import GraphSlicer
from compresskit.errors import ConfigurationError
from compresskit.families import dimensions_of
from compresskit.pipeline.estimate import DENSE, SUPERNET, Clock
from compresskit.pipeline.evaluator import Evaluator
from compresskit.pipeline.explore import explore
from compresskit.pipeline.front import write_front
from compresskit.pipeline.inputs import Inputs, informed_inputs, read_inputs
from compresskit.pipeline.latency import LatencyMeter
from compresskit.pipeline.methods import LADDERS, NAS, make_method
from compresskit.pipeline.methods.base import MethodContext, check_any
from compresskit.pipeline.methods.budget import full_step_budget
from compresskit.pipeline.models import load_dense, load_model, save_model
from compresskit.pipeline.ranks import WatchedRun, check_processes, is_first, wait_for_all
from compresskit.pipeline.reuse import FREE, RESUMABLE, check_source, known_scores, stored_settings, take_over
from compresskit.pipeline.scores import save_scores
from compresskit.pipeline.settings import DENSE_LEARNING_RATE, SearchSettings
from compresskit.pipeline.spent import note_training
from compresskit.pipeline.strategy import recipe_for, shared_recipe, strategy_for
from compresskit.pipeline.variants import choose_variants
from compresskit.pipeline.warm_start import read_warm_start
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, TrialRecord
from compresskit.search.loop import Budget
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.surgery import blueprint_of
from compresskit.target.open import open_target
from compresskit.target.profile import Profile, load_profile
from compresskit.training.cost import mean_step_cost
from compresskit.training.stages import (
    Stage,
    dense_strategy,
    fine_tune,
    order_by_importance,
    quick_score,
    score,
    train_supernet,
)

Say = Callable[[str], None]


def search(
    settings: SearchSettings | None,
    output: Path,
    *,
    resume: bool = False,
    force: bool = False,
    changes: Mapping[str, Any] | None = None,
    start_from: Path | None = None,
    warm_start: Path | None = None,
    say: Say = lambda _: None,
) -> Front:
    """Run a search into the folder `output` and return its front.

    With `resume`, settings are those of the run; `changes` may only lengthen its budget. With
    `start_from`, they are those of that run with `changes`, and its super-network is not trained again.
    The front of the run `warm_start`, of the same model sizes, is tried right after the initial design.
    Every stage that is complete is kept; a stage that was cut off goes on from its last checkpoint.
    Raises CompresskitError for anything the user can mend, and then has written nothing.
    """
    if resume:
        with RunDirectory.open(output, writable=is_first()) as run:
            permitted = set() if run.settings.get("method") in LADDERS else RESUMABLE
            settings = stored_settings(run, changes or {}, permitted, "a resumed search")
            check_processes(settings.method)
            inputs = read_inputs(settings, Profile.from_json(run.settings["profile"]), say)
            return _run(run, settings, inputs, say, resume=True)
    source = None if start_from is None else RunDirectory.open(start_from)
    if source is not None:
        settings = stored_settings(source, changes or {}, FREE, "a search from its super-network")
        check_source(source)
    assert settings is not None
    check_processes(settings.method)
    inputs = read_inputs(settings, load_profile(settings.profile), say)
    if warm_start is not None and settings.method in LADDERS:
        raise ConfigurationError(
            f"method {settings.method} makes sizes of its own: leave --warm-start out, or take method nas."
        )
    first = None if warm_start is None else read_warm_start(warm_start, inputs)
    stored = {**settings.to_json(), "profile": inputs.profile.to_json()}
    if not is_first():
        return _run(WatchedRun(output, {"settings": stored}, None), settings, inputs, say, resume=False)
    with RunDirectory.create(output, stored, force=force) as run:
        if source is not None:
            take_over(source, run)
        run.update(warm_start=first)
        return _run(run, settings, inputs, say, resume=False)


def _run(run: RunDirectory, settings: SearchSettings, inputs: Inputs, say: Say, *, resume: bool) -> Front:
    """The whole search; of several processes those behind the first train with it and then end."""
    wait_for_all()  # from here on the run is there
    if is_first():
        return Search(run, settings, inputs, say, resume=resume).run_all()
    watched = WatchedRun(run.path, dict(run.info), None)
    part = Search(watched, settings, inputs, lambda _: None, resume=resume)
    part.shared(part.ordered())
    raise SystemExit(0)


class Search:
    """One search; each stage is a method, in order."""

    def __init__(
        self, run: RunDirectory, settings: SearchSettings, inputs: Inputs, say: Say, *, resume: bool
    ) -> None:
        self.run = run
        self.settings = settings
        self.inputs = inputs
        self.task = inputs.task
        self.hidden_size = dimensions_of(inputs.checkpoint.config).hidden_size
        self.say = say
        self.clock = Clock(say)
        rows, epochs = len(self.task.train), settings.dense_epochs_for(len(self.task.train))
        self.recipes = {
            DENSE: recipe_for(settings, epochs, DENSE_LEARNING_RATE, self.hidden_size),
            SUPERNET: shared_recipe(settings, rows, self.hidden_size),
        }
        pad_id: int = inputs.checkpoint.tokenizer.pad_token_id
        self.stage = Stage(self.task, pad_id, run.supernet, self.clock.hear, resume)

    def run_all(self) -> Front:
        baselines = self.run.path / "baselines.json"
        with open_target(self.inputs.profile, baselines=baselines, say=self.say) as target:
            dense = self.ordered()
            supernet = self.shared(dense) if self.settings.method == NAS else SuperNetwork(dense)
            slicer = GraphSlicer(export_onnx(supernet.model), supernet.blueprint)
            profile = self.inputs.profile
            variants = choose_variants(self.run, target, profile, slicer, self.settings.precisions, self.say)
            meter = LatencyMeter(self.run, target, profile, slicer, variants["fp32"], variants)
            evaluator = Evaluator(supernet, self.stage, meter, profile, known_scores(self.run))
            records = self.explore(evaluator) if self.settings.method == NAS else self.compress(evaluator)
            self.say("scoring the front on all validation rows")
            limits = self.settings.constraints(self.run.info["dense_metric"])
            front = write_front(
                self.run, records, self.inputs.objectives, evaluator, self.task.metric_name, limits
            )
            self.run.update(status="completed")
            if self.run.info["infeasible"]:
                self.say(f"warning: {self.run.info['infeasible']}")
        return front

    def ordered(self) -> nn.Module:
        """The dense model, and the space as its order of importance shapes it."""
        model = self.dense()
        wait_for_all()  # the first process has written the order
        self.inputs = informed_inputs(self.inputs, self.settings, self.run.supernet)
        return model

    def dense(self) -> nn.Module:
        """The dense model, its heads and units in order of importance."""
        folder = self.run.supernet / "dense_model"
        if folder.exists():
            return load_model(folder)
        model = load_dense(self.inputs.checkpoint, self.task, self.settings.seed)
        recipe = self.recipes[DENSE]
        if self.inputs.checkpoint.is_fine_tuned:
            self.say("the checkpoint is fine-tuned: it is the dense model and teacher as it is")
        else:
            self.begin(DENSE, model)
            fine_tune(model, self.stage, recipe)
            note_training(self.run, "dense")
        save_scores(
            self.run.supernet, order_by_importance(model, self.stage, recipe, self.settings.importance)
        )
        network = SuperNetwork(model)
        metric = score(network, self.stage, self.task.validation)
        self.run.update(
            status="dense",
            dense_metric=metric,
            dense_search_metric=quick_score(network, self.stage),
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
        self.begin(SUPERNET, dense)
        space = self.inputs.space
        strategy = strategy_for(self.settings, space)
        train_supernet(supernet, self.stage, self.recipes[SUPERNET], lambda _: strategy, watch=space.middle)
        note_training(self.run, "supernet")
        save_model(supernet.model, folder)
        self.run.update(status="supernet")
        return supernet

    def begin(self, stage: str, model: nn.Module) -> None:
        """Say that a stage begins, and soon after how long all that follows will take."""
        steps = self.recipes[DENSE].steps(len(self.task.train))
        strategies = {
            DENSE: dense_strategy(model, self.task, steps),
            SUPERNET: strategy_for(self.settings, self.inputs.space),
        }
        blueprint = blueprint_of(model)
        costs = {name: mean_step_cost(strategy, blueprint) for name, strategy in strategies.items()}
        self.clock.begin(stage, self.settings, self.recipes, self.task, costs)

    def explore(self, evaluator: Evaluator) -> list[TrialRecord]:
        """Search; every trial is on disk before the next is asked for."""
        self.run.update(status="searching")
        return explore(
            self.run,
            self.settings,
            self.inputs,
            self.clock,
            evaluator,
            budget=Budget(trials=self.settings.trials, seconds=self.settings.budget_seconds),
            on_trial=self.run.append_trial,
        )

    def compress(self, evaluator: Evaluator) -> list[TrialRecord]:
        """What a method other than `nas` makes of the dense model, at what `nas` would train for."""
        self.run.update(status="searching")
        steps = self.recipes[SUPERNET].steps(len(self.task.train))
        context = MethodContext(
            run=self.run,
            settings=self.settings,
            inputs=self.inputs,
            stage=self.stage,
            clock=self.clock,
            dense=evaluator.supernet.model,
            evaluator=evaluator,
            full_steps=full_step_budget(self.settings, evaluator.blueprint, steps),
        )
        records: list[TrialRecord] = make_method(self.settings.method).explore(context)
        check_any(records)
        return records
