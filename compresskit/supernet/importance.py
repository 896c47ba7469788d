"""How much each head and unit matters, and the order that puts the best ones first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from compresskit.families import Blueprint, Projection
from compresskit.families.base import HEADS, UNITS
from compresskit.slicing import Index
from compresskit.supernet.heads import heads_of, note_heads, tell_heads, told_heads
from compresskit.supernet.mask_slopes import mask_slopes


@dataclass(frozen=True)
class Importance:
    """One score for each head and unit; larger matters more.

    `heads`: (num_layers, num_heads); `units`: (num_layers, num_units).
    """

    heads: torch.Tensor
    units: torch.Tensor

    def of(self, kind: str) -> torch.Tensor:
        """The scores of `heads` or of `units`."""
        return self.heads if kind == HEADS else self.units

    def sorted(self) -> Importance:
        """The scores as `reorder` leaves the members that they belong to."""
        return Importance(
            *(found.sort(descending=True, stable=True).values for found in (self.heads, self.units))
        )


def magnitude_importance(model: nn.Module, blueprint: Blueprint) -> Importance:
    """L2 norm of each head's and unit's output weights; needs no data."""
    return _per_member(model, blueprint, lambda parameter: parameter.detach().square()).map(torch.sqrt)


def taylor_importance(
    model: nn.Module,
    blueprint: Blueprint,
    batches: Iterable[dict[str, torch.Tensor]],
    loss: Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor],
) -> Importance:
    """First-order change of the loss on removal: sum over batches of |sum of weight x gradient|.

    Molchanov et al. 2017 (arXiv 1611.06440), equation 8, as DynaBERT orders width with it
    (Hou et al. 2020, section 2.1).
    """
    was_training = model.training
    model.eval()
    total: Importance | None = None
    for batch in batches:
        model.zero_grad(set_to_none=True)
        loss(model, batch).backward()  # type: ignore[no-untyped-call]
        scores = _per_member(model, blueprint, _weight_times_gradient).map(torch.abs)
        total = (
            scores if total is None else Importance(total.heads + scores.heads, total.units + scores.units)
        )
    model.zero_grad(set_to_none=True)
    model.train(was_training)
    if total is None:
        raise ValueError("importance needs at least one batch")
    return total


def _weight_times_gradient(parameter: torch.Tensor) -> torch.Tensor:
    assert parameter.grad is not None
    return parameter.detach() * parameter.grad


def fisher_importance(
    model: nn.Module,
    blueprint: Blueprint,
    batches: Iterable[dict[str, torch.Tensor]],
    loss: Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor],
) -> Importance:
    """Diagonal Fisher information of each member's mask: sum over rows of its squared gradient.

    Kwon et al. 2022 (arXiv 2204.09656), equation 6, with the gradient of each row alone: the mask
    of a member multiplies what it feeds to its output projection. `loss` is a mean over rows.
    """
    dims = blueprint.dims
    found = Importance(
        torch.zeros(dims.num_layers, dims.num_heads), torch.zeros(dims.num_layers, dims.num_units)
    )
    outputs = {
        (layer, kind): (model.get_submodule(output.module), output.size)
        for layer in range(dims.num_layers)
        for kind in (HEADS, UNITS)
        for output in (blueprint.output(layer, kind),)
    }
    was_training = model.training
    model.eval()
    rows = 0
    try:
        for count, slopes in mask_slopes(model, outputs, batches, loss):
            rows += count
            for (layer, kind), of_rows in slopes.items():
                scores = found.of(kind)
                scores[layer] += of_rows.square().sum(0).to(scores.device, scores.dtype)
    finally:
        model.train(was_training)
    if not rows:
        raise ValueError("importance needs at least one batch")
    return found


@dataclass(frozen=True)
class _Sums:
    heads: torch.Tensor
    units: torch.Tensor

    def map(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Importance:
        return Importance(function(self.heads), function(self.units))


def _per_member(
    model: nn.Module, blueprint: Blueprint, value: Callable[[torch.Tensor], torch.Tensor]
) -> _Sums:
    """Sum `value(output projection)` over each head, and over each unit.

    The output projections alone are enough: a member acts on the model through them only.
    """
    parameters = dict(model.named_parameters())
    sums: dict[str, list[torch.Tensor]] = {HEADS: [], UNITS: []}
    for layer in range(blueprint.dims.num_layers):
        for kind, of_layers in sums.items():
            output = blueprint.output(layer, kind)
            weight = value(parameters[f"{output.module}.weight"])  # (hidden, members * size)
            of_layers.append(weight.view(-1, output.total, output.size).sum((0, 2)))
    return _Sums(torch.stack(sums[HEADS]), torch.stack(sums[UNITS]))


@torch.no_grad()
def reorder(model: nn.Module, blueprint: Blueprint, importance: Importance) -> None:
    """Permute heads and units in place, most important first; the model computes the same.

    Hidden width and layer order stay. Ties keep their order.
    """
    parameters, heads = dict(model.named_parameters()), heads_of(model)
    orders = {
        kind: importance.of(kind).argsort(dim=-1, descending=True, stable=True) for kind in (HEADS, UNITS)
    }
    for layer in range(blueprint.dims.num_layers):
        for each in blueprint.projections(layer):
            permute(parameters, each, orders[each.kind][layer].cpu().numpy())
    pairs = zip(heads.items(), orders[HEADS], strict=False)  # of all layers, or of none
    moved = {name: ids[order.to(ids.device)] for (name, ids), order in pairs}
    tell_heads(model, moved, blueprint.dims.head_size)
    note_heads(model)


@torch.no_grad()
def sort_heads(model: nn.Module, blueprint: Blueprint) -> None:
    """Put heads whose order modules are told back into the dense model's own, in place.

    `model`, dense or pruned, computes the same. With all its heads in order a layer loads in transformers.
    """
    parameters, sorted_heads = dict(model.named_parameters()), {}
    for layer, name, ids in told_heads(model):
        order = ids.argsort()
        for each in blueprint.projections(layer):
            if each.kind == HEADS:
                permute(parameters, replace(each, total=len(ids)), order.cpu().numpy())
        sorted_heads[name] = ids[order]
    tell_heads(model, sorted_heads, blueprint.dims.head_size)
    note_heads(model)


@torch.no_grad()
def permute(tensors: Mapping[str, torch.Tensor], projection: Projection, order: Index) -> None:
    """Put the members of a projection into this order, in place, in those of its tensors that are there."""
    places = torch.from_numpy(projection.places(order))
    for name, dim in ((f"{projection.module}.weight", projection.dim), (f"{projection.module}.bias", 0)):
        if name in tensors and (projection.reads or dim):
            tensors[name].copy_(tensors[name].index_select(dim, places.to(tensors[name].device)))
