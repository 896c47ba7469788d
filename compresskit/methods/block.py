"""Block-structured pruning: a penalty prepares the model, a search asks how hard to prune which matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from onnx import ModelProto
from torch import nn

from compresskit.architecture import Architecture, Candidate
from compresskit.blocks import AXES, INPUTS, OUTPUTS, Partition
from compresskit.engine.block_choice import MARGIN, BlockChooser, random_matrix
from compresskit.errors import SearchError
from compresskit.families import Blueprint
from compresskit.methods.base import Made, Method, MethodContext, point_stage
from compresskit.methods.block_start import check_start, start_of
from compresskit.pipeline.settings import LABEL_LEARNING_RATE, TAUGHT_LEARNING_RATE, SearchSettings
from compresskit.pipeline.training.models import load_model, save_model
from compresskit.pipeline.training.plan import TRIALS
from compresskit.pipeline.training.steps_spent import note_training
from compresskit.pruning.block.matrices import (
    MATRIX_GROUPS,
    BlockSetting,
    GroupSetting,
    modules_of,
    partitions_of,
)
from compresskit.pruning.block.stages import Lasso, prune, retrain, train_with_lasso
from compresskit.runs.records import TrialRecord
from compresskit.searchers.block_space import BlockConfig, BlockSpace, furthest_before
from compresskit.searchers.objectives import costs_of
from compresskit.training.recipe import Recipe
from compresskit.training.strategies import Point

LASSO_SHARE = 0.35  # of what may be spent on training; the points share the rest
FIRST_SHARES = 2  # of these: the first point also undoes what the penalty did to what stays
SMALL_DATA_ROWS = 10_000
_LASSO = "lasso"
MEASURED_AT = 3.0  # the rate at which a partition has to be faster than the dense product


class BlockPruning(Method):
    """Li et al. 2020 (arXiv 2009.08065), with blocks that are really gone and chosen on the device.

    Products alone are timed there first, so that a matrix is cut as it runs fastest, and is left
    dense where no cut is faster. Trial 0 is the dense model: what it dominates is on no front.
    """

    def check(self, settings: SearchSettings, blueprint: Blueprint) -> None:
        check_start(settings, blueprint)
        for shape in _shapes(blueprint).values():
            for cut in _cuts(settings, shape):
                cut.widths(shape)

    def explore(self, context: MethodContext) -> list[TrialRecord]:
        """Raises SearchError where blocks make no matrix faster on this device."""
        chooser = _chooser(context)
        space = BlockSpace(_partitions(context, chooser))
        context.run.update(block_products=chooser.measured)
        if not space.groups:
            raise SearchError(
                f"no matrix of this model becomes faster in blocks, pruned {MEASURED_AT:g} times, on profile "
                f"{context.inputs.profile.name!r}: block structure does not pay there. Use --method nas."
            )
        prepared, start = _prepare(context, space)
        count = context.settings.trials or 1
        share = context.full_steps * (1 - LASSO_SHARE) / (count - 2 + FIRST_SHARES) if count > 1 else 0.0
        with context.display.stage(TRIALS, count, "sizes") as counter:
            records = [context.trial(0, {}, lambda: (Candidate(context.full), context.fresh()), counter)]
            while len(records) < count:
                config = space.propose(_told(context, records[1:]), context.settings.seed)
                if config is None:
                    break
                number = len(records)
                steps = share * (FIRST_SHARES if number == 1 else 1)
                done = {record.trial_id: record.config or {} for record in records if record.is_completed}
                source = furthest_before(config, done)
                make = partial(_point, context, chooser, prepared, source, start, config, number, steps)
                records.append(context.trial(number, config, make, counter))
        return records


METHODS: dict[str, Method] = {"block": BlockPruning()}


def _chooser(context: MethodContext) -> BlockChooser:
    """Times products on the search's target; what the run knows already is not measured again."""

    def measure(graph: ModelProto) -> float:
        return context.evaluator.meter.target.measure(graph).corrected_median_ms

    chooser = BlockChooser(measure)
    chooser.measured.update(context.run.info.get("block_products", {}))
    return chooser


def _partitions(context: MethodContext, chooser: BlockChooser) -> dict[str, tuple[Partition, ...]]:
    """For each matrix group the partitions that gain on the device, the fastest first."""
    found = {}
    settings = context.settings
    for group, shape in _shapes(context.blueprint).items():
        gains: list[tuple[float, Partition]] = []
        for cut in _cuts(settings, shape):
            # Units are put in order, hidden dimensions and heads are not.
            in_order = (group, cut.axis) in (("up", INPUTS), ("down", OUTPUTS))
            gain = chooser.gain(random_matrix(shape, cut, MEASURED_AT, sort_members=in_order))
            context.display(
                f"{group}, {cut.num_blocks} blocks along {cut.axis}: {gain:.2f} times as fast as dense"
            )
            if gain > 1 + MARGIN:
                gains.append((gain, cut))
        found[group] = tuple(cut for _, cut in sorted(gains, key=lambda pair: -pair[0]))
    return found


