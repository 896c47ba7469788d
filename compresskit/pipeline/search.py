"""From a model, a data set and a device to a front: fine-tune, order, share, search."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from compresskit.display import SILENT, Display, Say, display_of
from compresskit.errors import StoppedRun
from compresskit.methods import LADDERS, NAS, make_method
from compresskit.methods.base import MethodContext, check_any
from compresskit.methods.budget import full_step_budget
from compresskit.pipeline.check import check
from compresskit.pipeline.evaluation.evaluator import Evaluator
from compresskit.pipeline.evaluation.final_front import write_front
from compresskit.pipeline.evaluation.latency import LatencyMeter
from compresskit.pipeline.evaluation.slicers import slicer_of
from compresskit.pipeline.evaluation.variant_choice import choose_variants
from compresskit.pipeline.explore import explore
from compresskit.pipeline.inputs import Inputs, informed_inputs, read_inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store import reuse
from compresskit.pipeline.store.dense_predictions import DenseAnswers
from compresskit.pipeline.store.fingerprints import check_run, fingerprints_of
from compresskit.pipeline.training.networks import Networks
from compresskit.pipeline.training.plan import FRONT, TRIALS, front_work
from compresskit.pipeline.training.ranks import WatchedRun, check_processes, is_first, wait_for_all
from compresskit.pipeline.training.strategy import SUPERNET
from compresskit.pipeline.training.time_estimate import Clock
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, TrialRecord
from compresskit.searchers.front import build_front
from compresskit.searchers.loop import Budget
from compresskit.supernet.network import SuperNetwork
from compresskit.target.open import open_target
from compresskit.training.stages import Stage


def search(
    settings: SearchSettings | None,
    output: Path,
    *,
    resume: bool = False,
    force: bool = False,
    changes: Mapping[str, Any] | None = None,
    start_from: Path | None = None,
    warm_start: Path | None = None,
    say: Say | Display = SILENT,
) -> Front:
    """Run a search into the folder `output` and return its front.

    With `resume`, settings are those of the run; `changes` may only lengthen its budget. With
    `start_from`, they are those of that run with `changes`, and its super-network is not trained again.
    The front of the run `warm_start`, of the same model sizes, is tried right after the initial design.
    Every stage that is complete is kept; a stage that was cut off goes on from its last checkpoint.
    Raises CompresskitError for anything the user can correct, and then has written nothing; StoppedRun, a
    KeyboardInterrupt that says how to go on, for Ctrl-C.
    """
    display = display_of(say)
    if resume:
        with RunDirectory.open(output, writable=is_first()) as run, resumable(output):
            permitted = set() if run.settings.get("method") in LADDERS else reuse.RESUMABLE
            settings = reuse.stored_settings(run, changes or {}, permitted, "a resumed search")
            check_processes(settings.method)
            inputs = read_inputs(settings, reuse.profile_for(run, {}), display)
            made_from = fingerprints_of(inputs.task, inputs.checkpoint, download=False)
            check_run(run, inputs.task, made_from, "a resumed search", display)
            if is_first():
                reuse.go_on(run, settings)
            return _run(run, settings, inputs, display, resume=True)
    new = check(
        settings,
        output,
        force=force,
        changes=changes,
        start_from=start_from,
        warm_start=warm_start,
        display=display,
    )
    if not is_first():
        watched = WatchedRun(output, {"settings": new.stored}, None)
        return _run(watched, new.settings, new.inputs, display, resume=False)
    with RunDirectory.create(output, new.stored, force=force, **new.facts) as run, resumable(output):
        if new.source is not None:
            reuse.take_over(new.source, run)
        return _run(run, new.settings, new.inputs, display, resume=False)


@contextmanager
def resumable(output: Path) -> Iterator[None]:
    """Ctrl-C is answered with the command that goes on."""
    try:
        yield
    except KeyboardInterrupt:
        command = f"compresskit search --resume --output {shlex.quote(str(output))}"
        raise StoppedRun(f"What is done is kept; go on with: {command}") from None


def _run(
    run: RunDirectory, settings: SearchSettings, inputs: Inputs, display: Display, *, resume: bool
) -> Front:
    """The whole search; of several processes those behind the first train with it and then end."""
    wait_for_all()  # from here on the run is there
    if is_first():
        return Search(run, settings, inputs, display, resume=resume).run_all()
    watched = WatchedRun(run.path, dict(run.info), None)
    part = Search(watched, settings, inputs, SILENT, resume=resume)
    part.shared(part.ordered())
    raise SystemExit(0)


class Search:
    """One search; each stage is a method, in order."""

    def __init__(
        self, run: RunDirectory, settings: SearchSettings, inputs: Inputs, display: Display, *, resume: bool
    ) -> None:
        self.run = run
        self.settings = settings
        self.inputs = inputs
        self.task = inputs.task
        self.clock = Clock(display)
        self.stage = Stage(self.task, inputs.checkpoint.pad_id, run.supernet, self.clock, resume)
        self.networks = Networks(run, settings, inputs, self.stage, self.clock)

    def run_all(self) -> Front:
        baselines = self.run.path / "baselines.json"
        with (
            self.clock.whole(f"search into {self.run.path}"),
            open_target(self.inputs.profile, baselines=baselines, say=self.clock) as target,
        ):
            dense = self.ordered()
            supernet = self.shared(dense) if self.settings.method == NAS else SuperNetwork(dense)
            profile = self.inputs.profile
            precisions = self.settings.precisions_on(profile)
            slicer = slicer_of(supernet, precisions, self.clock)
            variants = choose_variants(self.run, target, profile, slicer, precisions, self.clock)
            meter = LatencyMeter(self.run, target, profile, slicer, variants["fp32"], variants)
            answers = DenseAnswers.of(self.run)
            known = reuse.known_scores(self.run)
            evaluator = Evaluator(supernet, self.stage, meter, profile, known, answers)
            records = self.explore(evaluator) if self.settings.method == NAS else self.compress(evaluator)
            prior = self.task.prior(self.task.validation)
            limits = self.settings.constraints(self.run.info["dense_metric"], prior)
            objectives, name = self.inputs.objectives, self.task.metric_name
            points = build_front(records, objectives, name, constraints=limits).points
            self.clock.plan({FRONT: front_work(self.settings, self.task, evaluator.blueprint, len(points))})
            front = write_front(self.run, records, objectives, evaluator, name, limits)
            self.run.update(status="completed")
            for note in ("infeasible", "unsteady"):
                if self.run.info[note]:
                    self.clock(f"warning: {self.run.info[note]}")
        return front

    def ordered(self) -> nn.Module:
        """The dense model, and the space as its order of importance shapes it."""
        model = self.networks.dense()
        wait_for_all()  # the first process has written the order
        self.inputs = informed_inputs(self.inputs, self.settings, self.run.supernet)
        return model

    def shared(self, dense: nn.Module) -> SuperNetwork:
        """The trained super-network of the space, and the space as its parts shape it."""
        supernet = self.networks.shared(dense, self.inputs.space)
        self.stage.memory.clear()  # the teacher has no more to say
        wait_for_all()  # the first process has stored it
        self.inputs = informed_inputs(self.inputs, self.settings, self.run.supernet)
        return supernet

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
        steps = self.networks.recipes[SUPERNET].steps(len(self.task.train))
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
        method = make_method(self.settings.method)
        records: list[TrialRecord]
        if self.settings.method in LADDERS:
            with self.clock.stage(TRIALS, self.settings.trials, "sizes") as counter:
                records = method.explore(replace(context, counter=counter))
        else:
            records = method.explore(context)
        check_any(records)
        return records
