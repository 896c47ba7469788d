"""Third stage: the members that stay are scaled, layer by layer, to make up for those that went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.pruning.extract import extract
from compresskit.pruning.rivals.retraining_free.least_squares import ScaleProblem
from compresskit.pruning.rivals.retraining_free.stream import ATTENTION, FEED_FORWARD, LayerCall, SubLayer
from compresskit.supernet.mask_slopes import Batch
from compresskit.supernet.surgery import blueprint_of


@dataclass(frozen=True)
class Tuned:
    """How many sub-layers were scaled; `rejected` stayed as they were, their scales being beyond +-10."""

    scaled: int
    rejected: int


@torch.no_grad()
def tune(model: nn.Module, architecture: Architecture, teacher: nn.Module, batches: Sequence[Batch]) -> Tuned:
    """Scale the output weights of `model` that `architecture` keeps, in place, by least squares.

    Kwon et al. 2022 (arXiv 2204.09656), section 4.3: sub-layer by sub-layer from the first on, each on
    the inputs that the pruned and scaled ones before it give; what is fitted is the output of the
    teacher's sub-layer with its residual, before the normalisation. Padding does not count. `teacher` is
    the model that was pruned, and stays as it is. Every layer must keep a head and a unit (ValueError).
    """
    blueprint = blueprint_of(model)
    family, dims = blueprint.family, blueprint.dims
    if len(architecture.shapes) != dims.num_layers or not all(map(all, architecture.shapes)):
        raise ValueError("tuning needs a head and a unit in every layer")
    pruned, teacher = extract(model, architecture).eval(), teacher.eval()
    calls = [LayerCall(teacher, family, batch) for batch in batches]
    taught = [call.states for call in calls]
    states = list(taught)
    rejected = 0
    for number in range(dims.num_layers):
        right, small = (network.get_submodule(f"{family.stem}.{number}") for network in (teacher, pruned))
        seen_right = [call.observe(right, state) for call, state in zip(calls, taught, strict=True)]
        goals = [{part: _sum(found) for part, found in seen.sub_layers.items()} for seen in seen_right]
        taught = [seen.output for seen in seen_right]
        del seen_right  # what is inside a layer is far larger than its goals
        kept = architecture.layers[number]
        for name, size, part, members in (
            (family.attention_output, dims.head_size, ATTENTION, kept.heads),
            (family.down, 1, FEED_FORWARD, kept.units),
        ):
            problem = ScaleProblem(small.get_parameter(f"{name}.weight"), size)
            bias = small.get_parameter(f"{name}.bias")
            for call, state, goal in zip(calls, states, goals, strict=True):
                found = call.observe(small, state).sub_layers[part]
                rest = goal[part] - found.residual - bias
                problem.add(found.fed[call.mask], rest[call.mask])
            scales = problem.solve()
            if scales is None:
                rejected += 1
                continue
            places = np.asarray(members.indices)[:, None] * size + np.arange(size)
            columns = scales.to(bias.dtype).repeat_interleave(size)
            small.get_parameter(f"{name}.weight").mul_(columns)
            model.get_parameter(f"{family.stem}.{number}.{name}.weight")[:, places.reshape(-1)] *= columns
        states = [call.run(small, state) for call, state in zip(calls, states, strict=True)]
    return Tuned(2 * dims.num_layers - rejected, rejected)


def _sum(sub_layer: SubLayer) -> torch.Tensor:
    return sub_layer.output + sub_layer.residual
