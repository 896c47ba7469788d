"""Ridge reconstruction: a sub-network's output projections refitted to what the teacher computes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.families.base import HEADS, UNITS
from compresskit.pruning.extract import extract
from compresskit.pruning.rivals.retraining_free.stream import LayerCall
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.pass_through import sub_layer
from compresskit.training.losses import Distillation

STRENGTH = 0.03  # of the ridge, relative to the mean square of what a projection is fed with

Batches = Sequence[dict[str, torch.Tensor]]


@torch.no_grad()
def refit(network: SuperNetwork, architecture: Architecture, teacher: nn.Module, batches: Batches) -> None:
    """Refit the slices of `architecture`, in place, from the first layer to the last.

    Each output projection of attention and of the feed-forward block is moved, by least squares over
    the tokens of `batches`, to where its sum with the residual is that of the teacher's matched layer.
    A ridge holds it near what it was.
    """
    family = network.blueprint.family
    pruned = extract(network.model, architecture).eval()
    ours, theirs = (m.get_submodule(family.stem) for m in (pruned, teacher.eval()))
    assert isinstance(ours, nn.ModuleList) and isinstance(theirs, nn.ModuleList)
    calls = [[LayerCall(model, family, batch) for batch in batches] for model in (pruned, teacher)]
    states, wanted_states = ([call.states for call in each] for each in calls)
    passed = 0
    for place, source in Distillation().pairs(architecture):
        wanted = []
        for number, call in enumerate(calls[1]):
            for layer in theirs[passed:source]:
                wanted_states[number] = call.run(layer, wanted_states[number])
            wanted.append(call.observe(theirs[source], wanted_states[number]))
        wanted_states, passed = [each.output for each in wanted], source + 1
        for part, name in ((HEADS, family.attention.writes), (UNITS, family.feed_forward.writes)):
            linear = sub_layer(ours[place], name)
            if linear is None:
                continue
            assert isinstance(linear, nn.Linear)
            moments = Moments()
            for call, before, target in zip(calls[0], states, wanted, strict=True):
                seen, goal = call.observe(ours[place], before).sub_layers[part], target.sub_layers[part]
                moments.add(seen.fed[call.mask], (goal.residual + goal.output - seen.residual)[call.mask])
            moments.move(linear)
        states = [call.run(ours[place], before) for call, before in zip(calls[0], states, strict=True)]
    fitted = dict(pruned.named_parameters())
    dense = dict(network.model.named_parameters())
    for name, cut in network.blueprint.plan(architecture).cuts.items():
        kept = cut.apply(dense[cut.source])
        assert kept.untyped_storage().data_ptr() == dense[cut.source].untyped_storage().data_ptr()
        kept.copy_(fitted[name])


class Moments:
    """Normal equations of one projection, in double precision: tokens may come in any number."""

    def __init__(self) -> None:
        self.squares: Any = 0.0
        self.products: Any = 0.0

    def add(self, fed: torch.Tensor, wanted: torch.Tensor) -> None:
        """`fed`: (tokens, in), `wanted`: (tokens, out)."""
        rows = torch.cat((fed, torch.ones_like(fed[:, :1])), dim=1).double()  # the last one is the bias
        self.squares = self.squares + rows.T @ rows
        self.products = self.products + rows.T @ wanted.double()

    def move(self, linear: nn.Linear) -> None:
        """Bring `linear` to the least squares, in place."""
        now = torch.cat((linear.weight, linear.bias[:, None]), dim=1).T.double()
        ridge = STRENGTH * self.squares.diagonal()[:-1].mean() * torch.eye(len(now), dtype=now.dtype)
        ridge[-1, -1] = 0.0  # the bias is free
        fitted = now + torch.linalg.solve(self.squares + ridge, self.products - self.squares @ now)
        linear.weight.copy_(fitted[:-1].T)
        linear.bias.copy_(fitted[-1])