def _cuts(settings: SearchSettings, shape: tuple[int, int]) -> Iterator[Partition]:
    """The partitions that are asked for of a matrix (out, in)."""
    for axis in AXES if settings.block_axis is None else (settings.block_axis,):
        size = shape[0] if axis == OUTPUTS else shape[1]
        width = settings.block_width
        for blocks in settings.block_counts if width is None else (-(-size // width),):
            yield Partition(axis, blocks)


def _shapes(blueprint: Blueprint) -> dict[str, tuple[int, int]]:
    """(out, in) of the matrices of each group, of the largest where they differ."""
    found = {}
    for group in MATRIX_GROUPS:
        shapes = (blueprint.shapes[f"{module}.weight"] for module in modules_of(blueprint, group))
        rows, columns = max(shapes)
        found[group] = rows, columns
    return found


def _prepare(context: MethodContext, space: BlockSpace) -> tuple[Path, Architecture]:
    """The folder of the model after training with the penalty, and what of it all points are pruned from."""
    folder = context.run.supernet / "lasso_model"
    if folder.exists():
        return folder, Architecture.from_json(context.run.info["start"])
    settings = context.settings
    model, start = start_of(context)
    context.run.update(start=start.to_json())
    setting = {group: GroupSetting(space.partitions[group][0], 1.0) for group in space.groups}
    penalty = train_with_lasso(
        model,
        partitions_of(context.blueprint, setting),
        Lasso(settings.lasso, settings.lasso_strength),
        context.stage,
        _recipe(context, start, context.full_steps * LASSO_SHARE),
        start=start,
        teacher=context.dense if settings.distil else None,
        name=_LASSO,
    )
    save_model(model, folder)
    context.trained(_LASSO)
    if penalty is not None:
        context.display(f"lasso: weights of groups were renewed before steps {penalty.refreshed_at}")
    return folder, start


def _point(
    context: MethodContext,
    chooser: BlockChooser,
    prepared: Path,
    source: int | None,
    start: Architecture,
    config: BlockConfig,
    number: int,
    steps: float,
) -> Made:
    """A point pruned from trial `source`, None: from the prepared model. In steps, less is lost."""
    settings, name = context.settings, point_stage(number)
    model: nn.Module = load_model(prepared) if source is None else context.point(source)[1]
    model.to(next(context.dense.parameters()).device)
    pruned = prune(model, _setting(config), scope=settings.block_scope, start=start)
    plan = chooser.faster(pruned.plan())
    context.run.update(block_products=chooser.measured)
    origin = "" if source is None else f" from trial {source}"
    context.display(
        f"{name}: pruned {pruned.rate:.2f} times{origin}; in blocks {len(plan)} of {len(pruned.plan())} "
        "matrices are faster, the others stay dense"
    )
    retrain(
        model,
        pruned,
        context.stage,
        _recipe(context, pruned.architecture, steps),
        teacher=context.dense if settings.distil else None,
        name=name,
    )
    note_training(context.run, name)
    return Candidate(pruned.architecture, blocks=plan if len(plan) else None), model


def _setting(config: BlockConfig) -> BlockSetting:
    return {
        group: GroupSetting(Partition(entry["axis"], entry["num_blocks"]), entry["rate"])
        for group, entry in config.items()
    }


def distilled_rate(rows: int) -> float:
    """The rate at which blocks are pruned under a teacher, on so many rows (`benchmarks/block`)."""
    return TAUGHT_LEARNING_RATE if rows < SMALL_DATA_ROWS else TAUGHT_LEARNING_RATE / 2


def _recipe(context: MethodContext, architecture: Architecture, full_steps: float) -> Recipe:
    rows = len(context.inputs.task.train)
    rate = distilled_rate(rows) if context.settings.distil else LABEL_LEARNING_RATE
    return context.recipe(Point.of(context.full, architecture), full_steps, rate)


def _told(
    context: MethodContext, records: Sequence[TrialRecord]
) -> list[tuple[BlockConfig, tuple[float, ...] | None]]:
    objectives = context.inputs.objectives
    return [
        (record.config or {}, costs_of(record, objectives) if record.is_completed else None)
        for record in records
    ]
