"""From a model, a data set and a device to a front: fine-tune, order, share, search."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from compresskit.display import SILENT, Display, Say, display_of
from compresskit.errors import StoppedRun
from compresskit.methods.base import Method, MethodContext, check_any
from compresskit.methods.names import LADDERS
from compresskit.methods.registry import make_method
from compresskit.pipeline.check import check
from compresskit.pipeline.context import Context
from compresskit.pipeline.evaluation.evaluator import Evaluator
from compresskit.pipeline.evaluation.final_front import write_front
from compresskit.pipeline.evaluation.latency import LatencyMeter
from compresskit.pipeline.evaluation.slicers import slicer_of
from compresskit.pipeline.evaluation.variant_choice import choose_variants
from compresskit.pipeline.inputs import read_inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store import reuse
from compresskit.pipeline.store.dense_predictions import DenseAnswers
from compresskit.pipeline.store.fingerprints import check_run, fingerprints_of
from compresskit.pipeline.training.budget import full_step_budget
from compresskit.pipeline.training.networks import Networks
from compresskit.pipeline.training.plan import front_work
from compresskit.pipeline.training.ranks import WatchedRun, check_processes, is_first, wait_for_all
from compresskit.pipeline.training.strategy import SUPERNET
from compresskit.runs.directory import RunDirectory
from compresskit.runs.pruned import check_whole
from compresskit.runs.records import Front
from compresskit.runs.schema import utc_now
from compresskit.searchers.front import build_front
from compresskit.supernet.network import SuperNetwork
from compresskit.target.open import open_target


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
            check_whole(run)
            permitted = reuse.SCORED if run.settings.get("method") in LADDERS else reuse.RESUMABLE
            settings = reuse.stored_settings(run, changes or {}, permitted, "a resumed search")
            check_processes(settings.method)
            inputs = read_inputs(settings, reuse.profile_for(run, {}), display)
            made_from = fingerprints_of(inputs.task, inputs.checkpoint, download=False)
            check_run(run, inputs.task, made_from, "a resumed search", display)
            if is_first():
                reuse.go_on(run, settings)
            return _run(Context.of(run, settings, inputs, display, resume=True))
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
        return _run(Context.of(watched, new.settings, new.inputs, display, resume=False))
    with (
        RunDirectory.create(output, new.stored, force=force, started=utc_now(), **new.facts) as run,
        resumable(output),
    ):
        if new.source is not None:
            reuse.take_over(new.source, run)
        return _run(Context.of(run, new.settings, new.inputs, display, resume=False))


@contextmanager
def resumable(output: Path) -> Iterator[None]:
    """Ctrl-C is answered with the command that goes on."""
    try:
        yield
    except KeyboardInterrupt:
        command = f"compresskit search --resume --output {shlex.quote(str(output))}"
        raise StoppedRun(f"What is done is kept; go on with: {command}") from None


def _run(context: Context) -> Front:
    """The whole search; of several processes those behind the first train with it and then end."""
    wait_for_all()  # from here on the run is there
    run, settings, inputs, display = context.run, context.settings, context.inputs, context.display
    method, networks = make_method(settings.method), Networks(context)
    if not is_first():
        _train(method, networks)
        raise SystemExit(0)
    profile, task, baselines = inputs.profile, inputs.task, run.path / "baselines.json"
    with (
        display.whole(f"search into {run.path}"),
        open_target(profile, baselines=baselines, say=display) as target,
    ):
        dense, supernet = _train(method, networks)
        precisions = settings.precisions_on(profile)
        slicer = slicer_of(supernet, precisions, display)
        variants = choose_variants(run, target, profile, slicer, precisions, display)
        meter = LatencyMeter(run, target, profile, slicer, variants["fp32"], variants)
        known, answers = reuse.known_scores(run), DenseAnswers.of(run)
        evaluator = Evaluator(supernet, context.stage, meter, profile, known, answers)
        run.update(status="searching")
        steps = networks.recipes[SUPERNET].steps(len(task.train))
        budget = full_step_budget(settings, evaluator.blueprint, steps)
        records = method.explore(
            MethodContext(**vars(context), dense=dense, evaluator=evaluator, full_steps=budget)
        )
        check_any(records)
        limits = settings.constraints(run.info["dense_metric"], task.prior(task.validation))
        found = build_front(records, inputs.objectives, task.metric_name, constraints=limits).points
        points = [point.candidate.architecture for point in found]
        display.plan(front_work(settings, task, evaluator.blueprint, points))
        front = write_front(run, records, inputs.objectives, evaluator, task.metric_name, limits)
        run.update(status="completed", ended=utc_now())
        for note in ("infeasible", "unsteady"):
            if run.info[note]:
                display(f"warning: {run.info[note]}")
    return front


def _train(method: Method, networks: Networks) -> tuple[nn.Module, SuperNetwork]:
    """The dense model, and the network that candidates are cut from."""
    dense = networks.dense()
    wait_for_all()  # the first process has written the order
    supernet = method.network(networks, dense)
    networks.stage.memory.clear()  # the teacher has no more to say
    wait_for_all()  # the first process has stored it
    return dense, supernet
