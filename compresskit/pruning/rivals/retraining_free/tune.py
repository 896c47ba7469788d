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
from compresskit.pruning.rivals.retraining_free.stream import LayerCall, SubLayer
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
        goals = [{kind: _sum(found) for kind, found in seen.sub_layers.items()} for seen in seen_right]
        taught = [seen.output for seen in seen_right]
        del seen_right  # what is inside a layer is far larger than its goals
        for kind, block in family.blocks.items():
            output, kept = blueprint.output(number, kind), architecture.layers[number].kept(kind)
            linear = small.get_submodule(block.writes)
            assert isinstance(linear, nn.Linear)
            problem = ScaleProblem(linear.weight, output.size)
            for call, state, goal in zip(calls, states, goals, strict=True):
                found = call.observe(small, state).sub_layers[kind]
                rest = goal[kind] - found.residual - (0 if linear.bias is None else linear.bias)
                problem.add(found.fed[call.mask], rest[call.mask])
            scales = problem.solve()
            if scales is None:
                rejected += 1
                continue
            columns = scales.to(linear.weight.dtype).repeat_interleave(output.size)
            linear.weight.mul_(columns)
            places = output.places(np.asarray(kept.indices, dtype=np.int64))
            model.get_parameter(f"{output.module}.weight")[:, places] *= columns
        states = [call.run(small, state) for call, state in zip(calls, states, strict=True)]
    return Tuned(2 * dims.num_layers - rejected, rejected)


def _sum(sub_layer: SubLayer) -> torch.Tensor:
    return sub_layer.output + sub_layer.residual
